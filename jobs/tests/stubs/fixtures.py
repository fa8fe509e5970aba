"""Stub servers as fixtures, for the tests of every package."""

from collections.abc import Iterator

import pytest

from jobs.tests.stubs.openai_server import OpenAIStub


@pytest.fixture
def stub() -> Iterator[OpenAIStub]:
    """A server that speaks OpenAI's protocol and answers as the test says."""
    with OpenAIStub() as stub:
        yield stub

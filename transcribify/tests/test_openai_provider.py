"""Recognition and reports by a provider, through real workers and a stub that speaks the real protocol."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.tests.stubs import openai_answers as answers
from jobs.tests.stubs.openai_server import STUB_KEY, OpenAIStub, Received
from transcribify.tests.client import Client
from transcribify.tests.live_service import LiveService, running_service


@pytest.fixture(scope="module")
def stub() -> Iterator[OpenAIStub]:
    with OpenAIStub() as stub:
        yield stub


@pytest.fixture(scope="module")
def service_with_provider(stub: OpenAIStub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    with running_service(
        tmp_path_factory.mktemp("provider"),
        OPENAI_API_KEY=STUB_KEY,
        OPENAI_BASE_URL=stub.base_url,
        OPENAI_TIMEOUT_SECONDS="3",
        REPORT_API_KEY=STUB_KEY,
        REPORT_BASE_URL=stub.base_url,
        REPORT_TIMEOUT_SECONDS="1",
        REPORT_TOTAL_SECONDS="3",
    ) as live:
        yield live


@pytest.fixture
def alice(service_with_provider: LiveService) -> Client:
    return Client(service_with_provider.url, "alice@example.org")


def for_chats(answer: answers.Answer) -> Callable[[Received], answers.Answer]:
    """Answers chats so, and uploads well."""

    def choose(request: Received) -> answers.Answer:
        if request.path.endswith("/chat/completions"):
            return answer
        return answers.verbose_answer([{"start": 0.0, "end": 2.0, "text": " Ship on Friday."}])

    return choose


def test_a_key_that_is_set_chooses_the_provider_for_both(alice: Client, stub: OpenAIStub, english_path: Path) -> None:
    stub.always(for_chats(answers.chat_answer(answers.GOOD_REPORT)))
    job = alice.transcribe(english_path)
    assert (job["status"], job["engine"], job["transcript"]) == ("done", "openai", "Ship on Friday.")
    assert job["report"] == {**answers.GOOD_REPORT, "writer": "openai"}
    assert job["language"] == "en"


def test_a_refused_key_fails_the_job_refunds_it_and_names_the_setting(
    alice: Client, stub: OpenAIStub, english_path: Path
) -> None:
    used = alice.usage()["used_seconds"]
    stub.always(lambda request: answers.INVALID_KEY)
    job = alice.transcribe(english_path)
    assert (job["status"], job["error"]["code"]) == ("failed", "provider_refused_key")
    assert "OPENAI_API_KEY" in job["error"]["message"]
    assert STUB_KEY not in str(job)
    assert alice.usage()["used_seconds"] == used
    assert alice.usage()["reserved_seconds"] == 0


def test_a_busy_provider_is_asked_again_later(alice: Client, stub: OpenAIStub, english_path: Path) -> None:
    stub.always(for_chats(answers.chat_answer(answers.GOOD_REPORT)))
    stub.script(answers.RATE_LIMITED)
    assert alice.transcribe(english_path)["status"] == "done"


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(answers.INVALID_KEY, id="401"),
        pytest.param(answers.RATE_LIMITED, id="429"),
        pytest.param(answers.SERVER_ERROR, id="500"),
        pytest.param(answers.HANG, id="time-out"),
        pytest.param(answers.Answer(b'{"id": 1' * 50, drip_seconds=0.2), id="drip"),
        pytest.param(answers.BROKEN_JSON, id="bad JSON"),
        pytest.param(answers.HTML, id="HTML"),
        pytest.param(answers.chat_answer(None, refusal="I cannot help with that."), id="refusal"),
    ],
)
def test_the_transcript_survives_every_failure_of_the_report(
    alice: Client, stub: OpenAIStub, english_path: Path, bad: answers.Answer
) -> None:
    stub.always(for_chats(bad))
    job = alice.transcribe(english_path)
    assert (job["status"], job["transcript"], job["report"]) == ("done", "Ship on Friday.", None)
    (warning,) = [warning for warning in job["warnings"] if warning["code"] == "report_failed"]
    assert len(warning["message"]) > len("The report could not be written. The transcript is complete.")


def test_no_key_is_in_any_log(service_with_provider: LiveService) -> None:
    assert STUB_KEY not in service_with_provider.log

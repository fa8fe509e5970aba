"""Jobs, as the tests of ``jobs`` make them."""

from jobs.tests.conftest import make_job

__all__ = ["make_job"]

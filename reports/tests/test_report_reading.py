"""GET /jobs/{id}/report."""

import pytest

from jobs.models import Job, Status
from reports.models import Report

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(alice):
    made = Job.objects.create(owner=alice, filename="talk.mp3", status=Status.DONE, stage=None)
    Report.objects.create(
        job=made,
        summary="About bread.",
        key_points=["Rye."],
        topics=["bread"],
        sentiment="neutral",
        writer="extractive",
    )
    return made


def test_the_report_of_a_done_job(as_alice, job):
    answer = as_alice.get(f"/jobs/{job.pk}/report")
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "summary": "About bread.",
            "key_points": ["Rye."],
            "topics": ["bread"],
            "sentiment": "neutral",
            "writer": "extractive",
        },
    )


def test_a_done_job_may_have_none(as_alice, job):
    Report.objects.all().delete()
    answer = as_alice.get(f"/jobs/{job.pk}/report")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_report")


@pytest.mark.parametrize("status", [Status.PENDING, Status.PROCESSING, Status.FAILED, Status.CANCELLED])
def test_any_other_job_is_a_conflict_that_names_the_status(as_alice, job, status):
    Job.objects.update(status=status)
    answer = as_alice.get(f"/jobs/{job.pk}/report")
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (409, "not_finished", status)

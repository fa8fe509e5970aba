"""A recording that is handed in twice: when that makes one job, and when it makes two."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import LedgerEntry, QuotaAccount
from jobs import services, submission
from jobs.errors import Refused
from jobs.models import Job, Status
from jobs.options import Options
from jobs.submission import Origin, fingerprint_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def submit(as_alice, tone_path):
    def send(client=as_alice, content: bytes = tone_path.read_bytes(), key="", retry_count="", **options):
        headers = {"Idempotency-Key": key} if key else {}
        headers |= {"X-Stainless-Retry-Count": retry_count} if retry_count else {}
        file = SimpleUploadedFile("tone.flac", content)
        return client.post("/jobs", {"file": file, **options}, format="multipart", headers=headers)

    return send


def finish(status=Status.DONE, ago_seconds=0):
    end = timezone.now() - timedelta(seconds=ago_seconds)
    Job.objects.update(status=status, stage=None, token=None, finished_at=end)


def stored_recordings():
    return [path for path in Path(default_storage.location).rglob("source") if path.is_file()]


def assert_one_job_and_one_charge(first, second):
    assert first.status_code == second.status_code == 202, second.json()
    assert first.json()["id"] == second.json()["id"] == Job.objects.get().pk
    assert LedgerEntry.objects.count() == 1
    assert QuotaAccount.objects.exclude(reserved_ms=0).get().reserved_ms == 2000
    assert len(stored_recordings()) == 1


def test_an_identical_request_joins_the_job_that_runs(submit):
    first, second = submit(language="en"), submit(language="en")
    assert_one_job_and_one_charge(first, second)
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"


def test_it_joins_although_the_budget_went_into_the_job(submit):
    QuotaAccount.objects.update(limit_ms=2000)
    assert_one_job_and_one_charge(submit(), submit())


@pytest.mark.parametrize("other", [{"language": "ru"}, {"tags": ["x"]}, {"prompt": "x"}, {"report": "false"}])
def test_other_options_make_another_job(submit, other):
    assert submit().json()["id"] != submit(**other).json()["id"]


def test_another_recording_makes_another_job(submit, tone_path):
    assert submit().json()["id"] != submit(content=tone_path.read_bytes() + b"\0").json()["id"]


def test_somebody_elses_job_is_not_joined(submit, as_charlie):
    assert submit().json()["id"] != submit(client=as_charlie).json()["id"]


@pytest.mark.parametrize("status", [Status.DONE, Status.FAILED, Status.CANCELLED])
def test_a_job_that_is_over_is_not_joined(submit, status):
    first = submit()
    finish(status)
    assert first.json()["id"] != submit().json()["id"]


def test_a_job_that_is_being_cancelled_is_not_joined(submit):
    first = submit()
    Job.objects.update(cancel_requested=True)
    assert first.json()["id"] != submit().json()["id"]


class TestWhoSaysThatItIsRetrying:
    def test_joins_what_was_done_within_ten_minutes(self, submit):
        first = submit()
        finish(ago_seconds=590)
        assert first.json()["id"] == submit(retry_count="1").json()["id"]
        assert Job.objects.count() == 1

    def test_gets_a_new_job_after_that(self, submit):
        first = submit()
        finish(ago_seconds=610)
        assert first.json()["id"] != submit(retry_count="1").json()["id"]

    @pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED])
    def test_gets_a_new_job_where_the_first_came_to_nothing(self, submit, status):
        first = submit()
        finish(status)
        assert first.json()["id"] != submit(retry_count="2").json()["id"]

    @pytest.mark.parametrize("count", ["0", "-1", "x", ""])
    def test_has_to_say_so(self, submit, count):
        first = submit()
        finish()
        assert first.json()["id"] != submit(retry_count=count).json()["id"]


class TestIdempotencyKey:
    @pytest.mark.parametrize("status", [None, Status.DONE, Status.FAILED, Status.CANCELLED])
    def test_the_same_request_is_the_same_job_whatever_became_of_it(self, submit, status):
        first = submit(key="abc")
        if status:
            finish(status, ago_seconds=100_000)
        assert_one_job_and_one_charge(first, submit(key="abc"))

    def test_another_body_is_refused_and_changes_nothing(self, submit):
        submit(key="abc")
        second = submit(key="abc", language="ru")
        assert (second.status_code, second.json()["code"]) == (422, "idempotency_key_reused")
        assert Job.objects.count() == LedgerEntry.objects.count() == len(stored_recordings()) == 1

    def test_another_key_makes_another_job_of_the_same_recording(self, submit):
        assert submit(key="abc").json()["id"] != submit(key="abd").json()["id"] != submit().json()["id"]
        assert Job.objects.count() == 3

    def test_keys_are_each_owners_own(self, submit, as_charlie):
        assert submit(key="abc").json()["id"] != submit(client=as_charlie, key="abc", language="ru").json()["id"]

    @pytest.mark.parametrize("key", ["x" * 256, "ключ", "a\tb"])
    def test_a_key_that_is_none_is_refused(self, submit, key):
        answer = submit(key=key)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_idempotency_key")
        assert not Job.objects.exists()


class TestRaces:
    """Both requests looked for a job to join before the other one made it: the unique index decides."""

    @pytest.mark.parametrize("key", ["", "abc"])
    def test_the_slower_one_joins(self, submit, monkeypatch, key):
        first = submit(key=key)
        look, looks = submission._join, []

        def look_too_early(**asked):
            looks.append(asked)
            return None if len(looks) == 1 else look(**asked)

        monkeypatch.setattr(submission, "_join", look_too_early)
        assert_one_job_and_one_charge(first, submit(key=key))
        assert len(looks) == 2

    def test_a_failed_job_is_not_run_again_beside_an_identical_one(self, submit):
        first = submit()
        finish(Status.FAILED)
        second = submit()
        failed = Job.objects.get(pk=first.json()["id"])
        with pytest.raises(Refused) as refusal:
            services.retry_job(job=failed)
        assert refusal.value.code == "already_running"
        failed.refresh_from_db()
        assert (failed.status, failed.run) == (Status.FAILED, 1)
        assert Job.objects.get(pk=second.json()["id"]).status == Status.PENDING


def test_who_joins_keeps_an_abandoned_job_alive(alice, submit):
    submit()
    Job.objects.update(waited_for=True, cancel_at=timezone.now())
    submit()
    job = Job.objects.get()
    assert (job.waited_for, job.cancel_at) == (False, None)


def test_one_who_waits_leaves_it_a_job_that_is_waited_for(alice, submit):
    submit()
    Job.objects.update(waited_for=True, cancel_at=timezone.now())
    fingerprint = Job.objects.get().fingerprint
    assert submission._join(owner=alice, fingerprint=fingerprint, origin=Origin(waits=True))
    job = Job.objects.get()
    assert (job.waited_for, job.cancel_at) == (True, None)


def test_the_fingerprint_is_of_all_options():
    plain = fingerprint_of(sha256="a", options=Options())
    assert plain == fingerprint_of(sha256="a", options=Options.of(Options().as_json()))
    assert plain != fingerprint_of(sha256="b", options=Options())
    assert plain != fingerprint_of(sha256="a", options=Options(delete_after_seconds=5))

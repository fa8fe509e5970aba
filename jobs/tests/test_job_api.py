"""GET /jobs, GET and DELETE /jobs/{id}, POST /jobs/{id}/cancel."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import LedgerEntry
from jobs import lifecycle
from jobs.errors import LeaseLost
from jobs.models import Job, Stage, Status, TranscriptPart

pytestmark = pytest.mark.django_db


def test_the_list_is_mine_and_newest_first(as_alice, make_job, charlie):
    mine = [make_job(reserved_ms=1) for _ in range(3)]
    make_job(reserved_ms=1, owner=charlie)
    answer = as_alice.get("/jobs").json()
    assert [job["id"] for job in answer["results"]] == [job.pk for job in reversed(mine)]
    assert "transcript" not in answer["results"][0]


def test_pages_are_walked_by_cursor(as_alice, make_job):
    jobs = [make_job(reserved_ms=1) for _ in range(5)]
    seen, address = [], "/jobs?page_size=2"
    while address:
        page = as_alice.get(address).json()
        seen += [job["id"] for job in page["results"]]
        address = page["next"]
    assert seen == [job.pk for job in reversed(jobs)]


def test_a_running_job_shows_its_transcript_so_far(as_alice, make_job):
    job = make_job()
    for position, word in enumerate(("hello", "world")):
        segment = {"id": position, "start": position, "end": position + 0.9, "text": word}
        TranscriptPart.objects.create(job=job, position=position, text=word, segments=[segment])
    answer = as_alice.get(f"/jobs/{job.pk}").json()
    assert answer["transcript"] == "hello world"
    assert [segment["text"] for segment in answer["segments"]] == ["hello", "world"]


@pytest.mark.parametrize("path", ["/jobs/{id}", "/jobs/{id}/cancel"])
@pytest.mark.parametrize("method", ["get", "delete", "post"])
def test_another_users_job_is_unknown_and_stays_as_it_is(as_charlie, make_job, path, method):
    job = make_job()
    before = Job.objects.values().get()
    response = getattr(as_charlie, method)(path.format(id=job.pk))
    assert response.status_code in {404, 405}
    if (path, method) in {("/jobs/{id}", "get"), ("/jobs/{id}", "delete"), ("/jobs/{id}/cancel", "post")}:
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert Job.objects.values().get() == before


@pytest.mark.parametrize(
    "address", ["/jobs/abc", "/jobs/-1", "/jobs/999999999", "/jobs/1.5", "/jobs/99999999999999999999"]
)
def test_an_address_that_is_no_job_is_404(as_alice, address):
    response = as_alice.get(address)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_nobody_sees_anything(api, make_job):
    job = make_job()
    for address in ("/jobs", f"/jobs/{job.pk}"):
        assert api.get(address).status_code == 401


class TestCancel:
    def test_a_waiting_job_is_cancelled_and_refunded_at_once(self, as_alice, make_job):
        job = make_job()
        response = as_alice.post(f"/jobs/{job.pk}/cancel")
        assert (response.status_code, response.json()["status"]) == (202, "cancelled")
        assert LedgerEntry.objects.filter(job_id=job.pk, kind="release", ms=10_000).exists()

    def test_a_held_job_is_asked_to_stop(self, as_alice, make_job):
        job = make_job()
        held = lifecycle.claim_job(job_id=job.pk, stage=Stage.PROBE, holder="here:1:2")
        assert as_alice.post(f"/jobs/{job.pk}/cancel").json()["status"] == "processing"
        assert lifecycle.renew(held)

    @pytest.mark.parametrize("status", [Status.DONE, Status.FAILED, Status.CANCELLED])
    def test_a_finished_job_is_a_conflict(self, as_alice, make_job, status):
        job = make_job()
        Job.objects.update(status=status, stage=None)
        response = as_alice.post(f"/jobs/{job.pk}/cancel")
        assert (response.status_code, response.json()["code"]) == (409, "already_finished")
        job.refresh_from_db()
        assert (job.status, job.cancel_requested) == (status, False)


class TestRetry:
    @pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED])
    def test_a_job_that_came_to_nothing_runs_again_with_a_reservation(self, as_alice, make_job, status, alice):
        job = make_job()
        lifecycle.fail(lifecycle.claim_job(job_id=job.pk, stage=Stage.PROBE, holder="x:1:2"), code="x", message="y")
        Job.objects.update(status=status)
        answer = as_alice.post(f"/jobs/{job.pk}/retry")
        assert (answer.status_code, answer.json()["status"], answer.json()["error"]) == (202, "pending", None)
        alice.quota.refresh_from_db()
        assert (Job.objects.get().run, alice.quota.reserved_ms) == (2, 10_000)

    @pytest.mark.parametrize("status", [Status.PENDING, Status.PROCESSING, Status.DONE])
    def test_any_other_is_a_conflict_and_stays_as_it_is(self, as_alice, make_job, status):
        job = make_job(status=status)
        answer = as_alice.post(f"/jobs/{job.pk}/retry")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_retryable")
        job.refresh_from_db()
        assert (job.status, job.run) == (status, 1)


class TestDelete:
    def test_it_removes_the_recording_and_keeps_the_ledger(self, as_alice, make_job):
        key = default_storage.save("uploads/test/source", ContentFile(b"sound"))
        job = make_job(source_key=key)
        assert as_alice.delete(f"/jobs/{job.pk}").status_code == 204
        assert not Job.objects.exists()
        assert not default_storage.exists(key)
        assert list(LedgerEntry.objects.order_by("id").values_list("kind", flat=True)) == ["reserve", "release"]

    def test_a_running_job_is_cancelled_first(self, as_alice, make_job, alice):
        job = make_job()
        held = lifecycle.claim_job(job_id=job.pk, stage=Stage.PROBE, holder="here:1:2")
        assert as_alice.delete(f"/jobs/{job.pk}").status_code == 204
        with pytest.raises(LeaseLost):
            lifecycle.complete(held)
        alice.quota.refresh_from_db()
        assert (alice.quota.used_ms, alice.quota.reserved_ms) == (0, 0)

    def test_the_address_is_unknown_afterwards(self, as_alice, make_job):
        job = make_job()
        as_alice.delete(f"/jobs/{job.pk}")
        assert as_alice.delete(f"/jobs/{job.pk}").status_code == 404


class TestInABrowser:
    @pytest.fixture
    def browser(self, client, alice):
        client.force_login(alice)
        return client

    @pytest.mark.parametrize("address", ["/jobs", "/jobs/{id}", "/me/usage"])
    def test_the_pages_open_with_a_session(self, browser, make_job, address):
        job = make_job()
        response = browser.get(address.format(id=job.pk), headers={"Accept": "text/html"})
        assert response.status_code == 200
        assert "text/html" in response.headers["Content-Type"]

    @pytest.mark.parametrize("address", ["/auth/register", "/auth/login", "/jobs/{id}/cancel"])
    def test_the_pages_that_only_take_posts_show_their_form(self, browser, make_job, address):
        job = make_job()
        response = browser.get(address.format(id=job.pk), headers={"Accept": "text/html"})
        assert response.status_code == 405
        assert "POST" in response.content.decode()

    def test_the_form_is_still_the_upload_form_after_an_upload(self, browser, tone_path):
        file = SimpleUploadedFile("tone.flac", tone_path.read_bytes())
        response = browser.post("/jobs", {"file": file}, headers={"Accept": "text/html"})
        assert response.status_code == 202
        assert 'type="file"' in response.content.decode()
        assert 'name="uid"' not in response.content.decode()

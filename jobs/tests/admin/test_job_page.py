"""The page of one job: everything about it, and nothing to edit."""

import pytest
from django.apps import apps
from django.db.models.functions import Now

from jobs import lifecycle
from jobs.admin import job_page
from jobs.models import Job, JobEvent, TranscriptPart
from jobs.tests.admin.pages import JOBS, facts, page_of, told
from jobs.tests.chunks import cut, finish, hold

pytestmark = pytest.mark.django_db


class TestThePageOfAJob:
    def test_it_tells_the_whole_story(self, admin_client, done):
        segments = [{"id": 0, "start": 3661.5, "end": 3662.25, "text": " Say <script>alert(1)</script> & go."}]
        TranscriptPart.objects.create(job=done, position=0, text="x", segments=segments)
        report = apps.get_model("reports.Report")  # by name: nothing in jobs imports reports
        report.objects.create(job=done, summary="A short talk.", key_points=["It was short"], topics=["talks"])
        page = admin_client.get(page_of(done))
        assert [event.kind for event in page.context["events"]] == ["claimed", "done"]
        assert [entry.kind for entry in page.context["ledger"]] == ["reserve", "settle"]
        for text in ("1:01:01.500", "1:01:02.250", "A short talk.", "It was short", "No speech was found", "10.000"):
            assert text in page.text
        assert "Say &lt;script&gt;alert(1)&lt;/script&gt; &amp; go." in page.text
        assert "alert(1)</script>" not in page.text

    def test_an_error_is_shown_escaped(self, admin_client, failed):
        page = admin_client.get(page_of(failed)).text
        assert "unsupported_media" in page
        assert "Send &lt;b&gt;audio&lt;/b&gt;." in page

    def test_it_says_who_holds_the_job(self, admin_client, held):
        assert "here:1:2" in admin_client.get(page_of(held)).text

    def test_a_removed_job_shows_its_receipt(self, admin_client, done):
        Job.objects.filter(pk=done.pk).update(removed_at=Now(), receipt={"reason": "retention", "segments": 12})
        page = admin_client.get(page_of(done)).text
        for text in ("Recording and results were removed", "It was removed.", "&quot;segments&quot;: 12"):
            assert text in page

    def test_a_long_transcript_is_cut_with_a_note(self, admin_client, done, monkeypatch):
        monkeypatch.setattr(job_page, "MAX_SEGMENTS", 15)
        for position in range(2):
            spoken = [{"start": 10 * position + n, "end": 10 * position + n + 1, "text": f"w{n}"} for n in range(10)]
            TranscriptPart.objects.create(job=done, position=position, text="", segments=spoken)
        page = admin_client.get(page_of(done))
        assert len(page.context["lines"]) == 15
        assert "Only the first 15 segments are shown" in page.text
        monkeypatch.setattr(job_page, "MAX_SEGMENTS", 20)
        assert "Only the first" not in admin_client.get(page_of(done)).text

    def test_a_long_timeline_shows_its_newest_events_in_order(self, admin_client, done, monkeypatch):
        monkeypatch.setattr(job_page, "MAX_EVENTS", 3)
        for number in range(5):
            JobEvent.objects.create(job=done, kind=f"event {number}")
        page = admin_client.get(page_of(done))
        assert [event.kind for event in page.context["events"]] == ["event 2", "event 3", "event 4"]

    def test_no_column_can_be_edited_even_by_a_superuser(self, admin_client, make_job):
        job = make_job()
        page = admin_client.get(page_of(job)).text
        assert 'name="_save"' not in page
        before = facts()
        assert admin_client.post(page_of(job), {"filename": "x", "status": "done"}).status_code == 403
        assert admin_client.get(f"{JOBS}add/").status_code == 403
        assert admin_client.post(f"{JOBS}add/", {"filename": "x"}).status_code == 403
        assert facts() == before

    def test_a_job_that_is_gone_is_said_to_be_gone(self, admin_client, make_job):
        job = make_job()
        address = page_of(job)
        job.delete()
        assert "Perhaps it was deleted?" in told(admin_client.get(address, follow=True))

    def test_it_shows_the_chunks_and_who_is_at_them(self, admin_client, make_job):
        job = make_job(reserved_ms=40_000)
        cut(job, 4)
        finish(lifecycle.claim_chunk(hold(job), holder="here:1:2"))
        lifecycle.claim_chunk_to_help(job_id=job.pk, holder="there:3:4")
        page = admin_client.get(page_of(job)).text
        assert "1 of 4 chunks recognised." in page
        assert "Chunk 1: <code>there:3:4</code>" in page

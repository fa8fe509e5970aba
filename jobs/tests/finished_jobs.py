"""Finished jobs with all that a job can have, and how one looks before and after its removal."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from jobs import files, lifecycle
from jobs.clock import from_now
from jobs.models import Chunk, Job, JobTag, Stage, Status, TranscriptPart

pytestmark = pytest.mark.django_db

Report = apps.get_model("reports.Report")  # by name: nothing in jobs imports reports

HOUR = timedelta(hours=1)
SECRET = "Vlasov"
OPTIONS = {"model": "base", "language": "en", "prompt": SECRET, "hotwords": SECRET, "report": True, "tags": ["sales"]}
END = {
    Status.DONE: lambda claim: lifecycle.complete(claim),
    Status.FAILED: lambda claim: lifecycle.fail(claim, code="undecodable", message="Send audio."),
    Status.CANCELLED: lambda claim: lifecycle.cancel(claim),
}


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def finished(make_job):
    """Makes a finished job with all that a job can have. ``since`` and ``due_since``: seconds ago."""

    def make(status=Status.DONE, delete_after=HOUR, since=0, due_since=None, **fields):
        job = make_job(
            stage=Stage.TRANSCRIBE, delete_after=delete_after, options=OPTIONS,
            size_bytes=5, audio_sha256="ab" * 32, **fields,
        )  # fmt: skip
        source = default_storage.save(files.source_key(job.uid), ContentFile(b"sound"))
        default_storage.save(files.pcm_key(job.uid, job.uid), ContentFile(b"samples"))
        Job.objects.filter(pk=job.pk).update(source_key=source)
        Chunk.objects.create(job=job, position=0, start_sample=0, end_sample=160_000, speech=[[0, 9]])
        segments = [{"start": start, "end": start + 4, "text": f"{SECRET} speaks."} for start in (0, 5)]
        TranscriptPart.objects.create(job=job, position=0, text=f"{SECRET} speaks. {SECRET} speaks.", segments=segments)
        TranscriptPart.objects.create(
            job=job, position=1, text="Bye.", segments=[{"start": 9, "end": 10, "text": "Bye."}]
        )
        Report.objects.create(job=job, summary=f"{SECRET} spoke.", sentiment="neutral", writer="extractive")
        JobTag.objects.create(job=job, owner=job.owner, name="sales")
        END[status](lifecycle.claim_job(job_id=job.pk, stage=Stage.TRANSCRIBE, holder="here:1:2"))
        Job.objects.filter(pk=job.pk).update(finished_at=from_now(-since))
        if due_since is not None:
            Job.objects.filter(pk=job.pk).update(delete_at=from_now(-due_since))
        job.refresh_from_db()
        return job

    return make


@pytest.fixture
def due(finished):
    return finished(due_since=1)


def path_of(job) -> Path:
    return Path(default_storage.path(files.source_key(job.uid)))


def assert_untouched(job):
    before = (job.status, job.run, job.options, job.chunks.count(), job.delete_at)
    job.refresh_from_db()
    assert (job.status, job.run, job.options, job.chunks.count(), job.delete_at) == before
    assert (job.removed_at, job.receipt) == (None, None)
    assert path_of(job).read_bytes() == b"sound"
    assert job.parts.count() == 2
    assert job.report.summary
    assert not job.events.filter(kind="removed").exists()


def assert_removed(job):
    job.refresh_from_db()
    assert job.removed_at
    assert not path_of(job).parent.exists()
    assert not default_storage.exists(f"work/{job.uid}")
    assert (job.source_key, job.pcm_key, job.chunks.count()) == ("", "", 0)
    assert not job.parts.exists()
    assert not Report.objects.filter(job_id=job.pk).exists()
    assert job.events.filter(kind="removed").count() == 1

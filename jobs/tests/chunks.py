"""Jobs cut into chunks, without any audio behind them."""

from typing import Any

from django.db.models.functions import Now

from jobs import lifecycle
from jobs.lifecycle import Claim
from jobs.models import Chunk, Job, Stage, Status, TranscriptPart
from jobs.models.transcript_part import first_position

CHUNK_SECONDS = 10
CHUNK_SAMPLES = CHUNK_SECONDS * 16_000


def cut(job: Job, count: int) -> list[Chunk]:
    """Make the job ready for recognition: ``count`` chunks of ten seconds, one behind the other."""
    Job.objects.filter(pk=job.pk).update(
        stage=Stage.TRANSCRIBE,
        status=Status.PROCESSING,
        decoded=True,
        help_rung_at=Now(),
        engine="faulty",
        language="en",
    )
    job.refresh_from_db()
    return [
        Chunk.objects.create(
            job=job,
            position=position,
            start_sample=position * CHUNK_SAMPLES,
            end_sample=(position + 1) * CHUNK_SAMPLES,
            speech=[[0.0, CHUNK_SECONDS]],
        )
        for position in range(count)
    ]


def hold(job: Job, holder: str = "here:1:2") -> Claim:
    claim = lifecycle.claim_job(job_id=job.pk, stage=Stage.TRANSCRIBE, holder=holder)
    assert claim
    return claim


def say(claim: Any, *, end: float, count: int = 1, part: int = 0) -> None:
    """Save ``count`` segments of the chunk that is held, the last of which ends ``end`` seconds into the recording."""
    chunk = Chunk.objects.get(pk=claim.chunk_id)
    first_id = chunk.first_id + part * count
    done_samples = round(end * 16_000) - chunk.start_sample
    with lifecycle.saving_chunk(claim, done_samples=done_samples):
        segments = [{"id": first_id + number, "start": end - 1, "end": end, "text": "x"} for number in range(count)]
        position = first_position(chunk.position) + part
        TranscriptPart.objects.create(job_id=claim.job_id, position=position, text="x", segments=segments)


def finish(claim: Any, *, count: int = 1) -> None:
    """Save ``count`` segments of the chunk that is held, and finish it."""
    say(claim, end=Chunk.objects.get(pk=claim.chunk_id).end_sample / 16_000, count=count)
    lifecycle.finish_chunk(claim, segments=count, work_seconds=1)

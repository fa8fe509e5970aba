"""The moves of a chunk: claimed by compare-and-set, written under its token, finished once.

Whoever holds the job holds its chunks by the job's own token, without a lease beside the job's: when the job is taken
from it, its chunk is free. A helper has a token and a lease of its own, and what it does stays valid when the job
changes hands meanwhile. No chunk that is finished is ever claimed again.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Now

from jobs.clock import from_now
from jobs.errors import CancelRequested, LeaseLost
from jobs.lifecycle.claims import LET_GO, Claim, writing
from jobs.lifecycle.finished_part import number_segments
from jobs.models import Chunk, Job, JobEvent, Stage, Status, TranscriptPart
from jobs.models.chunk import SAMPLES
from jobs.models.transcript_part import in_chunk
from jobs.outages import through_outages
from jobs.shares import record_audio

PROGRESS_FROM, PROGRESS_TO = 0.05, 0.95
"""Of the whole job's progress, what recognition takes it through."""

PROVISIONAL_IDS = 1_000_000
"""Ids of a chunk's segments while chunks before it are unfinished, and nobody knows how many theirs will be."""


_FREE_FOR_THE_HOLDER = Q(token=None) | Q(lease_until=None) | Q(lease_until__lt=Now())
"""Without a lease: its own, of a claim whose answer was lost, or one of a holder before it."""


@dataclass(frozen=True, slots=True)
class ChunkClaim:
    """The right to recognise one chunk. ``job_claim`` is the job's, None for a helper."""

    job_id: int
    run: int
    chunk_id: int
    token: uuid.UUID
    job_claim: Claim | None

    @property
    def stage(self) -> Stage:
        return Stage.TRANSCRIBE

    @property
    def row(self) -> QuerySet[Chunk]:
        return Chunk.objects.filter(pk=self.chunk_id, token=self.token)

    def lost(self) -> LeaseLost:
        return LeaseLost(f"a chunk of job {self.job_id} is no longer held by this worker")


@through_outages
def claim_chunk(job_claim: Claim, *, holder: str) -> ChunkClaim | None:
    """As the job's holder: take the first chunk that nobody works on; None when there is none.

    Raises ``LeaseLost`` and ``CancelRequested``.
    """
    with writing(job_claim):
        taken = _take(job_claim.job_id, _FREE_FOR_THE_HOLDER, token=job_claim.token, holder=holder, lease_seconds=None)
        if taken is None:
            return None
        return ChunkClaim(job_claim.job_id, job_claim.run, taken, job_claim.token, job_claim)


@through_outages
def claim_chunk_to_help(*, job_id: int, holder: str) -> ChunkClaim | None:
    """As somebody else: take a chunk of a job in recognition; None when there is nothing to help with.

    Also while nobody holds the job: who takes it next finds that much done.
    """
    with transaction.atomic():
        job = _open_to_help().select_for_update().filter(pk=job_id, cancel_requested=False).only("run", "token").first()
        if job is None:
            return None
        # A holder's chunk is free once the job has another holder, or none.
        held_before = Q(lease_until=None) if job.token is None else Q(lease_until=None) & ~Q(token=job.token)
        free = Q(token=None) | held_before | Q(lease_until__lt=Now())
        token = uuid.uuid4()
        taken = _take(job_id, free, token=token, holder=holder, lease_seconds=settings.JOB_LEASE_SECONDS)
        if taken is None:
            return None
        detail = f"chunk {Chunk.objects.values_list('position', flat=True).get(pk=taken)} by {holder}"
        JobEvent.objects.create(job_id=job_id, run=job.run, stage=Stage.TRANSCRIBE, kind="helped", detail=detail[:500])
        return ChunkClaim(job_id, job.run, taken, token, None)


def renew_chunk(claim: ChunkClaim) -> bool:
    """As a helper: prolong the lease; True when the job's owner asked to cancel. Raises ``LeaseLost``."""
    if not claim.row.update(lease_until=from_now(settings.JOB_LEASE_SECONDS)):
        raise claim.lost()
    return is_chunk_unwanted(claim)


def is_chunk_unwanted(claim: ChunkClaim) -> bool:
    """As a helper: whether the job's owner asked to cancel; nothing is written. Raises ``LeaseLost``."""
    if not claim.row.exists():
        raise claim.lost()
    return _is_cancelled(claim, _open_to_help())


@through_outages
def release_chunk(claim: ChunkClaim) -> None:
    """Let go of a chunk that is not finished. What is saved of it stays readable until somebody begins it again."""
    if not claim.row.update(**LET_GO):
        raise claim.lost()


@contextmanager
def saving_chunk(claim: ChunkClaim, *, done_samples: int | None = None) -> Iterator[None]:
    """A transaction in which a chunk's holder may save results. Raises ``LeaseLost`` or ``CancelRequested`` first.

    All who write lock the job's row first, then the chunk's: a cancel does the same, and nobody waits in a circle.
    """
    done = F("done_samples") if done_samples is None else done_samples
    with transaction.atomic():
        if claim.job_claim:
            with writing(claim.job_claim):
                changed = claim.row.update(done_samples=done)
        else:
            if _is_cancelled(claim, _open_to_help().select_for_update()):
                raise CancelRequested(f"job {claim.job_id} was cancelled by its owner")
            lease_until = from_now(settings.JOB_LEASE_SECONDS)
            changed = claim.row.update(done_samples=done, lease_until=lease_until)
        if not changed:
            raise claim.lost()
        yield
        Job.objects.filter(pk=claim.job_id).update(progress=progress_of(claim.job_id))


@through_outages
def finish_chunk(claim: ChunkClaim, *, segments: int, work_seconds: float) -> None:
    """The chunk is done, once and for all; its audio counts for its owner's share. Raises as ``saving_chunk``."""
    chunk = claim.row.select_related("job").defer("speech").first()
    if chunk is None:
        raise claim.lost()
    with saving_chunk(claim, done_samples=chunk.samples):
        done = {"segments": segments, "work_ms": round(work_seconds * 1000), "finished_at": Now()}
        if not claim.row.update(**done, **LET_GO):
            raise claim.lost()
        if claim.job_claim:
            # What made earlier attempts crash was not the recording as a whole. A chunk counts its own crashes.
            claim.job_claim.move(crashes=0, transient_failures=0)
        number_segments(claim.job_id, unfinished=False)
        record_audio(owner_id=chunk.job.owner_id, samples=chunk.samples)


def are_chunks_left(job_id: int) -> bool:
    """Whether any chunk of the job is not finished."""
    return Chunk.objects.filter(job_id=job_id, finished_at=None).exists()


def is_chunk_free(job_id: int) -> bool:
    """Whether the job's holder, having none, could take a chunk now."""
    return Chunk.objects.filter(_FREE_FOR_THE_HOLDER, job_id=job_id, finished_at=None).exists()


def begin_chunks_again(job_id: int) -> None:
    """Forget all results, in the transaction of whoever holds the job: they would not fit to what follows."""
    TranscriptPart.objects.filter(job_id=job_id).delete()
    fresh = {"done_samples": 0, "work_ms": 0, "segments": 0, "first_id": 0, "finished_at": None}
    Chunk.objects.filter(job_id=job_id).update(**fresh, **LET_GO)


def progress_of(job_id: int) -> float:
    """The job's progress (0..1) by what its chunks have behind them."""
    sums = Chunk.objects.filter(job_id=job_id).aggregate(done=Sum("done_samples"), all=Sum(SAMPLES))
    share = min(1.0, (sums["done"] or 0) / max(1, sums["all"] or 0))
    return round(PROGRESS_FROM + share * (PROGRESS_TO - PROGRESS_FROM), 4)


def _take(job_id: int, free: Q, *, token: uuid.UUID, holder: str, lease_seconds: float | None) -> int | None:
    """Compare and set: the first free chunk whose holder is still the one that was seen. Its id."""
    chunks = Chunk.objects.filter(job_id=job_id, finished_at=None)
    for seen in chunks.filter(free).order_by("position").only("position", "token")[:8]:
        changed = chunks.filter(free, pk=seen.pk, token=seen.token).update(
            token=token,
            holder=holder[:120],
            lease_until=None if lease_seconds is None else from_now(lease_seconds),
            claims=F("claims") + 1,
            done_samples=0,
            first_id=_first_id(job_id, seen.position),
        )
        if changed:
            TranscriptPart.objects.filter(in_chunk(seen.position), job_id=job_id).delete()
            return seen.pk
    return None


def _first_id(job_id: int, position: int) -> int:
    before = Chunk.objects.filter(job_id=job_id, position__lt=position)
    if before.filter(finished_at=None).exists():
        return position * PROVISIONAL_IDS
    return before.aggregate(count=Sum("segments"))["count"] or 0


def _is_cancelled(claim: ChunkClaim, jobs: QuerySet[Job]) -> bool:
    asked = jobs.filter(pk=claim.job_id, run=claim.run).values_list("cancel_requested", flat=True).first()
    if asked is None:
        raise claim.lost()
    return asked


def _open_to_help() -> QuerySet[Job]:
    """Jobs in recognition whose engine, model and language are known; also those that wait for their next holder."""
    return Job.objects.filter(stage=Stage.TRANSCRIBE, status=Status.PROCESSING, help_rung_at__isnull=False)

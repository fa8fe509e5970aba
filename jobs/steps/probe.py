"""First stage: the judge of the recording. Decode it once, learn its true length, fit the budget, cut it in silence."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import transaction

from accounts import quota
from jobs import files, lifecycle, pipeline
from jobs.audio.decode import Decoded, decode_pcm, samples_to_ms
from jobs.audio.ffmpeg import BYTES_PER_SAMPLE
from jobs.audio.plan import Chunk as PlannedChunk
from jobs.audio.plan import plan_chunks
from jobs.audio.probe import Header, probe_header
from jobs.audio.stretch import stretch_pcm
from jobs.audio.trim import Trim
from jobs.audio.vad import SpeechFollower, find_speech
from jobs.engines.base import Clip
from jobs.errors import InputFault
from jobs.lease import LeaseKeeper
from jobs.models import Chunk, Job, Stage, TranscriptPart
from jobs.notices import notice
from jobs.options import Options
from jobs.outages import through_outages

logger = logging.getLogger(__name__)

TOLERANCE_MS = 100
"""Decoders add a little padding; a budget that misses by less is taken to reach."""


def probe_recording(job: Job, keeper: LeaseKeeper) -> None:
    """Turn the upload into chunks of decoded samples with known speech, or fail it for a reason its owner can act on.

    The stretch that the owner chose is what is charged; what VAD and engine hear is that stretch at the speed asked
    for. Raises ``InputFault`` and ``AudioLimitExceeded``; ends with ``advance`` otherwise.
    """
    options = Options.of(job.options)
    trim = Trim(options.trim_start, options.trim_seconds)
    with files.work_folder() as folder, files.local_copy(job.source_key, folder) as source:
        header = probe_header(source)
        keeper.beat()
        pcm = folder / "audio.pcm"
        listener = _Listener(pcm, keeper)
        along = options.speed == 1
        duration_ms, decoded = _decode(job, source, pcm, trim, listener.beat if along else keeper.beat)
        speech = listener.finish() if along else _speech_at(options.speed, pcm, keeper)
        chunks = plan_chunks(pcm, speech, chunk_seconds=settings.CHUNK_SECONDS, everything=not options.vad_filter)
        with _stored(job, keeper, pcm, chunks) as key:
            warnings = _warnings(header, trim, decoded, chunks)
            _advance(job, keeper, key=key, duration_ms=duration_ms, chunks=chunks, warnings=warnings)


@contextmanager
def _stored(job: Job, keeper: LeaseKeeper, pcm: Path, chunks: list[PlannedChunk]) -> Iterator[str]:
    """Each chunk as an object of its own, since many storages cannot be read by range; what the keys begin with.

    Empty where there are none. What was stored is removed again where the block fails.
    """
    key = files.pcm_key(job.uid, keeper.claim.token) if chunks else ""
    stored: list[str] = []
    try:
        for position, chunk in enumerate(chunks):
            first, end = (sample * BYTES_PER_SAMPLE for sample in (chunk.start_sample, chunk.end_sample))
            stored.append(files.store_range(pcm, files.chunk_key(key, position), first_byte=first, end_byte=end))
            keeper.beat()
        yield key
    except BaseException:
        for name in stored:
            files.remove_stored(name)
        raise


class _Listener:
    """Listens for speech along with the decoder, which has a processor of its own where there are two."""

    def __init__(self, pcm: Path, keeper: LeaseKeeper) -> None:
        self._pcm, self._keeper = pcm, keeper
        self._follower = SpeechFollower(pcm)

    def beat(self) -> None:
        """What the decoder calls while it works."""
        self._keeper.beat()
        if self._pcm.exists():
            self._follower.hear_more()

    def finish(self) -> list[Clip]:
        """The speech in all that was decoded."""
        while self._follower.hear_more():
            self._keeper.beat()
        return self._follower.finish()


def _decode(job: Job, source: Path, target: Path, trim: Trim, beat: Callable[[], None]) -> tuple[int, Decoded]:
    """Decode within what the budget allows; the true duration, in ms. The decoder stops where the budget does."""
    if trim.start_seconds >= settings.MAX_AUDIO_SECONDS:  # it bounds the work, also on what is skipped
        raise InputFault(
            f"trim_start is {trim.start_seconds:g} s, but recordings of at most {settings.MAX_AUDIO_SECONDS / 3600:g} "
            "hours are taken. Choose an earlier start.",
            code="trim_start_past_end",
        )
    reserved_ms = quota.reserved_for(job_id=job.pk, run=job.run)
    remaining_ms = quota.remaining_ms(account_id=job.owner_id)
    longest_ms = settings.MAX_AUDIO_SECONDS * 1000
    allowed_ms = longest_ms if remaining_ms is None else min(longest_ms, reserved_ms + remaining_ms)
    cap_seconds = (allowed_ms + 10 * TOLERANCE_MS) / 1000
    decoded = decode_pcm(source, target, cap_seconds=cap_seconds, trim=trim, beat=beat)
    duration_ms = samples_to_ms(decoded.samples)
    if duration_ms > longest_ms + TOLERANCE_MS:
        raise InputFault(
            f"The recording is longer than {settings.MAX_AUDIO_SECONDS / 3600:g} hours. Split it and upload the parts.",
            code="recording_too_long",
        )
    if duration_ms > allowed_ms + TOLERANCE_MS:
        raise quota.limit_exceeded(account_id=job.owner_id, duration_ms=duration_ms)
    return min(duration_ms, allowed_ms), decoded


def _speech_at(speed: float, pcm: Path, keeper: LeaseKeeper) -> list[Clip]:
    """Put the samples as they sound at ``speed`` in the place of ``pcm``; the speech in them."""
    stretched = pcm.with_name("stretched.pcm")
    stretch_pcm(pcm, stretched, speed=speed, beat=keeper.beat)
    stretched.replace(pcm)
    return find_speech(pcm, beat=keeper.beat)


@through_outages
def _advance(
    job: Job,
    keeper: LeaseKeeper,
    *,
    key: str,
    duration_ms: int,
    chunks: list[PlannedChunk],
    warnings: list[dict[str, str]],
) -> None:
    with transaction.atomic():
        lifecycle.advance(
            keeper.claim,
            pipeline.stage_after(job, Stage.PROBE) or Stage.TRANSCRIBE,
            duration_ms=duration_ms,
            decoded=True,
            pcm_key=key,
            help_rung_at=None,
            warnings=warnings,
            progress=lifecycle.PROGRESS_FROM,
        )
        TranscriptPart.objects.filter(job_id=job.pk).delete()
        Chunk.objects.filter(job_id=job.pk).delete()
        Chunk.objects.bulk_create(
            Chunk(
                job_id=job.pk,
                position=position,
                start_sample=chunk.start_sample,
                end_sample=chunk.end_sample,
                speech=[[round(clip.start, 7), round(clip.end, 7)] for clip in chunk.speech],
            )
            for position, chunk in enumerate(chunks)
        )
        quota.fit_reservation(account_id=job.owner_id, job_id=job.pk, run=job.run, duration_ms=duration_ms)


def _warnings(header: Header, trim: Trim, decoded: Decoded, chunks: list[PlannedChunk]) -> list[dict[str, str]]:
    found = []
    expected_seconds = trim.of(header.duration_seconds or 0.0)
    if samples_to_ms(decoded.samples) / 1000 < 0.9 * expected_seconds - 1:
        found.append(notice("shorter_than_its_header"))
    elif not decoded.is_whole:
        found.append(notice("damaged"))
    if not chunks:
        found.append(notice("no_speech"))
    return found

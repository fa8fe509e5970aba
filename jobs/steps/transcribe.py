"""Second stage: the chunks of the recording are recognised, by the job's holder and by whoever helps."""

import logging
import time
from dataclasses import replace

import numpy as np

from jobs import bell, files, lifecycle, pipeline
from jobs.clock import from_now
from jobs.engines.base import SAMPLE_RATE, Audio, Clip, TranscriptionInfo
from jobs.errors import TurnOver
from jobs.lease import LeaseKeeper
from jobs.models import Job, Stage
from jobs.notices import notice
from jobs.outages import through_outages
from jobs.processes import slot_name
from jobs.steps.chunk import Recogniser, load_audio, load_model, open_recogniser, recognise_chunk

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
"""How often a holder without a chunk looks whether its helpers have finished theirs."""
TURN_SECONDS = 2.0
"""How often it asks meanwhile whether somebody else is due."""
LANGUAGE_SECONDS = 60.0
"""Speech that is listened to for its language, from as many chunks as that takes."""
LONG_AGO_SECONDS = 86_400.0
NOTHING: Audio = np.empty(0, dtype=np.float32)


def transcribe_recording(job: Job, keeper: LeaseKeeper) -> None:
    """Have all chunks of the job recognised and hand it on. A recording without speech has none and needs no engine."""
    if job.chunks.exists():
        _recognise(job, keeper)
    following = pipeline.stage_after(job, Stage.TRANSCRIBE)
    if following:
        lifecycle.advance(keeper.claim, following, progress=lifecycle.PROGRESS_TO)
    else:
        lifecycle.complete(keeper.claim)
    files.remove_work_files(job)


def _recognise(job: Job, keeper: LeaseKeeper) -> None:
    recogniser = open_recogniser(job)
    load_model(recogniser, keeper)
    if not _is_begun(job, recogniser):
        _begin(job, keeper, recogniser)
    while lifecycle.are_chunks_left(job.pk):
        _mind_others(job)
        claim = lifecycle.claim_chunk(keeper.claim, holder=slot_name())
        if claim:
            info = recognise_chunk(job, claim, recogniser, keeper)
            if job.help_rung_at is None:
                _open_to_help(job, keeper, info)
        else:
            _wait_for_helpers(job, keeper)
    _forget_language_of_nothing(job, keeper)


def _is_begun(job: Job, recogniser: Recogniser) -> bool:
    """Whether what an earlier holder began can be gone on with: by the same engine, with the same model."""
    same = (job.engine, job.model) == (recogniser.engine.name, recogniser.request.model)
    return same and job.help_rung_at is not None


def _begin(job: Job, keeper: LeaseKeeper, recogniser: Recogniser) -> None:
    """Find out the language, say who is at work, and let others help."""
    audio, speech = _first_speech(job) if recogniser.request.language is None else (NOTHING, ())
    info = recogniser.engine.detect_language(audio, replace(recogniser.request, speech=speech))
    keeper.beat()
    _say_who_is_at_work(job, keeper, recogniser, info)
    if info.language is not None:
        _open_to_help(job, keeper, info)


@through_outages
def _say_who_is_at_work(job: Job, keeper: LeaseKeeper, recogniser: Recogniser, info: TranscriptionInfo) -> None:
    """Forget what another engine had saved: half of it would be of the one, half of the other."""
    known = {warning.get("code") for warning in job.warnings}
    warnings = [*job.warnings, *(notice(code) for code in info.warnings if code not in known)]
    begun = {"engine": recogniser.engine.name, "model": recogniser.request.model, "language": info.language}
    with lifecycle.writing(keeper.claim):
        lifecycle.begin_chunks_again(job.pk)
        Job.objects.filter(pk=job.pk).update(**begun, warnings=warnings, help_rung_at=None)
    job.refresh_from_db()


@through_outages
def _open_to_help(job: Job, keeper: LeaseKeeper, info: TranscriptionInfo) -> None:
    """From now on every chunk is recognised in the same language, whoever takes it: the idle are called."""
    language = job.language or info.language
    with lifecycle.writing(keeper.claim):
        Job.objects.filter(pk=job.pk).update(language=language, help_rung_at=from_now(-LONG_AGO_SECONDS))
    job.refresh_from_db()
    bell.ring_helpers()


def _first_speech(job: Job) -> tuple[Audio, tuple[Clip, ...]]:
    """The beginning of the recording's speech, chunk after chunk, and where in these samples somebody speaks."""
    audio = NOTHING
    speech: list[Clip] = []
    for chunk in job.chunks.order_by("position").iterator(chunk_size=1):
        offset = len(audio) / SAMPLE_RATE
        audio = np.concatenate([audio, load_audio(job, chunk)])
        speech += [Clip(offset + start, offset + end) for start, end in chunk.speech]
        if sum(clip.end - clip.start for clip in speech) >= LANGUAGE_SECONDS:
            break
    return audio, tuple(speech)


def _mind_others(job: Job) -> None:
    """Raise ``TurnOver`` when a job of somebody who had less lately is to be done first."""
    if due := bell.due_before(job, slot=slot_name()):
        raise TurnOver(due.pk)


def _wait_for_helpers(job: Job, keeper: LeaseKeeper) -> None:
    """All chunks are taken: look until one is free again or all are done, and now and then whether others are due."""
    until = time.monotonic() + TURN_SECONDS
    while time.monotonic() < until and lifecycle.are_chunks_left(job.pk):
        keeper.beat()
        time.sleep(LOOK_SECONDS)
        if lifecycle.is_chunk_free(job.pk):
            return


@through_outages
def _forget_language_of_nothing(job: Job, keeper: LeaseKeeper) -> None:
    """Nobody knows in which language nothing was said."""
    if not job.parts.exists():
        with lifecycle.writing(keeper.claim):
            Job.objects.filter(pk=job.pk).update(language=None)

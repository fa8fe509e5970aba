"""Second stage: the engine reads the samples, and segments are saved as they come."""

import logging
import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from jobs import files, lifecycle, pipeline, recognition
from jobs.audio.decode import to_audio
from jobs.audio.timeline import Timeline
from jobs.engines.base import SAMPLE_RATE, Audio, Clip, Engine, TranscriptionInfo, TranscriptionRequest
from jobs.lease import LeaseKeeper
from jobs.models import Job, Stage, TranscriptPart
from jobs.notices import notice
from jobs.options import Options
from jobs.outages import through_outages
from jobs.speeds import record_speed
from jobs.stall import LOAD_SECONDS, stall_seconds
from jobs.transcript import Segment

logger = logging.getLogger(__name__)

SAVE_EVERY_SECONDS = 2.0
PROGRESS_FROM, PROGRESS_TO = 0.05, 0.95


def transcribe_recording(job: Job, keeper: LeaseKeeper) -> None:
    """Recognise the job's samples and hand it on. A recording without speech needs no engine."""
    if job.speech:
        _recognise(job, keeper)
    following = pipeline.stage_after(job, Stage.TRANSCRIBE)
    if following:
        lifecycle.advance(keeper.claim, following, progress=PROGRESS_TO)
    else:
        lifecycle.complete(keeper.claim)
    files.remove_work_files(job)


def _recognise(job: Job, keeper: LeaseKeeper) -> None:
    engine = recognition.open_engine()
    request = build_request(job, engine)
    with keeper.allowing(LOAD_SECONDS):
        engine.load(request.model)
    keeper.expect_progress_within(stall_seconds(Stage.TRANSCRIBE, engine=engine.name, model=request.model))
    keeper.beat()
    audio = _load_audio(job)
    started = time.monotonic()
    info, segments = engine.transcribe(audio, request)
    keeper.beat()
    _begin(job, keeper, engine, request, info)
    timeline = timeline_of(job, audio)
    saved = _save_as_they_come(job, keeper, map(timeline.place, segments))
    if not saved:
        _forget_language(job, keeper)
    record_speed(
        engine=engine.name,
        model=request.model,
        audio_seconds=len(audio) / SAMPLE_RATE,
        work_seconds=time.monotonic() - started,
    )


def build_request(job: Job, engine: Engine) -> TranscriptionRequest:
    """The job's options as the engine's request. Raises ``InputFault`` for what this worker's engine cannot do."""
    options = Options.of(job.options)
    recognition.check_language(options.language, engine=engine.name)
    return TranscriptionRequest(
        model=recognition.resolve_model(options.model, engine=engine.name),
        speech=tuple(Clip(start, end) for start, end in job.speech),
        language=options.language,
        task=options.task,
        prompt=options.prompt,
        hotwords=options.hotwords,
        temperature=options.temperature,
        beam_size=options.beam_size,
        vad_filter=options.vad_filter,
        word_timestamps=options.word_timestamps,
        batched=options.batched,
    )


def timeline_of(job: Job, audio: Audio) -> Timeline:
    """Where the engine's times lie in the recording that was uploaded: after what was skipped, at its own speed."""
    options = Options.of(job.options)
    heard_seconds = len(audio) / SAMPLE_RATE
    length_seconds = heard_seconds if options.speed == 1 else (job.duration_ms or 0) / 1000
    return Timeline(options.trim_start, length_seconds, heard_seconds)


def _load_audio(job: Job) -> Audio:
    with files.work_folder() as folder, files.local_copy(job.pcm_key, folder) as path:
        return to_audio(np.fromfile(path, dtype="<i2"))


@through_outages
def _begin(
    job: Job, keeper: LeaseKeeper, engine: Engine, request: TranscriptionRequest, info: TranscriptionInfo
) -> None:
    """Say who is at work, and forget what an earlier attempt had saved."""
    warnings = [*job.warnings, *(notice(code) for code in info.warnings)]
    with lifecycle.writing(keeper.claim):
        TranscriptPart.objects.filter(job_id=job.pk).delete()
        Job.objects.filter(pk=job.pk).update(
            engine=engine.name, model=request.model, language=info.language, warnings=warnings
        )


def _save_as_they_come(job: Job, keeper: LeaseKeeper, segments: Iterable[Segment]) -> int:
    waiting: list[Segment] = []
    saved, position, last_save = 0, 0, 0.0
    for segment in segments:
        keeper.beat()
        waiting.append(segment)
        if time.monotonic() - last_save >= SAVE_EVERY_SECONDS:
            _save(job, keeper, position, saved, waiting)
            saved, position, waiting, last_save = saved + len(waiting), position + 1, [], time.monotonic()
    if waiting:
        _save(job, keeper, position, saved, waiting)
    return saved + len(waiting)


@through_outages
def _save(job: Job, keeper: LeaseKeeper, position: int, first_id: int, segments: list[Segment]) -> None:
    heard_seconds = segments[-1].end - Options.of(job.options).trim_start
    done = heard_seconds * 1000 / (job.duration_ms or 1)
    progress = PROGRESS_FROM + min(1.0, done) * (PROGRESS_TO - PROGRESS_FROM)
    with lifecycle.writing(keeper.claim, progress=round(progress, 4)):
        # In place of what may be there already: a save is done again when the database went away before it answered.
        TranscriptPart.objects.update_or_create(
            job_id=job.pk,
            position=position,
            defaults={
                "text": " ".join(segment.text.strip() for segment in segments),
                "segments": [segment_json(first_id + index, segment) for index, segment in enumerate(segments)],
            },
        )


@through_outages
def _forget_language(job: Job, keeper: LeaseKeeper) -> None:
    """Nobody knows in which language nothing was said."""
    with lifecycle.writing(keeper.claim):
        Job.objects.filter(pk=job.pk).update(language=None)


def segment_json(segment_id: int, segment: Segment) -> dict[str, Any]:
    """A segment as it is stored and shown: times in seconds with milliseconds, words only where there are any."""
    fields = asdict(segment)
    words = fields.pop("words")
    shown: dict[str, Any] = {"id": segment_id, **{name: value for name, value in fields.items() if value is not None}}
    shown |= {"start": round(segment.start, 3), "end": round(segment.end, 3)}
    if words:
        shown["words"] = [word | {"start": round(word["start"], 3), "end": round(word["end"], 3)} for word in words]
    return shown

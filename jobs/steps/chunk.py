"""One chunk, from its samples to saved segments: the same work for the job's holder and for a helper."""

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from jobs import files, lifecycle, recognition
from jobs.audio.decode import to_audio
from jobs.audio.timeline import Timeline
from jobs.engines.base import SAMPLE_RATE, Audio, Clip, Engine, TranscriptionInfo, TranscriptionRequest
from jobs.engines.doubts import flag_doubtful
from jobs.lease import LeaseKeeper
from jobs.lifecycle import ChunkClaim
from jobs.models import Chunk, Job, Stage, TranscriptPart
from jobs.models.transcript_part import first_position
from jobs.notices import notice
from jobs.options import Options
from jobs.outages import through_outages
from jobs.speeds import record_speed
from jobs.stall import LOAD_SECONDS, stall_seconds
from jobs.transcript import Segment

logger = logging.getLogger(__name__)

SAVE_EVERY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Recogniser:
    """What recognises the chunks of one job: the engine with its model loaded, and what it is asked."""

    engine: Engine
    request: TranscriptionRequest

    def request_for(self, job: Job, chunk: Chunk) -> TranscriptionRequest:
        """The same of one chunk. The language is the job's, and the prompt is for the recording's beginning."""
        speech = tuple(Clip(start, end) for start, end in chunk.speech)
        language = self.request.language or job.language
        return replace(self.request, speech=speech, language=language, is_beginning=chunk.position == 0)


def open_recogniser(job: Job) -> Recogniser:
    """Engine and request of a job, before the model is loaded. Raises ``InputFault`` for what cannot be done here."""
    engine = recognition.open_engine()
    return Recogniser(engine, build_request(job, engine))


def load_model(recogniser: Recogniser, keeper: LeaseKeeper) -> None:
    """Have the model ready, however long that takes, and expect progress as quick as it is from here on."""
    engine, request = recogniser.engine, recogniser.request
    with keeper.allowing(LOAD_SECONDS):
        engine.load(request.model)
    keeper.expect_progress_within(stall_seconds(Stage.TRANSCRIBE, engine=engine.name, model=request.model))
    keeper.beat()


def build_request(job: Job, engine: Engine) -> TranscriptionRequest:
    """The job's options as the engine's request, but for a chunk's own. Raises ``InputFault``."""
    options = Options.of(job.options)
    recognition.check_language(options.language, engine=engine.name)
    return TranscriptionRequest(
        model=recognition.resolve_model(options.model, engine=engine.name),
        speech=(),
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


def recognise_chunk(job: Job, claim: ChunkClaim, recogniser: Recogniser, keeper: LeaseKeeper) -> TranscriptionInfo:
    """Recognise the chunk and save it; raises what ``keeper.beat`` raises. The segments' times are the recording's."""
    chunk = claim.row.first()
    if chunk is None:
        raise claim.lost()
    started = time.monotonic()
    audio = load_audio(job, chunk)
    info, segments = recogniser.engine.transcribe(audio, recogniser.request_for(job, chunk))
    keeper.beat()
    if info.warnings:
        add_warnings(claim, list(info.warnings))
    saved = _save_as_they_come(_Saver(job, chunk, claim), flag_doubtful(_with_beats(segments, keeper)))
    work_seconds = time.monotonic() - started
    lifecycle.finish_chunk(claim, segments=saved, work_seconds=work_seconds)
    logger.info(
        "job %s: chunk %s done, %.1f s in %.1f s", job.pk, chunk.position, len(audio) / SAMPLE_RATE, work_seconds
    )
    record_speed(
        engine=recogniser.engine.name,
        model=recogniser.request.model,
        audio_seconds=len(audio) / SAMPLE_RATE,
        work_seconds=work_seconds,
    )
    return info


def load_audio(job: Job, chunk: Chunk) -> Audio:
    """The chunk's samples."""
    key = files.chunk_key(job.pcm_key, chunk.position)
    with files.work_folder() as folder, files.local_copy(key, folder) as path:
        return to_audio(np.fromfile(path, dtype="<i2"))


@through_outages
def add_warnings(claim: ChunkClaim, codes: list[str]) -> None:
    """Add to the job's warnings what they do not say yet."""
    with lifecycle.saving_chunk(claim):
        known = Job.objects.values_list("warnings", flat=True).get(pk=claim.job_id)
        codes = [code for code in codes if code not in {warning.get("code") for warning in known}]
        if codes:
            Job.objects.filter(pk=claim.job_id).update(warnings=[*known, *map(notice, codes)])


class _Saver:
    """Writes the segments of one chunk as parts of the transcript, numbered on from the chunks before it."""

    def __init__(self, job: Job, chunk: Chunk, claim: ChunkClaim) -> None:
        self._chunk, self._claim = chunk, claim
        self._timeline = timeline_of(job, chunk)
        self._is_flagged = False
        self.saved = 0
        self._parts = 0

    def save(self, segments: list[Segment]) -> None:
        done_samples = min(round(segments[-1].end * SAMPLE_RATE), self._chunk.samples)
        first_id, position = self._chunk.first_id + self.saved, first_position(self._chunk.position) + self._parts
        speech = Clip(self._chunk.speech[0][0], self._chunk.speech[-1][1])
        placed = [self._timeline.place(fit_into(segment, speech)) for segment in segments]
        _save(self._claim, done_samples, position, first_id, placed)
        self.saved += len(segments)
        self._parts += 1
        if not self._is_flagged and any(segment.flags for segment in segments):
            self._is_flagged = True
            add_warnings(self._claim, ["possible_hallucination"])


def _with_beats(segments: Iterable[Segment], keeper: LeaseKeeper) -> Iterator[Segment]:
    for segment in segments:
        keeper.beat()
        yield segment


def _save_as_they_come(saver: _Saver, segments: Iterable[Segment]) -> int:
    waiting: list[Segment] = []
    last_save = 0.0
    for segment in segments:
        waiting.append(segment)
        if time.monotonic() - last_save >= SAVE_EVERY_SECONDS:
            saver.save(waiting)
            waiting, last_save = [], time.monotonic()
    if waiting:
        saver.save(waiting)
    return saver.saved


@through_outages
def _save(claim: ChunkClaim, done_samples: int, position: int, first_id: int, segments: list[Segment]) -> None:
    with lifecycle.saving_chunk(claim, done_samples=done_samples):
        # In place of what may be there already: a save is done again when the database went away before it answered.
        TranscriptPart.objects.update_or_create(
            job_id=claim.job_id,
            position=position,
            defaults={
                "text": " ".join(segment.text.strip() for segment in segments),
                "segments": [segment_json(first_id + index, segment) for index, segment in enumerate(segments)],
            },
        )


def timeline_of(job: Job, chunk: Chunk) -> Timeline:
    """Where the times of a chunk lie in the recording that was uploaded: after what was skipped, at its own speed."""
    options = Options.of(job.options)
    length_seconds = (job.duration_ms or 0) / 1000
    heard_seconds = length_seconds / options.speed
    return Timeline(options.trim_start, length_seconds, heard_seconds, chunk.start_sample / SAMPLE_RATE)


def fit_into(segment: Segment, clip: Clip) -> Segment:
    """``segment`` with all of its times inside ``clip``: engines round, and the next chunk may begin where it ends."""

    def inside(seconds: float) -> float:
        return min(max(seconds, clip.start), clip.end)

    words = tuple(replace(word, start=inside(word.start), end=inside(word.end)) for word in segment.words)
    return replace(segment, start=inside(segment.start), end=inside(segment.end), words=words)


def segment_json(segment_id: int, segment: Segment) -> dict[str, Any]:
    """A segment as it is stored and shown: times in seconds with milliseconds.

    Words and flags only where there are any.
    """
    fields = asdict(segment)
    words, flags = fields.pop("words"), fields.pop("flags")
    shown: dict[str, Any] = {"id": segment_id, **{name: value for name, value in fields.items() if value is not None}}
    shown |= {"start": round(segment.start, 3), "end": round(segment.end, 3)}
    if words:
        shown["words"] = [word | {"start": round(word["start"], 3), "end": round(word["end"], 3)} for word in words]
    if flags:
        shown["flags"] = list(flags)
    return shown

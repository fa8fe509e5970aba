"""The tables of a recording's life."""

from jobs.models.audio_share import AudioShare
from jobs.models.chunk import Chunk
from jobs.models.event import JobEvent
from jobs.models.job import Job, Stage, Status
from jobs.models.measured_speed import MeasuredSpeed
from jobs.models.tag import JobTag
from jobs.models.transcript_part import TranscriptPart
from jobs.models.worker_slot import WorkerSlot

__all__ = [
    "AudioShare", "Chunk", "Job", "JobEvent", "JobTag", "MeasuredSpeed", "Stage", "Status", "TranscriptPart",
    "WorkerSlot",
]  # fmt: skip

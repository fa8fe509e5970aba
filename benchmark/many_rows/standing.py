"""The few jobs that are at work while the others are long finished, and what is due for the reconciler."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F

from accounts.models import User
from jobs.models import Job, JobEvent, JobTag, Stage, Status, TranscriptPart, WorkerSlot
from jobs.options import Options
from jobs.submission import reserve

WAITING, HELD, SLOTS, DUE = 40, 8, 4, 3
"""Jobs nobody holds, jobs at work, worker slots, and how many jobs are due for each part of a reconciler's round."""

RARE_TAG = "today"
"""On the waiting jobs of the first owner alone."""

DAY = timedelta(days=1)


class Standing:
    """Made once in each database; ids of waiting and due jobs."""

    def __init__(self, owners: list[User]) -> None:
        now = datetime.now(UTC)
        for number in range(SLOTS):
            name = f"elsewhere:{number}:{number}"
            WorkerSlot.objects.create(name=name, queues="speech,light", engine="faster-whisper", seen_at=now + DAY)
        # Every fifth is the first owner's.
        everybody = [owners[0 if number % 5 == 0 else number] for number in range(WAITING)]
        self.waiting = [_make(owner, rare=owner == owners[0]) for owner in everybody]
        held = {"status": Status.PROCESSING, "stage": Stage.TRANSCRIBE, "holder": "elsewhere:1:1"}
        for owner in everybody[:HELD]:
            _make(owner, **held, token=uuid.uuid4(), lease_until=now + DAY)
        self._silent, self._cancelled, self._with_work_files, self._kept_too_long = (
            [_make(owners[number], **_done(now)) for number in range(1, DUE + 1)] for _ in range(4)
        )

    def ring_all(self) -> None:
        """Every waiting job has just been rung: there is nothing to ring for a while."""
        Job.objects.filter(pk__in=self.waiting).update(dispatched_at=datetime.now(UTC) + DAY)

    def ring_none(self) -> None:
        Job.objects.filter(pk__in=self.waiting).update(dispatched_at=None)

    def make_due(self) -> None:
        """A few jobs for each part of a round, whatever became of them in the last one."""
        now = datetime.now(UTC)
        unfinished = {"finished_at": None, "crashes": 0, "transient_failures": 0, "dispatched_at": None}
        for pk in self._silent:
            held = {"status": Status.PROCESSING, "stage": Stage.TRANSCRIBE, "holder": "elsewhere:1:1"}
            expired = {"token": uuid.uuid4(), "lease_until": now - DAY, "not_before": now + DAY}
            Job.objects.filter(pk=pk).update(**unfinished, **held, **expired)
        # The ledger closes each run once.
        cancelled = {"status": Status.PENDING, "stage": Stage.PROBE, "cancel_requested": True, "run": F("run") + 1}
        Job.objects.filter(pk__in=self._cancelled).update(**unfinished, **cancelled)
        for job in Job.objects.filter(pk__in=self._with_work_files):
            Job.objects.filter(pk=job.pk).update(pcm_key=f"work/{job.uid}/x.pcm")
        kept = Job.objects.filter(pk__in=self._kept_too_long)
        kept.update(delete_at=now - DAY, removed_at=None, receipt=None)
        for pk in self._kept_too_long:
            TranscriptPart.objects.update_or_create(job_id=pk, position=0, defaults={"text": "x", "segments": []})

    def is_done(self) -> bool:
        """Whether a round has dealt with all that was due."""
        left = (
            Job.objects.filter(pk__in=self._silent, token__isnull=False),
            Job.objects.filter(pk__in=self._cancelled).exclude(status=Status.CANCELLED),
            Job.objects.filter(pk__in=self._with_work_files).exclude(pcm_key=""),
            Job.objects.filter(pk__in=self._kept_too_long, removed_at=None),
        )
        return not any(jobs.exists() for jobs in left)


def _done(now: datetime) -> dict[str, Any]:
    return {"status": Status.DONE, "stage": None, "finished_at": now, "decoded": True}


def _make(owner: User, *, rare: bool = False, **fields: Any) -> int:
    options = Options(tags=(RARE_TAG,) if rare else ())
    job = Job.objects.create(
        owner=owner, filename="new talk.mp3", size_bytes=1_000_000, duration_ms=60_000, options=options.as_json(),
        language="fr" if rare else "en", **fields,
    )  # fmt: skip
    JobTag.objects.bulk_create(JobTag(job=job, owner=owner, name=name) for name in options.tags)
    JobEvent.objects.create(job=job, kind="submitted")
    if job.status in (Status.PENDING, Status.PROCESSING):
        reserve(job=job, duration_ms=60_000)
    return job.pk

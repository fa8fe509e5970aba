"""How a recording becomes a job: stored, paid for by a reservation, and made once however often it is sent.

Two requests for the same thing meet at a partial unique index (decision 0011): the second joins the job of the first.
"""

import hashlib
import json
import unicodedata
import uuid
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from accounts import quota
from accounts.models import User
from jobs import bell, files
from jobs.audio.probe import Header
from jobs.audio.trim import trimmed_seconds
from jobs.clock import from_now
from jobs.errors import IdempotencyKeyReused, TransientFault
from jobs.models import Job, JobEvent, JobTag, Status
from jobs.models.job import NOT_REMOVED, UNFINISHED
from jobs.options import Options

REMEMBERED_SECONDS = 600
"""How long after its end a job is joined by a client that says that it is retrying."""

ATTEMPTS = 3
"""A job that stands in the way may end at the very moment in which it is looked for."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A recording that lies on the web process's disk, with its header already read."""

    content: File
    filename: str
    size_bytes: int
    sha256: str
    header: Header


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request comes from, and what it says about itself.

    ``waits``: the answer goes to this very connection, so the job is worth nothing once the client is gone.
    """

    api_key_id: int | None = None
    idempotency_key: str = ""
    is_retrying: bool = False
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Submission:
    """A job, and whether it was there before: then nothing was stored or reserved for this request."""

    job: Job
    joined: bool


def submit_recording(*, owner: User, upload: Upload, options: Options, origin: Origin | None = None) -> Submission:
    """Accept a recording: store it, reserve its seconds, and ring; or join the job of an identical request.

    One transaction makes the row and the reservation; the bell rings after the commit and may fail without harm.
    Raises ``AudioLimitExceeded``, ``IdempotencyKeyReused`` and ``InputFault`` with nothing changed.
    """
    origin = origin or Origin()
    fingerprint = fingerprint_of(sha256=upload.sha256, options=options)
    if joined := _join(owner=owner, fingerprint=fingerprint, origin=origin):
        return Submission(joined, joined=True)
    reservation_ms = reservation_for(owner=owner, header=upload.header, options=options)
    uid = uuid.uuid4()
    key = _store(upload, files.source_key(uid))
    try:
        facts = {**_facts(upload, options, origin), "uid": uid, "source_key": key, "fingerprint": fingerprint}
        submission = _make_or_join(owner=owner, origin=origin, reservation_ms=reservation_ms, facts=facts)
    except BaseException:
        files.remove_stored(key)
        raise
    if submission.joined:
        files.remove_stored(key)
    return submission


def fingerprint_of(*, sha256: str, options: Options) -> str:
    """What makes two requests of one owner the same: the recording's bytes and the options."""
    return hashlib.sha256(f"{sha256} {json.dumps(options.as_json(), sort_keys=True)}".encode()).hexdigest()


def reservation_for(*, owner: User, header: Header, options: Options) -> int:
    """Milliseconds to set aside for an upload, before it is decoded. Raises ``AudioLimitExceeded`` early.

    A header without a length reserves the longest recording allowed, or all that is left of the budget.
    """
    remaining_ms = quota.remaining_ms(account_id=owner.pk)
    wanted_ms = max(1, expected_ms(header.duration_seconds, options) or _most_ms(remaining_ms, options))
    if remaining_ms is not None and wanted_ms > remaining_ms:
        raise quota.limit_exceeded(account_id=owner.pk, duration_ms=wanted_ms)
    return wanted_ms


def expected_ms(duration_seconds: float | None, options: Options) -> int | None:
    """What will be charged for a recording of this length; None where its header names none. Raises ``InputFault``."""
    if duration_seconds is None:
        return None
    return round(trimmed_seconds(duration_seconds, options.trim_start, options.trim_seconds) * 1000)


def refuse_spent_budget(*, owner: User, origin: Origin) -> None:
    """Raise ``AudioLimitExceeded`` where no recording fits, however short: before it is sent.

    Not where the request may turn out to be one that is paid for already.
    """
    if quota.remaining_ms(account_id=owner.pk) != 0:
        return
    if not any(jobs.exists() for jobs in _joinable(owner, origin)):
        raise quota.limit_exceeded(account_id=owner.pk, duration_ms=1)


def stored_name(name: str) -> str:
    """A client's file name as it is shown: its last part, without control characters, at most 255 long.

    Its accents belong to their letters (NFC), as searches want them; macOS sends them apart.
    """
    last = unicodedata.normalize("NFC", Path(name.replace("\\", "/")).name)
    printable = "".join(character for character in last if character.isprintable()).strip()
    return printable[-255:] or "recording"


def _most_ms(remaining_ms: int | None, options: Options) -> int:
    trimmed_ms = None if options.trim_seconds is None else round(options.trim_seconds * 1000)
    limits = (settings.MAX_AUDIO_SECONDS * 1000, remaining_ms, trimmed_ms)
    return int(min(limit for limit in limits if limit is not None))


def _joinable(owner: User, origin: Origin) -> list[QuerySet[Job]]:
    """The jobs among which an identical one is looked for: by its key, or running, or done a short while ago.

    Each by an index of its own, which must be found in the question as it stands in the model.
    """
    jobs = Job.objects.filter(owner=owner)
    if origin.idempotency_key:
        return [jobs.filter(~Q(idempotency_key=""), idempotency_key=origin.idempotency_key).order_by("-id")]
    running = {"status__in": UNFINISHED, "stage__isnull": False, "cancel_requested": False, "report_only": False}
    found = [jobs.filter(**running, idempotency_key="").order_by("-id")]
    if origin.is_retrying:
        lately = jobs.filter(NOT_REMOVED, status=Status.DONE, finished_at__gt=from_now(-REMEMBERED_SECONDS))
        found.append(lately.filter(idempotency_key="").order_by("-finished_at"))
    return found


def _join(*, owner: User, fingerprint: str, origin: Origin) -> Job | None:
    """The job that this request asks for again, if there is one. Raises ``IdempotencyKeyReused``."""
    same = {} if origin.idempotency_key else {"fingerprint": fingerprint}
    job = next((job for jobs in _joinable(owner, origin) if (job := jobs.filter(**same).first())), None)
    if job is None:
        return None
    if job.fingerprint != fingerprint:
        raise IdempotencyKeyReused(
            "This Idempotency-Key was used for another recording or other options. Use a new key for a new request."
        )
    # Somebody wants it again: a job that was left alone is not cancelled, and one that does not wait needs no company.
    wanted = {"cancel_at": None} if origin.waits else {"cancel_at": None, "waited_for": False}
    Job.objects.filter(pk=job.pk).update(**wanted)
    found = Job.objects.filter(pk=job.pk).first()  # none: its owner deleted it at this very moment
    return None if found and found.cancel_requested and not origin.idempotency_key else found


def _make_or_join(*, owner: User, origin: Origin, reservation_ms: int, facts: dict[str, Any]) -> Submission:
    """The unique indexes say whether an identical request was faster; that one's job is joined."""
    for _ in range(ATTEMPTS):
        try:
            return Submission(_make(owner, reservation_ms, facts), joined=False)
        except IntegrityError:
            if joined := _join(owner=owner, fingerprint=facts["fingerprint"], origin=origin):
                return Submission(joined, joined=True)
    raise TransientFault("The same recording is being handed in by several requests. Send it again in a moment.")


def _make(owner: User, reservation_ms: int, facts: dict[str, Any]) -> Job:
    with transaction.atomic():
        job = Job.objects.create(owner=owner, **facts)
        JobTag.objects.bulk_create(JobTag(job=job, owner=owner, name=tag) for tag in job.options["tags"])
        JobEvent.objects.create(job=job, kind="submitted")
        reserve(job=job, duration_ms=reservation_ms)
        transaction.on_commit(partial(bell.ring_job, job.pk), robust=True)
    job.refresh_from_db()
    return job


def _facts(upload: Upload, options: Options, origin: Origin) -> dict[str, Any]:
    seconds = options.delete_after_seconds
    return {
        "filename": stored_name(upload.filename),
        "size_bytes": upload.size_bytes,
        "audio_sha256": upload.sha256,
        "duration_ms": expected_ms(upload.header.duration_seconds, options),
        "options": options.as_json(),
        "model": options.model,
        "api_key_id": origin.api_key_id,
        "idempotency_key": origin.idempotency_key,
        "waited_for": origin.waits,
        "delete_after": None if seconds is None else timedelta(seconds=seconds),
    }


def reserve(*, job: Job, duration_ms: int) -> None:
    """Set the seconds of a job's present run aside. Raises ``AudioLimitExceeded``."""
    quota.reserve(
        account_id=job.owner_id,
        job_id=job.pk,
        run=job.run,
        duration_ms=duration_ms,
        api_key_id=job.api_key_id,
        tags=Options.of(job.options).tags,
    )


def _store(upload: Upload, key: str) -> str:
    """Put the recording into the storage; its key. One that does not fit leaves no beginning of it behind."""
    try:
        with files.storage_faults():
            return default_storage.save(key, upload.content)
    except TransientFault:
        files.remove_stored(key)
        raise

"""The audio budget: a gate that races cannot pass, and a ledger that remembers.

Every function joins the caller's transaction, so that a job and its money change together or not at all.
Durations are whole milliseconds of audio. See ``docs/lifecycle.md`` for the rows. A run's API key and tags are given
when it is reserved; all its later rows carry them, too.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.db.models import BigIntegerField, Exists, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from accounts.errors import AudioLimitExceeded
from accounts.models import MAX_TAG_CHARACTERS, MAX_TAGS, LedgerEntry, QuotaAccount, User

_OPENING = (LedgerEntry.Kind.RESERVE, LedgerEntry.Kind.TOP_UP)


@dataclass(frozen=True, slots=True)
class _Reservation:
    """What the ledger holds reserved for one run of a job, and whom and what it is for."""

    duration_ms: int = 0
    api_key_id: int | None = None
    tags: list[str] = field(default_factory=list)


def remaining_ms(*, account_id: int) -> int | None:
    """What the account can still reserve now; None means unlimited."""
    return QuotaAccount.objects.get(pk=account_id).remaining_ms


def jobs_in_flight_limits(*, account_ids: Collection[int], lock: bool = False) -> dict[int, int]:
    """How many jobs may be in flight at the same time, of those accounts that have a limit.

    With ``lock`` others who ask so wait until the caller's transaction is over, where there is a limit.
    """
    if not account_ids:
        return {}
    accounts = QuotaAccount.objects.filter(pk__in=account_ids).values_list("pk", "jobs_in_flight")
    limits = {pk: limit or settings.JOBS_IN_FLIGHT for pk, limit in accounts}
    limited = {pk: limit for pk, limit in limits.items() if limit}
    if limited and lock:
        list(QuotaAccount.objects.select_for_update().filter(pk__in=limited).order_by("pk").values_list("pk"))
    return limited


def reserve(
    *,
    account_id: int,
    job_id: int,
    run: int,
    duration_ms: int,
    api_key_id: int | None = None,
    tags: Sequence[str] = (),
) -> None:
    """Set ``duration_ms`` aside for one run of a job, or raise ``AudioLimitExceeded`` with nothing changed.

    ``api_key_id`` is the key that asked for the run, None without one. ``tags`` are the job's: at most ``MAX_TAGS`` of
    at most ``MAX_TAG_CHARACTERS`` (``ValueError``), each counted once.
    """
    if len(tags) > MAX_TAGS or any(len(tag) > MAX_TAG_CHARACTERS for tag in tags):
        raise ValueError(f"at most {MAX_TAGS} tags of at most {MAX_TAG_CHARACTERS} characters")
    origin = _Reservation(api_key_id=api_key_id, tags=list(dict.fromkeys(tags)))
    with transaction.atomic():
        _pass_gate(account_id=account_id, duration_ms=duration_ms)
        _book(account_id, job_id, run, LedgerEntry.Kind.RESERVE, duration_ms, origin)


def fit_reservation(*, account_id: int, job_id: int, run: int, duration_ms: int) -> None:
    """Make the run's reservation exactly ``duration_ms``, now that the true duration is known.

    Raises ``AudioLimitExceeded`` (nothing changed) when the recording is longer than the budget reaches.
    """
    with transaction.atomic():
        reservation = _reservation(job_id, run)
        difference = duration_ms - reservation.duration_ms
        if not difference:
            return
        _pass_gate(account_id=account_id, duration_ms=difference)
        _book(account_id, job_id, run, LedgerEntry.Kind.TOP_UP, difference, reservation)


def settle(*, account_id: int, job_id: int, run: int, duration_ms: int) -> None:
    """Charge ``duration_ms``, never more than was reserved, and close the run's reservation.

    A second closing of the same run breaks a unique index and rolls back.
    """
    with transaction.atomic():
        reservation = _reservation(job_id, run)
        charged_ms = min(duration_ms, reservation.duration_ms)
        _book(account_id, job_id, run, LedgerEntry.Kind.SETTLE, charged_ms, reservation)
        QuotaAccount.objects.filter(pk=account_id).update(
            used_ms=F("used_ms") + charged_ms, reserved_ms=F("reserved_ms") - reservation.duration_ms
        )


def release(*, account_id: int, job_id: int, run: int) -> None:
    """Close the run's reservation without charging anything."""
    with transaction.atomic():
        reservation = _reservation(job_id, run)
        _book(account_id, job_id, run, LedgerEntry.Kind.RELEASE, reservation.duration_ms, reservation)
        QuotaAccount.objects.filter(pk=account_id).update(reserved_ms=F("reserved_ms") - reservation.duration_ms)


def grant(*, user: User, duration_ms: int, tag: str = "") -> LedgerEntry:
    """Give ``user`` extra audio (or take it, when negative): staff's adjustment of what counts as used."""
    with transaction.atomic():
        QuotaAccount.objects.filter(pk=user.pk).update(used_ms=F("used_ms") - duration_ms)
        return LedgerEntry.objects.create(
            account_id=user.pk, kind=LedgerEntry.Kind.ADJUST, ms=-duration_ms, tag=tag[:100]
        )


def reserved_for(*, job_id: int, run: int) -> int:
    """What the ledger holds reserved for one run of a job, whether or not the run is closed by now."""
    return _reservation(job_id, run).duration_ms


def accounts_out_of_balance() -> list[QuotaAccount]:
    """Accounts whose ``reserved_ms`` differs from their open reservations in the ledger (one consistent statement)."""
    closed = LedgerEntry.objects.filter(
        job_id=OuterRef("job_id"), run=OuterRef("run"), kind__in=[LedgerEntry.Kind.SETTLE, LedgerEntry.Kind.RELEASE]
    )
    open_rows = LedgerEntry.objects.filter(~Exists(closed), account_id=OuterRef("pk"), kind__in=_OPENING)
    total = open_rows.order_by().values("account_id").annotate(total=Sum("ms")).values("total")
    return list(
        QuotaAccount.objects.annotate(open_ms=Coalesce(Subquery(total), 0, output_field=BigIntegerField())).exclude(
            reserved_ms=F("open_ms")
        )
    )


def _pass_gate(*, account_id: int, duration_ms: int) -> None:
    fits = Q(limit_ms=None) | Q(limit_ms__gte=F("used_ms") + F("reserved_ms") + duration_ms)
    accounts = QuotaAccount.objects.filter(pk=account_id)
    if duration_ms > 0:
        accounts = accounts.filter(fits)
    if not accounts.update(reserved_ms=F("reserved_ms") + duration_ms):
        raise limit_exceeded(account_id=account_id, duration_ms=duration_ms)


def limit_exceeded(*, account_id: int, duration_ms: int) -> AudioLimitExceeded:
    """The refusal, with the figures that the client needs to decide what to do."""
    account = QuotaAccount.objects.get(pk=account_id)
    limit_ms, left_ms = account.limit_ms or 0, account.remaining_ms or 0
    return AudioLimitExceeded(
        f"audio limit exceeded. you have {left_ms // 1000}s remaining out of {limit_ms // 1000}s total",
        remaining_seconds=left_ms / 1000,
        limit_seconds=limit_ms / 1000,
        requested_seconds=duration_ms / 1000,
    )


def _reservation(job_id: int, run: int) -> _Reservation:
    rows = list(LedgerEntry.objects.filter(job_id=job_id, run=run, kind__in=_OPENING).order_by("pk"))
    if not rows:
        return _Reservation()
    return _Reservation(sum(row.ms for row in rows), rows[0].api_key_id, rows[0].tags)


def _book(account_id: int, job_id: int, run: int, kind: LedgerEntry.Kind, ms: int, reservation: _Reservation) -> None:
    LedgerEntry.objects.create(
        account_id=account_id,
        job_id=job_id,
        run=run,
        kind=kind,
        ms=ms,
        api_key_id=reservation.api_key_id,
        tags=reservation.tags,
    )

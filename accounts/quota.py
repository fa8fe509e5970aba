"""The audio budget: a gate that races cannot pass, and a ledger that remembers.

Every function joins the caller's transaction, so that a job and its money change together or not at all.
Durations are whole milliseconds of audio. See ``docs/lifecycle.md`` for the rows.
"""

from django.db import transaction
from django.db.models import BigIntegerField, Exists, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from accounts.errors import AudioLimitExceeded
from accounts.models import LedgerEntry, QuotaAccount, User

_OPENING = (LedgerEntry.Kind.RESERVE, LedgerEntry.Kind.TOP_UP)


def remaining_ms(*, account_id: int) -> int | None:
    """What the account can still reserve now; None means unlimited."""
    return QuotaAccount.objects.get(pk=account_id).remaining_ms


def reserve(*, account_id: int, job_id: int, run: int, duration_ms: int) -> None:
    """Set ``duration_ms`` aside for one run of a job, or raise ``AudioLimitExceeded`` with nothing changed."""
    with transaction.atomic():
        _pass_gate(account_id=account_id, duration_ms=duration_ms)
        _book(account_id, job_id, run, LedgerEntry.Kind.RESERVE, duration_ms)


def fit_reservation(*, account_id: int, job_id: int, run: int, duration_ms: int) -> None:
    """Make the run's reservation exactly ``duration_ms``, now that the true duration is known.

    Raises ``AudioLimitExceeded`` (nothing changed) when the recording is longer than the budget reaches.
    """
    with transaction.atomic():
        difference = duration_ms - reserved_for(job_id=job_id, run=run)
        if not difference:
            return
        _pass_gate(account_id=account_id, duration_ms=difference)
        _book(account_id, job_id, run, LedgerEntry.Kind.TOP_UP, difference)


def settle(*, account_id: int, job_id: int, run: int, duration_ms: int) -> None:
    """Charge ``duration_ms``, never more than was reserved, and close the run's reservation.

    A second closing of the same run breaks a unique index and rolls back.
    """
    with transaction.atomic():
        reserved_ms = reserved_for(job_id=job_id, run=run)
        charged_ms = min(duration_ms, reserved_ms)
        _book(account_id, job_id, run, LedgerEntry.Kind.SETTLE, charged_ms)
        QuotaAccount.objects.filter(pk=account_id).update(
            used_ms=F("used_ms") + charged_ms, reserved_ms=F("reserved_ms") - reserved_ms
        )


def release(*, account_id: int, job_id: int, run: int) -> None:
    """Close the run's reservation without charging anything."""
    with transaction.atomic():
        reserved = reserved_for(job_id=job_id, run=run)
        _book(account_id, job_id, run, LedgerEntry.Kind.RELEASE, reserved)
        QuotaAccount.objects.filter(pk=account_id).update(reserved_ms=F("reserved_ms") - reserved)


def grant(*, user: User, duration_ms: int, tag: str = "") -> LedgerEntry:
    """Give ``user`` extra audio (or take it, when negative): staff's adjustment of what counts as used."""
    with transaction.atomic():
        QuotaAccount.objects.filter(pk=user.pk).update(used_ms=F("used_ms") - duration_ms)
        return LedgerEntry.objects.create(
            account_id=user.pk, kind=LedgerEntry.Kind.ADJUST, ms=-duration_ms, tag=tag[:100]
        )


def reserved_for(*, job_id: int, run: int) -> int:
    """What the ledger holds reserved for one run of a job, whether or not the run is closed by now."""
    rows = LedgerEntry.objects.filter(job_id=job_id, run=run, kind__in=_OPENING)
    return rows.aggregate(total=Sum("ms"))["total"] or 0


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


def _book(account_id: int, job_id: int, run: int, kind: LedgerEntry.Kind, ms: int) -> None:
    LedgerEntry.objects.create(account_id=account_id, job_id=job_id, run=run, kind=kind, ms=ms)

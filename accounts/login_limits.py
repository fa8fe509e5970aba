"""Guesses of a password are counted before each guess: for the account, and for the address it comes from.

The count is taken by one conditional UPDATE, in the database: so it holds across processes, without Redis, and of any
number of guesses at the same moment no more pass than the limit says. ``docs/decisions/0008-*.md`` says why.
"""

import hashlib
import math
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Case, DateTimeField, Expression, ExpressionWrapper, F, Q, Value, When
from django.db.models.functions import Greatest, Now
from django.utils.translation import ngettext

from accounts.errors import TooManyAttempts
from accounts.models import LoginWindow


def count_attempt(*, email: str, address: str) -> None:
    """Take a ticket for one guess, or raise ``TooManyAttempts`` with nothing counted.

    ``email`` is normalised, and need not belong to an account; ``address`` is that of ``accounts.client_address``.
    """
    # Durable: counted for good before the password is looked at. Accounts come before addresses in every transaction,
    # so that two of them cannot wait for each other.
    with transaction.atomic(durable=True):
        refused = [key for key, limit in _limits(email, address) if not _take(key, limit)]
        if refused:
            raise _refusal(refused)


def forgive_attempts(*, email: str, address: str) -> None:
    """The password was right: the account starts afresh, and the address gets this attempt's ticket back.

    An address keeps its other failures: else an account of one's own would pay for guesses at the others.
    """
    with transaction.atomic():
        LoginWindow.objects.filter(key=_account_key(email)).delete()
        LoginWindow.objects.filter(key=_address_key(address)).update(attempts=Greatest(F("attempts") - 1, 0))


def delete_ended_windows(*, at_most: int = 1000) -> int:
    """Forget counts whose window is over; how many it were. Call again while it is ``at_most``."""
    with transaction.atomic():
        # Rows that a login holds are left for the next time: the two would wait for each other.
        ended = LoginWindow.objects.select_for_update(skip_locked=True).filter(ends_at__lte=Now())
        return LoginWindow.objects.filter(key__in=list(ended.values_list("key", flat=True)[:at_most])).delete()[0]


def _limits(email: str, address: str) -> list[tuple[str, int]]:
    """The keys that count, each with its limit; a limit of 0 is none."""
    limits = [
        (_account_key(email), settings.LOGIN_ATTEMPTS_PER_ACCOUNT),
        (_address_key(address), settings.LOGIN_ATTEMPTS_PER_ADDRESS),
    ]
    return [(key, limit) for key, limit in limits if limit > 0]


def _take(key: str, limit: int) -> bool:
    """Whether the key had a ticket left; it is taken. The first attempt of a window makes the row."""
    if _count(key, limit):
        return True
    LoginWindow.objects.bulk_create([LoginWindow(key=key, ends_at=_window_end())], ignore_conflicts=True)
    return _count(key, limit)


def _count(key: str, limit: int) -> bool:
    is_over = Q(ends_at__lte=Now())
    row = LoginWindow.objects.filter(is_over | Q(attempts__lt=limit), key=key)
    changed = row.update(
        attempts=Case(When(is_over, then=Value(1)), default=F("attempts") + 1),
        ends_at=Case(When(is_over, then=_window_end()), default=F("ends_at")),
    )
    return bool(changed)


def _window_end() -> Expression:
    length = Value(timedelta(minutes=settings.LOGIN_WINDOW_MINUTES))
    return ExpressionWrapper(Now() + length, output_field=DateTimeField())


def _refusal(keys: list[str]) -> TooManyAttempts:
    """The same for a known and an unknown account, and whether the account or the address is at its limit."""
    windows = LoginWindow.objects.filter(key__in=keys).annotate(now=Now()).values_list("ends_at", "now")
    seconds = max((math.ceil((ends_at - now).total_seconds()) for ends_at, now in windows), default=1)
    minutes = math.ceil(seconds / 60)
    message = ngettext(
        "Too many failed attempts to log in. Wait %(minutes)d minute, then try again.",
        "Too many failed attempts to log in. Wait %(minutes)d minutes, then try again.",
        minutes,
    )
    return TooManyAttempts(message % {"minutes": minutes}, retry_after_seconds=max(1, seconds))


def _account_key(email: str) -> str:
    """Hashed: what people type here by mistake may be a password, and the length is whatever they sent."""
    return f"account:{hashlib.sha256(email.encode(errors='surrogatepass')).hexdigest()}"


def _address_key(address: str) -> str:
    return f"address:{address}"

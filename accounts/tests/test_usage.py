"""GET /me/usage"""

import pytest

from accounts import quota
from accounts.models import QuotaAccount

pytestmark = pytest.mark.django_db


def test_it_shows_used_reserved_limit_and_remaining(as_alice, alice):
    quota.reserve(account_id=alice.pk, job_id=1, run=1, duration_ms=60_000)
    quota.settle(account_id=alice.pk, job_id=1, run=1, duration_ms=60_000)
    quota.reserve(account_id=alice.pk, job_id=2, run=1, duration_ms=30_000)
    assert as_alice.get("/me/usage").json() == {
        "used_seconds": 60.0,
        "reserved_seconds": 30.0,
        "limit_seconds": 1800.0,
        "remaining_seconds": 1710.0,
        "used_minutes": 1.0,
        "limit_minutes": 30.0,
    }


def test_an_unlimited_account_has_no_limit(as_alice, alice):
    QuotaAccount.objects.update(limit_ms=None)
    answer = as_alice.get("/me/usage").json()
    assert answer["limit_seconds"] is answer["remaining_seconds"] is answer["limit_minutes"] is None


def test_a_lowered_limit_shows_nothing_remaining_never_less(as_alice, alice):
    QuotaAccount.objects.update(limit_ms=10_000, used_ms=60_000)
    assert as_alice.get("/me/usage").json()["remaining_seconds"] == 0


def test_granted_seconds_can_be_spent(as_alice, alice):
    quota.grant(user=alice, duration_ms=600_000)
    answer = as_alice.get("/me/usage").json()
    assert (answer["used_seconds"], answer["limit_seconds"], answer["remaining_seconds"]) == (0, 2400, 2400)

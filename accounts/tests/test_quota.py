"""The reservation ledger."""

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import quota
from accounts.errors import AudioLimitExceeded
from accounts.models import LedgerEntry, QuotaAccount


@pytest.fixture
def account(alice):
    account = alice.quota
    account.limit_ms = 100_000
    account.save()
    return account


def reserve(account, duration_ms, job_id=1, run=1):
    quota.reserve(account_id=account.pk, job_id=job_id, run=run, duration_ms=duration_ms)


def counters(account):
    account.refresh_from_db()
    return account.used_ms, account.reserved_ms


def test_a_reservation_that_fits_exactly_is_granted(account):
    reserve(account, 100_000)
    assert counters(account) == (0, 100_000)


def test_one_millisecond_too_much_is_refused_and_changes_nothing(account):
    with pytest.raises(AudioLimitExceeded) as refusal:
        reserve(account, 100_001)
    assert str(refusal.value) == "audio limit exceeded. you have 100s remaining out of 100s total"
    assert refusal.value.extra == {"remaining_seconds": 100.0, "limit_seconds": 100.0, "requested_seconds": 100.001}
    assert counters(account) == (0, 0)
    assert not LedgerEntry.objects.exists()


def test_settling_charges_what_was_decoded_and_frees_the_rest(account):
    reserve(account, 90_000)
    quota.settle(account_id=account.pk, job_id=1, run=1, duration_ms=40_000)
    assert counters(account) == (40_000, 0)


def test_no_more_is_charged_than_was_reserved(account):
    reserve(account, 10_000)
    quota.settle(account_id=account.pk, job_id=1, run=1, duration_ms=10_080)
    assert counters(account) == (10_000, 0)


def test_releasing_charges_nothing(account):
    reserve(account, 90_000)
    quota.release(account_id=account.pk, job_id=1, run=1)
    assert counters(account) == (0, 0)


def test_a_run_is_reserved_once(account):
    quota.reserve(account_id=account.pk, job_id=1, run=1, duration_ms=10_000)
    with pytest.raises(IntegrityError), transaction.atomic():
        quota.reserve(account_id=account.pk, job_id=1, run=1, duration_ms=10_000)
    account.refresh_from_db()
    assert account.reserved_ms == 10_000


@pytest.mark.parametrize("second", [quota.release, quota.settle])
def test_a_run_is_closed_once(account, second):
    reserve(account, 10_000)
    quota.settle(account_id=account.pk, job_id=1, run=1, duration_ms=10_000)
    more = {"duration_ms": 10_000} if second is quota.settle else {}
    with pytest.raises(IntegrityError), transaction.atomic():
        second(account_id=account.pk, job_id=1, run=1, **more)
    assert counters(account) == (10_000, 0)


def test_the_reservation_grows_to_the_true_duration_within_the_budget(account):
    reserve(account, 10_000)
    quota.fit_reservation(account_id=account.pk, job_id=1, run=1, duration_ms=100_000)
    assert counters(account) == (0, 100_000)


def test_the_reservation_shrinks_to_the_true_duration(account):
    reserve(account, 90_000)
    quota.fit_reservation(account_id=account.pk, job_id=1, run=1, duration_ms=4_000)
    assert counters(account) == (0, 4_000)
    assert quota.reserved_for(job_id=1, run=1) == 4_000


def test_the_reservation_cannot_grow_past_the_budget(account):
    reserve(account, 10_000)
    with pytest.raises(AudioLimitExceeded):
        quota.fit_reservation(account_id=account.pk, job_id=1, run=1, duration_ms=100_001)
    assert counters(account) == (0, 10_000)


def test_an_imbalance_is_found(account):
    reserve(account, 10_000)
    assert quota.accounts_out_of_balance() == []
    QuotaAccount.objects.update(reserved_ms=11_000)
    assert [wrong.pk for wrong in quota.accounts_out_of_balance()] == [account.pk]


class TestWhatARunIsFor:
    @pytest.mark.parametrize("closing", ["settle", "release"])
    def test_its_key_and_tags_are_on_all_its_rows(self, account, closing):
        quota.reserve(account_id=account.pk, job_id=1, run=1, duration_ms=10_000, api_key_id=12, tags=["a", "b", "a"])
        quota.fit_reservation(account_id=account.pk, job_id=1, run=1, duration_ms=8_000)
        if closing == "settle":
            quota.settle(account_id=account.pk, job_id=1, run=1, duration_ms=8_000)
        else:
            quota.release(account_id=account.pk, job_id=1, run=1)
        rows = list(LedgerEntry.objects.order_by("pk").values_list("kind", "api_key_id", "tags", "tag"))
        assert rows == [(kind, 12, ["a", "b"], "") for kind in ("reserve", "top_up", closing)]

    def test_without_a_key_and_tags_nothing_is_noted(self, account):
        reserve(account, 10_000)
        quota.settle(account_id=account.pk, job_id=1, run=1, duration_ms=8_000)
        assert set(LedgerEntry.objects.values_list("api_key_id", flat=True)) == {None}
        assert list(LedgerEntry.objects.values_list("tags", flat=True)) == [[], []]

    def test_another_run_is_for_what_it_was_reserved_for(self, account):
        for run, key_id in ((1, 12), (2, None)):
            quota.reserve(account_id=account.pk, job_id=1, run=run, duration_ms=1_000, api_key_id=key_id)
            quota.release(account_id=account.pk, job_id=1, run=run)
        assert list(LedgerEntry.objects.order_by("pk").values_list("run", "api_key_id")) == [
            (1, 12), (1, 12), (2, None), (2, None),
        ]  # fmt: skip

    @pytest.mark.parametrize("tags", [["x" * 41], [str(number) for number in range(11)]])
    def test_tags_over_the_limits_are_refused_with_nothing_changed(self, account, tags):
        with pytest.raises(ValueError, match="10 tags of at most 40"):
            quota.reserve(account_id=account.pk, job_id=1, run=1, duration_ms=10_000, tags=tags)
        assert counters(account) == (0, 0)
        assert not LedgerEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_racing_clients_are_granted_exactly_what_fits(account):
    granted, refused = [], []

    def spend(client):
        for turn in range(5):
            try:
                reserve(account, 4_000, job_id=client * 100 + turn)
                granted.append(1)
            except AudioLimitExceeded:
                refused.append(1)
        connection.close()

    threads = [threading.Thread(target=spend, args=(client,)) for client in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(granted), len(refused)) == (25, 15)
    assert counters(account) == (0, 100_000)

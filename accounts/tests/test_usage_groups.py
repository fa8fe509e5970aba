"""GET /me/usage?group_by=day|key|tag, as JSON and as a table."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from accounts import quota
from accounts.keys import create_key, revoke_key
from accounts.models import ApiKey, LedgerEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def charge():
    """Charges a user for a job, at a moment (UTC) if one is given."""

    def do(owner, job_id, seconds, *, at=None, run=1, key=None, tags=()):
        quota.reserve(
            account_id=owner.pk, job_id=job_id, run=run, duration_ms=60_000, api_key_id=key and key.pk, tags=tags
        )
        quota.settle(account_id=owner.pk, job_id=job_id, run=run, duration_ms=round(seconds * 1000))
        if at:
            LedgerEntry.objects.filter(job_id=job_id, run=run).update(at=datetime(*at, tzinfo=UTC))

    return do


def groups(client, group_by, **period):
    answer = client.get("/me/usage", {"group_by": group_by, **period})
    assert answer.status_code == 200, answer.text
    assert answer.json()["group_by"] == group_by
    return answer.json()["groups"]


def table(client, **query):
    answer = client.get("/me/usage", {"format": "csv", **query})
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.text, newline=""), strict=True))


class TestByDay:
    def test_each_utc_day_has_its_seconds_and_jobs(self, as_alice, alice, charge, settings):
        settings.TIME_ZONE = "Asia/Tokyo"
        charge(alice, 1, 10.5, at=(2026, 11, 20, 0, 0, 0))
        charge(alice, 2, 20, at=(2026, 11, 20, 23, 59, 59, 999_000))
        charge(alice, 3, 1, at=(2026, 11, 21, 0, 0, 0))
        assert groups(as_alice, "day") == [
            {"day": "2026-11-20", "charged_seconds": 30.5, "jobs": 2},
            {"day": "2026-11-21", "charged_seconds": 1.0, "jobs": 1},
        ]

    @pytest.mark.parametrize(
        ("period", "days"),
        [
            ({"since": "2026-11-20"}, [20, 21]),
            ({"until": "2026-11-20"}, [19, 20]),
            ({"since": "2026-11-20", "until": "2026-11-20"}, [20]),
            ({"since": "2026-11-22"}, []),
            ({"until": "9999-12-31", "since": "0001-01-01"}, [19, 20, 21]),
        ],
    )
    def test_both_ends_of_the_period_are_included(self, as_alice, alice, charge, period, days):
        charge(alice, 1, 1, at=(2026, 11, 19, 23, 59, 59, 999_999))
        charge(alice, 2, 1, at=(2026, 11, 20, 0, 0, 0))
        charge(alice, 3, 1, at=(2026, 11, 20, 23, 59, 59, 999_999))
        charge(alice, 4, 1, at=(2026, 11, 21, 0, 0, 0))
        assert [int(row["day"][-2:]) for row in groups(as_alice, "day", **period)] == days

    def test_the_answer_repeats_the_period(self, as_alice):
        answer = as_alice.get("/me/usage?group_by=day&since=2026-11-01").json()
        assert answer == {"group_by": "day", "since": "2026-11-01", "until": None, "groups": []}

    def test_a_job_that_was_charged_in_two_runs_is_one_job(self, as_alice, alice, charge):
        charge(alice, 1, 5, at=(2026, 11, 20))
        charge(alice, 1, 10, run=2, at=(2026, 11, 20))
        assert groups(as_alice, "day") == [{"day": "2026-11-20", "charged_seconds": 15.0, "jobs": 1}]


class TestByKey:
    def test_each_key_has_its_own_with_name_and_prefix_and_null_is_last(self, as_alice, alice, charge, key):
        other = create_key(owner=alice, name="phone").key
        charge(alice, 1, 10)
        charge(alice, 2, 20, key=key.key)
        charge(alice, 3, 30, key=other)
        charge(alice, 4, 5, key=other)
        assert [list(row.values()) for row in groups(as_alice, "key")] == [
            [key.key.pk, "backup server", key.key.prefix, 20.0, 1],
            [other.pk, "phone", other.prefix, 35.0, 2],
            [None, None, None, 10.0, 1],
        ]

    def test_a_revoked_key_is_still_named(self, as_alice, alice, charge, key):
        charge(alice, 1, 10, key=revoke_key(key=key.key))
        assert groups(as_alice, "key")[0]["key_name"] == "backup server"

    def test_a_key_that_is_gone_shows_its_id(self, as_alice, alice, charge, key):
        charge(alice, 1, 10, key=key.key)
        key_id = key.key.pk
        ApiKey.objects.all().delete()
        assert [list(row.values()) for row in groups(as_alice, "key")] == [[key_id, None, None, 10.0, 1]]


class TestByTag:
    def test_a_job_counts_under_each_of_its_tags(self, as_alice, alice, charge):
        charge(alice, 1, 10, tags=["b", "a"])
        charge(alice, 2, 20, tags=["b"])
        charge(alice, 3, 5)
        assert groups(as_alice, "tag") == [
            {"tag": "a", "charged_seconds": 10.0, "jobs": 1},
            {"tag": "b", "charged_seconds": 30.0, "jobs": 2},
            {"tag": None, "charged_seconds": 5.0, "jobs": 1},
        ]


class TestWhatCounts:
    @pytest.fixture(autouse=True)
    def history(self, alice, charlie, charge, key):
        """Charges of alice and charlie, and all that is no charge."""
        for number in range(1, 21):
            charge(
                alice,
                number,
                number / 3,
                at=(2026, 11, number),
                key=[None, key.key][number % 2],
                tags=[f"t{number % 3}"],
            )
        charge(charlie, 100, 50, tags=["charlie's"])
        charge(alice, 101, 0)  # as when only a report is written again
        quota.reserve(account_id=alice.pk, job_id=102, run=1, duration_ms=9_000)
        quota.reserve(account_id=alice.pk, job_id=103, run=1, duration_ms=9_000)
        quota.release(account_id=alice.pk, job_id=103, run=1)

    @pytest.mark.parametrize("group_by", ["day", "key", "tag"])
    def test_the_groups_add_up_to_what_is_used(self, as_alice, group_by):
        rows = groups(as_alice, group_by)
        used = as_alice.get("/me/usage").json()["used_seconds"]
        assert sum(row["charged_seconds"] for row in rows) == pytest.approx(used, abs=1e-9)
        assert used == pytest.approx(70, abs=0.01)
        assert sum(row["jobs"] for row in rows) == 20

    @pytest.mark.parametrize("group_by", ["day", "key", "tag"])
    def test_what_staff_adjusted_does_not_count(self, as_alice, alice, group_by):
        before = groups(as_alice, group_by)
        quota.grant(user=alice, duration_ms=60_000, tag="asked by phone")
        quota.grant(user=alice, duration_ms=-30_000, tag="t1")
        assert groups(as_alice, group_by) == before

    def test_others_see_nothing_of_it(self, as_charlie):
        assert groups(as_charlie, "key") == [
            {"key_id": None, "key_name": None, "key_prefix": None, "charged_seconds": 50.0, "jobs": 1}
        ]

    @pytest.mark.parametrize("group_by", ["day", "key", "tag"])
    def test_the_ledger_is_read_by_its_index_in_one_query(self, as_alice, group_by, django_assert_max_num_queries):
        with django_assert_max_num_queries(2) as asked:
            groups(as_alice, group_by)
        sql = next(query["sql"] for query in asked if "ledgerentry" in query["sql"])
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                plan = str(cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall())
            assert "USING INDEX ledger_by_account (account_id=?)" in plan


class TestBadQuestions:
    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("group_by=week", "group_by_invalid_choice"),
            ("group_by=", "group_by_invalid_choice"),
            ("group_by=%00", "group_by_invalid_choice"),
            ("group_by=day&since=yesterday", "since_invalid"),
            ("group_by=day&since=", "since_invalid"),
            ("group_by=day&since=2026-02-30", "since_invalid"),
            ("group_by=day&until=2026-11-21T10:00:00Z", "until_invalid"),
            ("group_by=day&until=%00", "until_invalid"),
            ("group_by=day&until=10000-01-01", "until_invalid"),
            ("group_by=day&since=2026-11-22&until=2026-11-21", "since_after_until"),
            ("since=2026-11-22", "group_by_required"),
        ],
    )
    @pytest.mark.parametrize("form", ["", "&format=csv"])
    def test_they_are_400_and_say_what_is_wrong(self, as_alice, query, code, form):
        answer = as_alice.get(f"/me/usage?{query}{form}")
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert answer.headers["Content-Type"] == "application/json"

    @pytest.mark.parametrize("name", ["xml", "CSV", "..", "%00", "csv,json"])
    def test_an_unknown_format_is_406_and_names_those_there_are(self, as_alice, name):
        answer = as_alice.get(f"/me/usage?group_by=day&format={name}")
        assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
        assert answer.json()["detail"] == "There is no such format here. Known: json, api, csv."

    def test_nobody_asks_without_a_token(self, api):
        answer = api.get("/me/usage?group_by=day&format=csv")
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    @pytest.mark.parametrize("method", ["post", "put", "delete"])
    def test_a_table_cannot_be_written(self, as_alice, method):
        answer = getattr(as_alice, method)("/me/usage?format=csv")
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


class TestTheTable:
    @pytest.mark.parametrize("how", [{"query_params": {"format": "csv"}}, {"headers": {"Accept": "text/csv"}}])
    def test_it_comes_as_an_attachment_that_no_browser_runs(self, as_alice, how):
        query = {"group_by": "tag", **how.get("query_params", {})}
        answer = as_alice.get("/me/usage", query, headers=how.get("headers"))
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="usage-by-tag.csv"'
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Accept" in answer.headers["Vary"]
        assert answer.text == "tag,charged_seconds,jobs\r\n"

    @pytest.mark.parametrize(
        "accept", ["", "*/*", "application/json", "image/png", "nonsense", "text/csv;q=0.1, application/json"]
    )
    def test_whoever_asks_for_nothing_else_gets_json(self, as_alice, accept):
        answer = as_alice.get("/me/usage?group_by=day", headers={"Accept": accept})
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json()["groups"] == []

    def test_the_address_goes_before_the_header(self, as_alice):
        answer = as_alice.get("/me/usage?format=json", headers={"Accept": "text/csv"})
        assert answer.headers["Content-Type"] == "application/json"

    def test_it_says_what_the_json_says(self, as_alice, alice, charge, key):
        charge(alice, 1, 10.25, key=key.key, tags=["a", "b"], at=(2026, 11, 20))
        charge(alice, 2, 20, at=(2026, 11, 21))
        for group_by in ("day", "key", "tag"):
            columns, *rows = table(as_alice, group_by=group_by)
            expected = groups(as_alice, group_by)
            assert columns == list(expected[0])
            assert rows == [["" if cell is None else str(cell) for cell in row.values()] for row in expected]

    def test_the_budget_is_a_table_of_one_row(self, as_alice):
        columns, row = table(as_alice)
        budget = as_alice.get("/me/usage").json()
        assert dict(zip(columns, row, strict=True)) == {name: str(value) for name, value in budget.items()}

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
    def test_what_a_spreadsheet_would_calculate_is_text(self, as_alice, alice, charge, start):
        hostile = f"{start}cmd|' /C calc'!A0"
        charge(alice, 1, 1, tags=[hostile], key=create_key(owner=alice, name=hostile).key)
        assert table(as_alice, group_by="tag")[1][0] == f"'{hostile}"
        assert table(as_alice, group_by="key")[1][1] == f"'{hostile}"
        assert groups(as_alice, "tag")[0]["tag"] == hostile

    @pytest.mark.parametrize("name", ["two\nlines", 'quote",comma', "a;b", "ключ 🔑", "x" * 40, "\r\n=1"])
    def test_no_name_breaks_out_of_its_cell(self, as_alice, alice, charge, name):
        charge(alice, 1, 1, tags=[name], key=create_key(owner=alice, name=name).key)
        for group_by, column in (("tag", 0), ("key", 1)):
            rows = table(as_alice, group_by=group_by)
            assert len(rows) == 2
            assert rows[1][column].removeprefix("'") == name
            assert rows[1][column][0] not in "=+-@\t\r"


def test_a_period_of_a_thousand_days_is_in_order(as_alice, alice, charge):
    first = datetime(2024, 1, 1, tzinfo=UTC)
    for number in (999, 0, 500):
        moment = first + timedelta(days=number)
        charge(alice, number + 1, 1, at=(moment.year, moment.month, moment.day))
    days = [row["day"] for row in groups(as_alice, "day")]
    assert days == sorted(days)
    assert len(days) == 3

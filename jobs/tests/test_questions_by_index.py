"""What is asked all the time is answered by an index, so that it takes no longer when there are a million jobs.

SQLite makes its plans by rules, with a few rows as with many; PostgreSQL is told here not to read a small table whole.
"""

import re

import pytest
from django.db import connection

from jobs import bell, lifecycle, reconciler
from jobs.api.pages import ORDERINGS
from jobs.clock import from_now
from jobs.models import Chunk, Job
from jobs.tests.chunks import cut, finish, hold

pytestmark = pytest.mark.django_db

LONG_TABLES = ("jobs_job", "jobs_chunk", "jobs_jobevent", "jobs_jobtag", "jobs_transcriptpart", "accounts_ledgerentry")


@pytest.fixture
def plans():
    """Calls something; the plans of the queries of long tables that it made, by their SQL."""

    def of(act):
        asked = []

        def note(execute, sql, params, many, context):
            asked.append((sql, params))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            act()
        return {
            sql: explain(sql, params)
            for sql, params in asked
            if re.match("SELECT|UPDATE", sql) and any(f'"{table}"' in sql for table in LONG_TABLES)
        }

    return of


def explain(sql, params):
    """With the parameters apart, as they are in earnest: SQLite's plans depend on that."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            return [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params).fetchall()]
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql}", params)
        return [row[0].strip() for row in cursor.fetchall()]


def readings(plans):
    """The steps that read all of a table, or all of an index that has every row, each with its query."""
    if connection.vendor == "postgresql":
        step_of_all = rf"Seq Scan on ({'|'.join(LONG_TABLES)})"
    else:
        indexes = [*Job._meta.indexes, *Chunk._meta.indexes]
        few = "|".join(index.name for index in indexes if index.condition and "end" not in index.name)
        step_of_all = rf"SCAN ({'|'.join(LONG_TABLES)})\b(?! USING (COVERING )?INDEX ({few})$)"
    return [(step, sql) for sql, steps in plans.items() for step in steps if re.search(step_of_all, step)]


def sortings(plans):
    return [(step, sql) for sql, steps in plans.items() for step in steps if re.search("B-TREE|Sort", step)]


def test_the_check_sees_a_table_that_is_read_whole(plans):
    assert readings(plans(lambda: Job.objects.filter(crashes=7).count()))
    assert sortings(plans(lambda: list(Job.objects.order_by("crashes"))))


@pytest.mark.parametrize("act", [reconciler.reconcile_once, bell.ring_waiting])
def test_a_round_of_the_reconciler_reads_no_table_from_its_beginning(plans, act, settings, make_job):
    settings.RETENTION_DAYS = 30
    make_job()
    long = make_job()
    cut(long, 3)
    Job.objects.filter(pk=long.pk).update(help_rung_at=from_now(-60))
    lifecycle.claim_chunk(hold(long), holder="here:1:2")
    found = plans(act)
    assert len(found) >= 3
    assert not readings(found)


def test_work_on_a_chunk_reads_no_table_from_its_beginning(plans, make_job, charlie):
    long = make_job(reserved_ms=30_000)
    cut(long, 3)
    make_job(owner=charlie)
    held = hold(long)

    def work():
        finish(lifecycle.claim_chunk(held, holder="here:1:2"))
        assert bell.due_before(long)
        lifecycle.claim_chunk_to_help(job_id=long.pk, holder="there:3:4")
        lifecycle.cancel(held)

    found = plans(work)
    assert len(found) >= 10
    assert not readings(found)


INDEXES = {"created_at": "job_by_owner_and_time", "duration_seconds": "job_by_owner_and_duration"}
INDEXES |= {"finished_at": "job_by_owner_and_end"}
LISTS = [
    *((f"ordering={ordering}", INDEXES[ordering.removeprefix("-")]) for ordering in ORDERINGS),
    ("status=failed", "job_by_owner_and_status"),
    ("status=failed&ordering=created_at", "job_by_owner_and_status"),
]


@pytest.mark.parametrize(("query", "index"), LISTS)
def test_a_list_is_walked_in_its_order(plans, as_alice, make_job, query, index):
    Job.objects.filter(pk=make_job().pk).update(duration_ms=None)
    found = plans(lambda: as_alice.get(f"/jobs?{query}&page_size=2"))
    assert len(found) == (2 if "duration" in query or "finished" in query else 1)
    assert not readings(found)
    assert not sortings(found)
    if connection.vendor == "sqlite":  # which one PostgreSQL takes depends on how many rows there are
        assert all(index in str(steps) for steps in found.values())


def test_staffs_list_of_one_status_is_walked_in_its_order(plans, admin_client, make_job):
    make_job(status="processing")
    found = plans(lambda: admin_client.get("/admin/jobs/job/?status__exact=processing"))
    ids = next(iter(found))
    assert "jobs_job" in ids
    assert not readings(found)
    assert not sortings({ids: found[ids]})


@pytest.mark.parametrize(
    ("headers", "index"),
    [
        ({}, "job_unfinished"),
        ({"X-Stainless-Retry-Count": "1"}, "job_by_owner_and_end"),
        ({"Idempotency-Key": "k"}, "job_once_per_key"),
    ],
)
def test_an_identical_job_is_looked_for_by_an_index(plans, as_alice, tone_path, settings, tmp_path, headers, index):
    settings.MEDIA_ROOT = tmp_path
    with tone_path.open("rb") as file:
        found = plans(lambda: as_alice.post("/jobs", {"file": file}, format="multipart", headers=headers))
    assert Job.objects.count() == 1
    assert not readings(found)
    if connection.vendor == "sqlite":
        assert any(f"USING INDEX {index} " in step for steps in found.values() for step in steps)

"""What migration 0004 makes, and that later migrations leave it in place."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from jobs.models import Job
from jobs.search import search_jobs

BEFORE = [("jobs", "0003_requests_tags_and_retention")]


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL needs no triggers")
@pytest.mark.parametrize("table", ["jobs_job", "jobs_transcriptpart"])
def test_the_triggers_are_there_after_all_migrations(table):
    """If not: a migration made the table anew. Let it call ``follow`` of ``0004_search`` for it afterwards."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table])
        names = {name for (name,) in cursor.fetchall()}
    assert names == {f"{table}_words_added", f"{table}_words_changed", f"{table}_words_removed"}


@pytest.mark.django_db(transaction=True)
def test_jobs_from_before_the_index_are_found(alice, make_job):
    executor = MigrationExecutor(connection)
    latest = executor.loader.graph.leaf_nodes()
    executor.migrate(BEFORE)
    try:
        old = executor.loader.project_state(BEFORE).apps.get_model
        job = old("jobs", "Job").objects.create(owner_id=alice.pk, filename="Отчёт.mp3")
        old("jobs", "TranscriptPart").objects.create(job=job, position=0, text="Seven turnips.", segments=[])
    finally:
        MigrationExecutor(connection).migrate(latest)
    other = make_job(1, filename="beans.mp3")
    assert [found.pk for found in search_jobs(Job.objects.all(), ["turnips", "отчет"])] == [job.pk]
    assert [found.pk for found in search_jobs(Job.objects.all(), ["beans"])] == [other.pk]

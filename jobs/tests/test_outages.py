"""A holder's write waits for a database that is away. SQLite stands in by a lock that another connection holds."""

import sqlite3
import threading

import pytest
from django.db import OperationalError, connection, transaction

from jobs import outages
from jobs.models import Job
from jobs.outages import through_outages

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def impatient(monkeypatch, settings):
    monkeypatch.setattr(outages, "PAUSE_SECONDS", 0.1)
    settings.JOB_LEASE_SECONDS = 5


class Failing:
    """Fails so often, then does it."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.calls = 0

    @property
    def write(self):
        @through_outages
        def write() -> str:
            self.calls += 1
            if self.calls <= self.left:
                raise OperationalError("the server closed the connection unexpectedly")
            return f"{Job.objects.count()} jobs"

        return write


def test_it_is_done_again_until_the_database_answers():
    failing = Failing(3)
    assert failing.write() == "0 jobs"
    assert failing.calls == 4


def test_it_gives_up_after_a_lease(settings):
    settings.JOB_LEASE_SECONDS = 0.5
    failing = Failing(1000)
    with pytest.raises(OperationalError):
        failing.write()
    assert 2 < failing.calls < 50


def test_within_a_transaction_the_first_failure_is_the_transactions():
    failing = Failing(1)
    with pytest.raises(OperationalError), transaction.atomic():
        failing.write()
    assert failing.calls == 1


@pytest.mark.skipif("connection.vendor != 'sqlite'")
def test_a_database_that_is_locked_is_waited_for(make_job):
    job = make_job()
    path = connection.settings_dict["NAME"]
    locked = threading.Event()

    def hold() -> None:
        with sqlite3.connect(path, isolation_level=None) as other:
            other.execute("BEGIN EXCLUSIVE")
            locked.set()
            threading.Event().wait(1.5)
            other.execute("ROLLBACK")

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout=100")

    @through_outages
    def save() -> int:
        return Job.objects.filter(pk=job.pk).update(filename="after")

    try:
        assert save() == 1
    finally:
        holder.join()
        connection.close()  # and with it the short patience

"""Who is rung, in which order, and how many at once. A real Redis holds the messages."""

import json
import time

import pytest

from jobs import bell
from jobs.clock import from_now
from jobs.models import Job, WorkerSlot
from jobs.tests.conftest import use_broker

pytestmark = pytest.mark.django_db


def rung(broker):
    """The job ids that wait on the speech queue, first rung first."""
    bodies = [json.loads(message)["headers"]["argsrepr"] for message in broker.lrange("speech", 0, -1)]
    return [int(body.strip("(,)")) for body in reversed(bodies)]


def test_a_ring_sends_the_chain_from_the_present_stage_on(broker, make_job):
    job = make_job(stage="transcribe", status="processing")
    assert bell.ring_job(job.pk)
    (message,) = (json.loads(raw) for raw in broker.lrange("speech", 0, -1))
    assert message["headers"]["task"] == "jobs.transcribe"
    assert message["headers"]["argsrepr"] == f"({job.pk},)"


def test_a_job_is_rung_once_until_it_has_been_silent_for_long(broker, make_job, settings):
    job = make_job()
    assert bell.ring_job(job.pk)
    assert not bell.ring_job(job.pk)
    Job.objects.update(dispatched_at=from_now(-settings.JOB_RING_AGAIN_SECONDS - 1))
    assert bell.ring_waiting() == 1
    assert rung(broker) == [job.pk, job.pk]


def test_no_more_are_rung_than_twice_the_live_slots(broker, make_job):
    jobs = [make_job(reserved_ms=1) for _ in range(9)]
    WorkerSlot.objects.create(name="a", queues="light,speech")
    WorkerSlot.objects.create(name="b", queues="speech")
    WorkerSlot.objects.create(name="dead", queues="speech", seen_at=from_now(-300))
    assert bell.ring_waiting() == 4
    assert bell.ring_waiting() == 0
    assert rung(broker) == [job.pk for job in jobs[:4]]


def test_owners_take_turns(broker, make_job, alice, charlie):
    first, second = make_job(reserved_ms=1), make_job(reserved_ms=1)
    late = make_job(reserved_ms=1, owner=charlie)
    WorkerSlot.objects.create(name="a", queues="speech")
    bell.ring_waiting()
    assert rung(broker) == [first.pk, late.pk]
    assert second.pk not in rung(broker)


def test_a_job_in_its_backoff_is_not_rung(broker, make_job):
    make_job(not_before=from_now(60))
    assert bell.ring_waiting() == 0
    assert rung(broker) == []


def test_a_broker_that_is_away_costs_nothing_but_time(make_job):
    use_broker("redis://127.0.0.1:1/0")
    job = make_job()
    started = time.monotonic()
    assert not bell.ring_job(job.pk)
    assert time.monotonic() - started < 5
    job.refresh_from_db()
    assert job.dispatched_at is None

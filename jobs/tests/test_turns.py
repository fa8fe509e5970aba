"""Whose turn it is: by the audio that workers went through for each owner lately, and by how many may be in flight."""

import json

import pytest

from accounts.models import QuotaAccount
from jobs import bell, lifecycle, shares
from jobs.models import AudioShare, Job, Stage, Status, WorkerSlot
from jobs.shares import record_audio
from jobs.tests.chunks import cut, finish, hold

pytestmark = pytest.mark.django_db


def sent(broker):
    """Task and job of each message on the speech queue, first rung first."""
    heads = [json.loads(message)["headers"] for message in reversed(broker.lrange("speech", 0, -1))]
    return [(head["task"], int(head["argsrepr"].strip("(,)"))) for head in heads]


def had(owner, seconds):
    record_audio(owner_id=owner.pk, samples=seconds * 16_000)


def slots(count):
    for number in range(count):
        WorkerSlot.objects.create(name=f"slot {number}", queues="speech")


def claim(job, stage=Stage.PROBE):
    return lifecycle.claim_job(job_id=job.pk, stage=stage, holder="here:1:2")


class TestShares:
    def test_they_add_up_and_fade_with_time(self, alice, charlie, monkeypatch):
        had(alice, 10)
        had(alice, 5)
        assert shares.shares_of([alice.pk, charlie.pk]) == {alice.pk: 15_000, charlie.pk: 0}
        now = shares._slice()
        monkeypatch.setattr(shares, "_slice", lambda: now + shares.LATELY_SLICES)
        assert shares.shares_of([alice.pk]) == {alice.pk: 0}
        assert shares.forget_old_shares() == 1

    def test_what_is_being_recognised_counts_already(self, make_job, alice):
        job = make_job(reserved_ms=40_000)
        cut(job, 4)
        lifecycle.claim_chunk(hold(job), holder="here:1:2")
        lifecycle.claim_chunk_to_help(job_id=job.pk, holder="there:3:4")
        assert shares.shares_of([alice.pk]) == {alice.pk: 20_000}

    def test_they_outlive_the_jobs(self, make_job, alice):
        job = make_job(reserved_ms=10_000)
        cut(job, 1)
        finish(lifecycle.claim_chunk(hold(job), holder="here:1:2"))
        job.delete()
        assert AudioShare.objects.get().audio_ms == 10_000


class TestTurns:
    def test_who_had_least_lately_is_rung_first(self, broker, make_job, alice, charlie):
        had(alice, 100)
        alices, charlies = make_job(reserved_ms=1), make_job(reserved_ms=1, owner=charlie)
        bell.ring_waiting()
        assert [job for _, job in sent(broker)] == [charlies.pk, alices.pk]

    def test_a_short_job_waits_for_no_more_than_was_had_before_it(self, broker, make_job, alice, charlie):
        had(charlie, 5)
        jobs = [make_job(reserved_ms=3_000) for _ in range(4)]
        charlies = make_job(reserved_ms=1, owner=charlie)
        slots(3)
        bell.ring_waiting()
        assert [job for _, job in sent(broker)] == [jobs[0].pk, jobs[1].pk, charlies.pk, jobs[2].pk, jobs[3].pk]

    def test_a_job_gives_way_to_whoever_had_less(self, make_job, alice, charlie):
        long = make_job(reserved_ms=40_000)
        cut(long, 4)
        held = hold(long)
        finish(lifecycle.claim_chunk(held, holder="here:1:2"))
        assert bell.due_before(long) is None
        short = make_job(reserved_ms=1, owner=charlie)
        assert bell.due_before(long) == short
        had(charlie, 60)
        assert bell.due_before(long) is None

    def test_it_gives_way_to_a_report_where_the_same_worker_writes_it(self, make_job, alice, charlie):
        long = make_job(reserved_ms=10_000)
        cut(long, 1)
        had(alice, 60)
        short = make_job(reserved_ms=1, owner=charlie, stage=Stage.REPORT, status=Status.PROCESSING)
        WorkerSlot.objects.create(name="all", queues="light,speech")
        WorkerSlot.objects.create(name="ears", queues="speech")
        assert bell.due_before(long, slot="ears") is None
        assert bell.due_before(long, slot="all") == short

    def test_it_does_not_give_way_to_its_own_owner(self, make_job, alice):
        long = make_job(reserved_ms=10_000)
        cut(long, 1)
        had(alice, 60)
        make_job(reserved_ms=1)
        assert bell.due_before(long) is None

    def test_whoever_is_let_through_is_rung_before_the_one_that_gave_way(self, broker, make_job, charlie):
        long, short = make_job(reserved_ms=40_000), make_job(reserved_ms=1, owner=charlie)
        cut(long, 4)
        held = hold(long)
        assert bell.ring_job(short.pk)
        lifecycle.put_back(held, reason="test")
        assert bell.ring_first(short.pk)
        bell.ring_waiting()
        assert [job for _, job in sent(broker)] == [short.pk, short.pk, long.pk]


class TestJobsInFlight:
    @pytest.fixture
    def limited(self, alice):
        QuotaAccount.objects.filter(pk=alice.pk).update(jobs_in_flight=1)

    def test_no_more_begin_than_are_allowed(self, limited, make_job):
        first, second = make_job(reserved_ms=1), make_job(reserved_ms=1)
        assert claim(first)
        assert claim(second) is None
        second.refresh_from_db()
        assert (second.status, second.token, second.started_at, second.dispatched_at) == (Status.PENDING, *[None] * 3)
        assert not second.events.exists()

    def test_the_next_begins_when_one_is_over(self, limited, broker, make_job):
        first, second = make_job(reserved_ms=1), make_job(reserved_ms=1)
        held = claim(first)
        bell.ring_waiting()
        assert sent(broker) == []
        lifecycle.complete(held)
        bell.ring_waiting()
        assert sent(broker) == [("jobs.probe", second.pk)]
        assert claim(second)

    def test_a_job_that_was_put_back_keeps_its_place(self, limited, make_job):
        first, second = make_job(reserved_ms=1), make_job(reserved_ms=1)
        lifecycle.put_back(claim(first), reason="test")
        assert claim(second) is None
        assert claim(first)

    def test_others_are_not_held_up(self, limited, broker, make_job, charlie):
        claim(make_job(reserved_ms=1))
        make_job(reserved_ms=1)
        charlies = make_job(reserved_ms=1, owner=charlie)
        bell.ring_waiting()
        assert sent(broker) == [("jobs.probe", charlies.pk)]

    def test_the_installations_number_holds_where_staff_set_none(self, make_job, settings):
        settings.JOBS_IN_FLIGHT = 2
        jobs = [make_job(reserved_ms=1) for _ in range(3)]
        assert [bool(claim(job)) for job in jobs] == [True, True, False]

    def test_a_post_does_not_ring_for_what_may_not_begin(self, limited, broker, make_job):
        claim(make_job(reserved_ms=1))
        assert not bell.ring_job(make_job(reserved_ms=1).pk)
        assert sent(broker) == []


class TestHelp:
    @pytest.fixture
    def long(self, make_job):
        job = make_job(reserved_ms=40_000)
        cut(job, 4)
        Job.objects.filter(pk=job.pk).update(help_rung_at="2026-01-01T00:00Z")
        lifecycle.claim_chunk(hold(job), holder="here:1:2")
        return job

    def test_the_idle_are_called_and_nobody_else(self, broker, long):
        slots(3)
        assert bell.ring_helpers() == 2
        assert sent(broker) == [("jobs.help", long.pk)] * 2

    def test_no_more_are_called_than_there_are_chunks(self, broker, long):
        slots(9)
        assert bell.ring_helpers() == 3

    def test_nobody_is_called_to_the_chunk_that_the_holder_is_about_to_take(self, broker, make_job):
        job = make_job(reserved_ms=10_000)
        cut(job, 1)
        Job.objects.filter(pk=job.pk).update(help_rung_at="2026-01-01T00:00Z")
        hold(job)
        slots(3)
        assert bell.ring_helpers() == 0
        assert sent(broker) == []

    def test_nobody_is_called_again_at_once(self, broker, long):
        slots(3)
        bell.ring_helpers()
        assert bell.ring_helpers() == 0

    def test_waiting_jobs_come_first(self, broker, long, make_job):
        slots(2)
        waiting = make_job(reserved_ms=1)
        bell.ring_waiting()
        assert sent(broker) == [("jobs.probe", waiting.pk)]
        assert bell.is_anybody_due()

    def test_nobody_is_called_to_a_job_whose_language_is_unknown(self, broker, long):
        slots(3)
        Job.objects.update(help_rung_at=None)
        assert bell.ring_helpers() == 0

    def test_nobody_is_called_where_the_only_worker_is_at_work(self, broker, long):
        slots(1)
        assert bell.ring_helpers() == 0


def test_asking_whose_turn_it_is_costs_little_when_nobody_waits(make_job, django_assert_max_num_queries):
    job = make_job(reserved_ms=10_000)
    cut(job, 1)
    hold(job)
    with django_assert_max_num_queries(1):
        assert bell.due_before(job) is None

"""The moves of a chunk: taken by one, written under its token, finished once, whoever held the job meanwhile."""

import pytest

from accounts.models import LedgerEntry
from jobs import lifecycle, services
from jobs.clock import from_now
from jobs.errors import CancelRequested, LeaseLost
from jobs.models import AudioShare, Chunk, Job, Status
from jobs.selectors import segments_of
from jobs.tests.chunks import CHUNK_SECONDS, cut, finish, hold, say

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(make_job):
    """Forty seconds in four chunks."""
    made = make_job(reserved_ms=40_000)
    cut(made, 4)
    return made


def help_with(job, holder="there:3:4"):
    return lifecycle.claim_chunk_to_help(job_id=job.pk, holder=holder)


def take(claim):
    return lifecycle.claim_chunk(claim, holder="here:1:2")


def position_of(claim):
    return claim.row.get().position


def charged(job):
    return dict(LedgerEntry.objects.filter(job_id=job.pk).values_list("kind", "ms"))


class TestClaims:
    def test_holder_and_helpers_take_one_each_in_order(self, job):
        held = hold(job)
        claims = [take(held), help_with(job), help_with(job, "there:3:5")]
        assert [position_of(claim) for claim in claims] == [0, 1, 2]
        assert list(Chunk.objects.filter(job=job).values_list("claims", flat=True)) == [1, 1, 1, 0]

    def test_a_chunk_that_is_taken_or_done_is_not_taken_again(self, job):
        held = hold(job)
        for _ in range(4):
            finish(take(held))
        assert take(held) is None
        assert help_with(job) is None
        assert not lifecycle.are_chunks_left(job.pk)

    def test_nobody_helps_before_the_language_is_known(self, job):
        hold(job)
        Job.objects.filter(pk=job.pk).update(help_rung_at=None)
        assert help_with(job) is None
        assert not Chunk.objects.filter(token__isnull=False).exists()

    @pytest.mark.parametrize("fields", [{"cancel_requested": True}, {"status": Status.DONE, "stage": None}])
    def test_nobody_helps_with_what_is_not_wanted(self, job, fields):
        Job.objects.filter(pk=job.pk).update(**fields)
        assert help_with(job) is None
        assert not Chunk.objects.filter(token__isnull=False).exists()

    def test_a_helpers_chunk_is_free_when_its_lease_is_over(self, job):
        held = hold(job)
        slow = help_with(job)
        slow.row.update(lease_until=from_now(-1))
        assert position_of(take(held)) == 0
        with pytest.raises(LeaseLost):
            say(slow, end=5)
        assert not job.parts.exists()

    def test_a_holders_chunk_is_free_when_the_job_is_taken_from_it(self, job):
        first = hold(job)
        lost = take(first)
        Job.objects.filter(pk=job.pk).update(lease_until=from_now(-1))
        assert lifecycle.expire(job_id=job.pk, token=first.token)
        assert position_of(help_with(job)) == 0
        with pytest.raises(LeaseLost):
            say(lost, end=5)
        assert not job.parts.exists()

    def test_a_claim_whose_answer_was_lost_is_made_again(self, job):
        held = hold(job)
        assert position_of(take(held)) == 0
        assert position_of(take(held)) == 0

    def test_who_begins_a_chunk_again_forgets_what_was_saved_of_it(self, job):
        held = hold(job)
        finish(take(held))
        say(take(held), end=13)
        lifecycle.put_back(held, reason="test")
        assert len(segments_of(job)) == 2
        take(hold(job))
        assert [segment["end"] for segment in segments_of(job)] == [10]


class TestHelpers:
    def test_their_work_counts_when_the_job_changes_hands(self, job):
        held = hold(job)
        helper = help_with(job)
        lifecycle.put_back(held, reason="test")
        finish(helper)
        again = hold(job)
        assert [position_of(take(again))] == [1]
        assert Chunk.objects.get(job=job, position=0).finished_at

    def test_they_hear_of_a_cancel_and_save_nothing_then(self, job):
        hold(job)
        helper = help_with(job)
        services.cancel_job(job=job)
        assert lifecycle.renew_chunk(helper)
        with pytest.raises(CancelRequested):
            say(helper, end=5)
        assert not job.parts.exists()

    def test_they_save_nothing_of_a_job_that_is_over(self, job):
        held = hold(job)
        helper = help_with(job)
        lifecycle.fail(held, code="x", message="x")
        with pytest.raises(LeaseLost):
            finish(helper)
        assert not job.parts.exists()
        assert not AudioShare.objects.exists()

    def test_they_save_nothing_of_a_job_that_is_deleted(self, job):
        hold(job)
        helper = help_with(job)
        services.delete_job(job=job)
        with pytest.raises(LeaseLost), lifecycle.saving_chunk(helper):
            raise AssertionError
        with pytest.raises(LeaseLost):
            lifecycle.renew_chunk(helper)

    def test_a_chunk_that_ends_three_helpers_ends_its_job(self, job):
        for crash in range(3):
            assert not Job.objects.get(pk=job.pk).is_finished, crash
            help_with(job)
            chunk = Chunk.objects.get(job=job, position=0)
            assert lifecycle.expire_chunk(chunk=chunk, dead=True)
        job.refresh_from_db()
        assert (job.status, job.error_code) == (Status.FAILED, "crashed_repeatedly")
        assert charged(job) == {"reserve": 40_000, "release": 40_000}

    def test_a_chunk_that_ends_its_holders_ends_its_job_though_others_get_on(self, job):
        for _ in range(3):
            held = hold(job)
            take(held)
            finish(help_with(job))
            lifecycle.expire(job_id=job.pk, token=held.token, dead=True)
        job.refresh_from_db()
        assert (job.status, job.error_code) == (Status.FAILED, "crashed_repeatedly")

    def test_a_lost_worker_is_not_the_chunks_fault(self, job):
        for _ in range(5):
            help_with(job)
            assert lifecycle.expire_chunk(chunk=Chunk.objects.get(job=job, position=0), dead=True, worker_lost=True)
        job.refresh_from_db()
        assert not job.is_finished

    def test_a_lease_that_was_renewed_is_not_expired(self, job):
        helper = help_with(job)
        assert not lifecycle.expire_chunk(chunk=helper.row.get())
        assert helper.row.get().crashes == 0


class TestResults:
    def test_segments_are_in_order_and_numbered_through_whoever_was_faster(self, job):
        held = hold(job)
        first, second, third = take(held), help_with(job), help_with(job)
        for chunk, count in ((third, 2), (second, 3), (first, 1)):
            finish(chunk, count=count)
            ids = [segment["id"] for segment in segments_of(job)]
            assert ids == sorted(set(ids))
        finish(take(held), count=2)
        segments = segments_of(job)
        assert [segment["id"] for segment in segments] == list(range(8))
        assert [segment["end"] for segment in segments] == [10, 20, 20, 20, 30, 30, 40, 40]

    def test_progress_is_what_all_have_done(self, job):
        held = hold(job)
        first, second = take(held), help_with(job)
        finish(second)
        say(first, end=5)
        job.refresh_from_db()
        assert job.progress == pytest.approx(0.05 + 0.9 * 15 / 40, abs=1e-3)

    def test_a_finished_chunk_counts_for_its_owners_share(self, job, alice):
        held = hold(job)
        finish(take(held))
        finish(help_with(job))
        assert AudioShare.objects.get(owner=alice).audio_ms == 2 * CHUNK_SECONDS * 1000

    def test_a_finished_chunk_clears_the_crashes_before_it(self, job):
        Job.objects.filter(pk=job.pk).update(crashes=2, transient_failures=3)
        finish(take(hold(job)))
        job.refresh_from_db()
        assert (job.crashes, job.transient_failures) == (0, 0)


class TestACancel:
    def test_it_charges_what_is_saved_whichever_chunks_that_is(self, job):
        held = hold(job)
        first, _, third = take(held), help_with(job), help_with(job)
        finish(third)
        say(first, end=4)
        services.cancel_job(job=job)
        lifecycle.cancel(held)
        assert charged(job) == {"reserve": 40_000, "settle": 14_000}
        assert [segment["id"] for segment in segments_of(job)] == [0, 1]

    def test_it_charges_nothing_where_nothing_is_saved(self, job):
        held = hold(job)
        take(held)
        services.cancel_job(job=job)
        lifecycle.cancel(held)
        assert charged(job) == {"reserve": 40_000, "release": 40_000}

    def test_of_a_job_that_nobody_holds_a_helper_saves_no_more(self, job):
        helper = help_with(job)
        say(helper, end=6)
        services.cancel_job(job=job)
        with pytest.raises(LeaseLost):
            say(helper, end=8, part=1)
        assert charged(job) == {"reserve": 40_000, "settle": 6_000}


def test_a_job_that_is_run_again_and_cancelled_at_once_is_not_charged_for_its_last_run(job):
    held = hold(job)
    finish(take(held))
    services.cancel_job(job=job)
    lifecycle.cancel(held)
    again = services.retry_job(job=Job.objects.get(pk=job.pk))
    services.cancel_job(job=again)
    closed = LedgerEntry.objects.filter(job_id=job.pk, kind__in=["settle", "release"]).order_by("id")
    assert list(closed.values_list("run", "kind", "ms")) == [(1, "settle", 10_000), (2, "release", 40_000)]

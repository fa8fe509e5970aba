"""A job whose waiting client is gone is cancelled after a time of grace, unless somebody comes back."""

import pytest

from accounts.models import LedgerEntry
from jobs import abandonment, lifecycle, reconciler, services
from jobs.clock import from_now
from jobs.models import Job, Stage, Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def waited_for(make_job):
    return make_job(waited_for=True)


def abandon_long_ago(job):
    assert abandonment.abandon_jobs(job_ids=[job.pk], grace_seconds=-1)


def events(job):
    return list(job.events.values_list("kind", "detail"))


def assert_goes_on(job):
    job.refresh_from_db()
    assert (job.status, job.cancel_requested, events(job)) == (Status.PENDING, False, [])


def test_the_grace_is_what_the_settings_say(waited_for, settings):
    settings.ABANDONED_JOB_SECONDS = 50.0
    assert abandonment.abandon_jobs(job_ids=[waited_for.pk])
    assert Job.objects.filter(cancel_at__gt=from_now(45), cancel_at__lt=from_now(55)).exists()


def test_nothing_happens_while_the_grace_lasts(waited_for):
    abandonment.abandon_jobs(job_ids=[waited_for.pk], grace_seconds=60)
    assert abandonment.cancel_abandoned() == 0
    assert_goes_on(waited_for)


def test_a_job_that_nobody_holds_is_cancelled_at_once_and_says_why(waited_for):
    abandon_long_ago(waited_for)
    assert abandonment.cancel_abandoned() == 1
    waited_for.refresh_from_db()
    assert (waited_for.status, waited_for.cancel_at) == (Status.CANCELLED, None)
    assert events(waited_for) == [("abandoned", "its client went away"), ("cancelled", "")]
    assert LedgerEntry.objects.filter(job_id=waited_for.pk, kind="release").count() == 1


def test_a_job_at_work_is_cancelled_by_its_worker(waited_for):
    claim = lifecycle.claim_job(job_id=waited_for.pk, stage=Stage.PROBE, holder="here:1:2")
    abandon_long_ago(waited_for)
    assert abandonment.cancel_abandoned() == 1
    waited_for.refresh_from_db()
    assert (waited_for.status, waited_for.token) == (Status.PROCESSING, claim.token)
    assert lifecycle.is_cancel_requested(claim)


def test_a_reconcilers_round_cancels_what_is_abandoned(waited_for):
    abandon_long_ago(waited_for)
    reconciler.reconcile_once()
    waited_for.refresh_from_db()
    assert waited_for.status == Status.CANCELLED


def test_a_second_round_changes_nothing(waited_for):
    lifecycle.claim_job(job_id=waited_for.pk, stage=Stage.PROBE, holder="here:1:2")
    abandon_long_ago(waited_for)
    assert [abandonment.cancel_abandoned(), abandonment.cancel_abandoned()] == [1, 0]
    assert [kind for kind, _ in events(waited_for)] == ["claimed", "abandoned"]


def test_a_client_that_comes_back_in_time_keeps_the_job(waited_for, make_job):
    other = make_job(waited_for=True)
    abandon_long_ago(waited_for)
    abandon_long_ago(other)
    assert abandonment.wait_again(job_ids=[waited_for.pk]) == 1
    assert abandonment.wait_again(job_ids=[waited_for.pk]) == 0
    assert abandonment.cancel_abandoned() == 1
    assert_goes_on(waited_for)
    other.refresh_from_db()
    assert other.status == Status.CANCELLED


@pytest.mark.parametrize("comes_back", ["waits", "fetches it later", "no longer"])
def test_what_changed_after_the_reconciler_looked_counts(waited_for, comes_back):
    abandon_long_ago(waited_for)
    if comes_back == "waits":
        abandonment.wait_again(job_ids=[waited_for.pk])
    elif comes_back == "fetches it later":
        Job.objects.update(waited_for=False)
    assert abandonment._cancel(waited_for.pk) is (comes_back == "no longer")
    waited_for.refresh_from_db()
    assert waited_for.cancel_requested is (comes_back == "no longer")


def test_who_comes_back_after_the_cancel_does_not_undo_it(waited_for):
    abandon_long_ago(waited_for)
    abandonment.cancel_abandoned()
    assert abandonment.wait_again(job_ids=[waited_for.pk]) == 0
    waited_for.refresh_from_db()
    assert waited_for.status == Status.CANCELLED


def test_a_job_that_was_handed_in_to_be_fetched_later_is_never_abandoned(make_job):
    job = make_job()
    assert not abandonment.abandon_jobs(job_ids=[job.pk], grace_seconds=-1)
    assert abandonment.cancel_abandoned() == 0
    assert_goes_on(job)
    assert job.cancel_at is None


def test_a_finished_job_is_left_as_it_is(waited_for):
    claim = lifecycle.claim_job(job_id=waited_for.pk, stage=Stage.PROBE, holder="here:1:2")
    abandon_long_ago(waited_for)
    lifecycle.complete(claim)
    assert abandonment.cancel_abandoned() == 0
    assert not abandonment.abandon_jobs(job_ids=[waited_for.pk], grace_seconds=-1)
    waited_for.refresh_from_db()
    assert (waited_for.status, waited_for.cancel_at) == (Status.DONE, None)


def test_a_job_that_its_owner_cancelled_meanwhile_is_not_called_abandoned(waited_for):
    lifecycle.claim_job(job_id=waited_for.pk, stage=Stage.PROBE, holder="here:1:2")
    abandon_long_ago(waited_for)
    services.cancel_job(job=waited_for)
    assert abandonment.cancel_abandoned() == 0
    assert [kind for kind, _ in events(waited_for)] == ["claimed"]

"""A removal that is interrupted, or that the storage does not let happen, is finished by a later round."""

import pytest
from django.db.models.functions import Now

from jobs import retention
from jobs.models import Job, Status
from jobs.tests.finished_jobs import assert_removed, assert_untouched, due, finished, own_storage, path_of  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


class TestAStorageThatFails:
    """A folder in the recording's place: the disk refuses to delete it as long as something lies in it."""

    @pytest.fixture
    def stuck(self, due):
        path_of(due).unlink()
        (path_of(due) / "inside").mkdir(parents=True)
        return due

    def release(self, job):
        (path_of(job) / "inside").rmdir()

    def test_the_row_does_not_say_that_a_file_is_gone_which_is_there(self, stuck, as_alice):
        assert retention.remove_due() == 0
        stuck.refresh_from_db()
        assert (stuck.removed_at, stuck.is_removed) == (None, True)
        assert path_of(stuck).exists()
        assert not stuck.events.filter(kind="removed").exists()
        answer = as_alice.get(f"/jobs/{stuck.pk}").json()
        assert (answer["removed_at"], answer["receipt"], answer["transcript"]) == (None, None, "")

    def test_a_later_round_finishes_it_with_the_same_receipt(self, stuck):
        retention.remove_due()
        self.release(stuck)
        Job.objects.update(delete_at=Now())
        assert retention.remove_due() == 1
        assert_removed(stuck)
        assert (stuck.receipt["segments"], stuck.receipt["report"]) == (3, True)

    def test_it_does_not_keep_the_others_waiting(self, stuck, finished, monkeypatch):
        monkeypatch.setattr(retention, "BATCH", 1)
        other = finished(due_since=0)
        assert retention.remove_due() == 0
        assert retention.remove_due() == 1
        assert_removed(other)

    def test_a_storage_that_is_slow_ends_the_round(self, due, monkeypatch):
        monkeypatch.setattr(retention, "ROUND_SECONDS", -1.0)
        assert retention.remove_due() == 0
        assert_untouched(due)

    def test_an_error_is_one_jobs_alone(self, due, finished, monkeypatch, caplog):
        other = finished(due_since=0)
        Job.objects.filter(pk=due.pk).update(options=[])
        assert retention.remove_due() == 1
        assert_removed(other)
        assert f"job {due.pk}: its removal failed" in caplog.text


class TestAKilledReconciler:
    """It had written the receipt, and had not come to the files."""

    @pytest.fixture
    def kill(self, monkeypatch):
        def killed(job):
            raise KeyboardInterrupt

        def kill_within_a_removal():
            with monkeypatch.context() as patch:
                patch.setattr(retention, "_remove_files", killed)
                with pytest.raises(KeyboardInterrupt):
                    retention.remove_due()

        return kill_within_a_removal

    def test_leaves_a_job_that_the_next_one_finishes(self, due, kill):
        kill()
        due.refresh_from_db()
        assert due.removed_at is None
        assert retention.remove_due() == 1
        assert_removed(due)

    def test_leaves_no_half_a_job_when_the_retention_is_taken_back_meanwhile(self, finished, settings, kill):
        job = finished(delete_after=None, since=2 * 86_400)
        settings.RETENTION_DAYS = 1.0
        kill()
        settings.RETENTION_DAYS = 0.0
        assert retention.remove_due() == 1
        assert_removed(job)
        assert job.receipt["reason"] == "retention"

    def test_two_that_finish_its_work_leave_one_event(self, due, kill):
        kill()
        seen_by_both = list(retention._due())
        assert [retention._remove(*seen_by_both[0]), retention._remove(*seen_by_both[0])] == [True, False]
        assert_removed(due)


def test_two_reconcilers_at_the_same_job_leave_one_event(due):
    seen_by_both = list(retention._due())
    assert [retention._remove(*seen_by_both[0]), retention._remove(*seen_by_both[0])] == [True, False]
    assert_removed(due)


@pytest.mark.parametrize("status", [Status.PENDING, Status.PROCESSING])
def test_an_unfinished_job_is_left_alone_whatever_its_dates_say(due, status):
    Job.objects.filter(pk=due.pk).update(status=status)
    due.refresh_from_db()
    retention.remove_due()
    assert_untouched(due)

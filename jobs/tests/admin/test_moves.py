"""What staff do to jobs: requeue, cancel, delete, and delete their owner."""

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import LedgerEntry, QuotaAccount, User
from jobs import lifecycle
from jobs.errors import LeaseLost
from jobs.models import Job, Stage, Status
from jobs.services import cancel_job
from jobs.tests.admin.pages import JOBS, facts, press, run_action, told

pytestmark = pytest.mark.django_db


class TestRequeue:
    def test_a_failed_job_runs_again_with_a_reservation(self, admin_client, failed):
        assert "1 job: runs again" in told(press(admin_client, "requeue", failed))
        failed.refresh_from_db()
        assert (failed.status, failed.stage, failed.run, failed.error_code) == (Status.PENDING, Stage.PROBE, 2, "")
        rows = LedgerEntry.objects.filter(job_id=failed.pk, run=2)
        assert list(rows.values_list("kind", "ms")) == [("reserve", 10_000)]
        assert "runs again" in admin_client.get(f"{JOBS}{failed.pk}/history/").text

    def test_a_waiting_job_keeps_waiting_when_no_bell_can_be_rung(self, admin_client, make_job):
        job = make_job()
        before = facts()
        assert "waits already" in told(press(admin_client, "requeue", job))
        assert facts() == before

    def test_a_waiting_job_is_rung_whatever_was_rung_before(self, admin_client, make_job, broker):
        job = make_job(dispatched_at=timezone.now())
        assert "was rung again" in told(press(admin_client, "requeue", job))
        assert broker.llen("speech") == 1

    @pytest.mark.parametrize(("state", "reason"), [("done", "done already"), ("held", "A worker is at it now")])
    def test_a_job_that_is_done_or_at_work_is_left_alone(self, admin_client, request, state, reason):
        job = request.getfixturevalue(state)
        before = facts()
        assert reason in told(press(admin_client, "requeue", job))
        assert facts() == before

    def test_it_says_when_the_owners_budget_does_not_reach(self, admin_client, failed):
        QuotaAccount.objects.filter(pk=failed.owner_id).update(limit_ms=4_000)
        before = facts()
        answer = told(press(admin_client, "requeue", failed))
        assert "audio limit exceeded. you have 4s remaining" in answer
        assert facts() == before

    def test_the_action_does_what_it_can_and_says_the_rest(self, admin_client, failed, make_job, done):
        other = make_job()
        cancel_job(job=other)
        answer = told(run_action(admin_client, "requeue_selected", failed, other, done))
        assert f"2 jobs: runs again (#{failed.pk}, #{other.pk})." in answer
        assert f"1 job unchanged (#{done.pk}): It is done already" in answer
        assert list(Job.objects.order_by("pk").values_list("run", flat=True)) == [2, 1, 2]


class TestCancel:
    def test_a_waiting_job_is_cancelled_at_once(self, admin_client, make_job):
        job = make_job()
        assert "1 job: cancelled" in told(press(admin_client, "cancel", job))
        job.refresh_from_db()
        assert job.status == Status.CANCELLED
        assert QuotaAccount.objects.get(pk=job.owner_id).reserved_ms == 0

    def test_a_job_at_work_is_asked_to_stop(self, admin_client, held):
        assert "will stop within seconds" in told(press(admin_client, "cancel", held))
        held.refresh_from_db()
        assert (held.status, held.cancel_requested) == (Status.PROCESSING, True)
        assert held.token

    def test_a_finished_job_is_left_alone(self, admin_client, done):
        before = facts()
        assert "The job is done already" in told(press(admin_client, "cancel", done))
        assert facts() == before

    def test_the_action_does_what_it_can_and_says_the_rest(self, admin_client, make_job, held, done):
        waiting = make_job()
        answer = told(run_action(admin_client, "cancel_selected", waiting, held, done))
        for text in (
            f"1 job: cancelled (#{waiting.pk})",
            f"(#{held.pk})",
            f"1 job unchanged (#{done.pk}): The job is done already",
        ):
            assert text in answer

    def test_a_whole_page_can_be_ticked(self, admin_client, make_job):
        jobs = [make_job(reserved_ms=1) for _ in range(50)]
        assert "50 jobs: cancelled" in told(run_action(admin_client, "cancel_selected", *jobs))
        assert set(Job.objects.values_list("status", flat=True)) == {Status.CANCELLED}

    def test_jobs_that_were_not_ticked_are_out_of_reach(self, admin_client, make_job):
        ticked, other = make_job(), make_job()
        run_action(admin_client, "cancel_selected", ticked, select_across="1")
        other.refresh_from_db()
        assert other.status == Status.PENDING


class TestDelete:
    def test_the_job_goes_with_its_files_and_the_ledger_stays(self, admin_client, stored):
        confirm = admin_client.get(f"{JOBS}{stored.pk}/delete/")
        assert confirm.status_code == 200
        assert admin_client.post(f"{JOBS}{stored.pk}/delete/", {"post": "yes"}).status_code == 302
        assert not Job.objects.exists()
        assert not default_storage.exists(stored.source_key)
        assert not default_storage.exists(stored.pcm_key)
        assert list(LedgerEntry.objects.order_by("id").values_list("kind", flat=True)) == ["reserve", "release"]
        assert QuotaAccount.objects.get(pk=stored.owner_id).reserved_ms == 0

    def test_the_worker_of_a_running_job_loses_it(self, admin_client, stored):
        claim = lifecycle.claim_job(job_id=stored.pk, stage=Stage.PROBE, holder="here:1:2")
        admin_client.post(f"{JOBS}{stored.pk}/delete/", {"post": "yes"})
        assert not Job.objects.exists()
        with pytest.raises(LeaseLost):
            lifecycle.complete(claim)
        assert QuotaAccount.objects.get(pk=stored.owner_id).reserved_ms == 0

    def test_ticked_jobs_go_with_their_files(self, admin_client, stored, make_job, done):
        other = make_job()
        confirm = run_action(admin_client, "delete_selected", stored, done)
        assert "Are you sure" in confirm.text
        assert Job.objects.count() == 3
        answer = run_action(admin_client, "delete_selected", stored, done, post="yes")
        assert "Successfully deleted 2 jobs" in told(answer)
        assert list(Job.objects.values_list("pk", flat=True)) == [other.pk]
        assert not default_storage.exists(stored.source_key)

    def test_the_confirmation_escapes_file_names(self, admin_client, make_job):
        job = make_job()
        Job.objects.update(filename="<img src=x>.mp3")
        assert "<img src=x>" not in admin_client.get(f"{JOBS}{job.pk}/delete/").text


class TestDeletingAnOwner:
    def test_their_jobs_are_cancelled_and_their_files_removed(self, admin_client, alice, stored, done):
        claim = lifecycle.claim_job(job_id=stored.pk, stage=Stage.PROBE, holder="here:1:2")
        confirm = admin_client.get(f"/admin/accounts/user/{alice.pk}/delete/")
        assert "Jobs: 2" in confirm.text
        assert admin_client.post(f"/admin/accounts/user/{alice.pk}/delete/", {"post": "yes"}).status_code == 302
        assert not User.objects.filter(pk=alice.pk).exists()
        assert not Job.objects.exists()
        assert not default_storage.exists(stored.source_key)
        with pytest.raises(LeaseLost):
            lifecycle.complete(claim)
        kinds = LedgerEntry.objects.filter(job_id=stored.pk).order_by("id").values_list("kind", flat=True)
        assert list(kinds) == ["reserve", "release"]

    def test_ticked_users_go_the_same_way(self, admin_client, alice, charlie, stored):
        data = {"action": "delete_selected", "_selected_action": [alice.pk, charlie.pk], "post": "yes"}
        admin_client.post("/admin/accounts/user/", data)
        assert list(User.objects.values_list("email", flat=True)) == ["admin@example.com"]
        assert not default_storage.exists(stored.source_key)

    def test_it_needs_the_right_to_delete_jobs(self, staff, alice, stored):
        before = facts()
        for client in (staff("view_user", "delete_user"), staff("view_user", "delete_job")):
            assert client.post(f"/admin/accounts/user/{alice.pk}/delete/", {"post": "yes"}).status_code == 403
        alice.refresh_from_db()
        assert alice.is_active
        assert facts()[0] == before[0]
        assert default_storage.exists(stored.source_key)

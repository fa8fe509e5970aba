"""The thread that keeps the lease, tells the loop to stop, and acts in its place when it does not come back."""

import signal
import subprocess
import sys
import textwrap
import time

import pytest
from django.db.models.functions import Now

from accounts.models import LedgerEntry
from jobs import lease, lifecycle
from jobs.errors import CancelRequested, LeaseLost, StopRequested
from jobs.lease import LeaseKeeper
from jobs.models import Job, Stage, Status, TranscriptPart
from jobs.stop_notice import give_stop_notice, prepare_stop_notice, withdraw_stop_notice
from transcribify.tests.live_service import ROOT, LiveService

pytestmark = pytest.mark.django_db(transaction=True)


def claim(job):
    return lifecycle.claim_job(job_id=job.pk, stage=Stage.PROBE, holder="here:1:2")


def test_the_thread_renews_while_the_loop_is_silent(make_job, settings):
    settings.JOB_LEASE_SECONDS = 1
    job = make_job()
    with LeaseKeeper(claim(job), stall_seconds=60):
        time.sleep(2.5)
        expired = Job.objects.filter(lease_until__lt=Now())
        assert not expired.exists()


def test_the_loop_hears_of_a_cancel(make_job, settings):
    settings.JOB_LEASE_SECONDS = 1
    job = make_job()
    with LeaseKeeper(claim(job), stall_seconds=60) as keeper:
        keeper.beat()
        Job.objects.update(cancel_requested=True)
        time.sleep(1)
        with pytest.raises(CancelRequested):
            keeper.beat()


def test_the_loop_hears_that_its_lease_is_lost(make_job, settings):
    settings.JOB_LEASE_SECONDS = 1
    job = make_job()
    with LeaseKeeper(claim(job), stall_seconds=60) as keeper:
        Job.objects.update(token=None)
        time.sleep(1)
        with pytest.raises(LeaseLost):
            keeper.beat()


def test_the_loop_hears_that_the_worker_is_to_stop_when_the_grace_is_over(make_job, monkeypatch):
    monkeypatch.setattr(lease, "STOP_GRACE_SECONDS", 0.5)
    prepare_stop_notice()
    try:
        with LeaseKeeper(claim(make_job()), stall_seconds=60) as keeper:
            keeper.beat()
            give_stop_notice()
            keeper.beat()  # what can be finished at once need not be done twice
            time.sleep(0.6)
            with pytest.raises(StopRequested):
                keeper.beat()
    finally:
        withdraw_stop_notice()


def test_a_cancel_does_not_wait_for_a_loop_that_is_busy(make_job, monkeypatch):
    monkeypatch.setattr(lease, "PATIENCE_SECONDS", 0.5)
    job = make_job()
    TranscriptPart.objects.create(
        job=job, position=0, text="so far", segments=[{"start": 0, "end": 4, "text": "so far"}]
    )
    with LeaseKeeper(claim(job), stall_seconds=60) as keeper:
        Job.objects.update(cancel_requested=True)
        time.sleep(lease.ASK_SECONDS + 2)
        job.refresh_from_db()
        assert (job.status, job.token) == (Status.CANCELLED, None)
        with pytest.raises(LeaseLost):
            keeper.beat()
    assert LedgerEntry.objects.get(job_id=job.pk, kind="settle").ms == 4_000


def run_in_a_process(tmp_path, work: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``work`` with a claimed job in a database and a process of its own."""
    live = LiveService(tmp_path, **variables)
    live.migrate()
    code = """
        import os, time, django
        django.setup()
        from accounts.models import User
        from jobs import lease, lifecycle
        from jobs.lease import LeaseKeeper
        from jobs.models import Job, Stage
        from jobs.stop_notice import give_stop_notice, prepare_stop_notice
        owner = User.objects.create_user("alice@example.org", "a long password")
        job = Job.objects.create(owner=owner, filename="x")
        claim = lifecycle.claim_job(job_id=job.pk, stage=Stage.PROBE, holder="here")
    """
    command = [sys.executable, "-c", textwrap.dedent(code) + textwrap.dedent(work)]
    return subprocess.run(command, cwd=ROOT, env=live.environment, capture_output=True, text=True, timeout=60)


def test_a_process_whose_loop_hangs_ends_itself(tmp_path):
    done = run_in_a_process(
        tmp_path,
        """
        with LeaseKeeper(claim, stall_seconds=1):
            time.sleep(55)
        """,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert "no progress" in done.stdout


def test_a_worker_that_is_to_stop_does_not_wait_for_a_loop_that_is_busy(tmp_path):
    done = run_in_a_process(
        tmp_path,
        """
        prepare_stop_notice()
        with LeaseKeeper(claim, stall_seconds=60):
            give_stop_notice()
            time.sleep(55)
        """,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert "does not wait for the engine" in done.stdout

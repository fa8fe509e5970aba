"""A process of this machine that died is not waited for."""

import os
import subprocess
import uuid

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from jobs import files, lifecycle, processes, services, slots
from jobs.models import Job, Stage, Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def dead_pid():
    """The number of a process that existed and is gone."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def hold(job, worker_pid, own_pid, machine=None):
    holder = f"{machine or processes.machine_name()}:{worker_pid}:{own_pid}"
    return lifecycle.claim_job(job_id=job.pk, stage=Stage.PROBE, holder=holder)


def test_the_job_of_a_dead_process_is_freed_at_once_and_counts_a_crash(make_job, dead_pid):
    job = make_job()
    hold(job, os.getpid(), dead_pid)
    assert slots.free_jobs_of_the_dead() == 1
    job.refresh_from_db()
    assert (job.token, job.crashes, job.transient_failures) == (None, 1, 0)


def test_a_living_process_keeps_its_job(make_job):
    job = make_job()
    held = hold(job, os.getppid(), os.getpid())
    assert slots.free_jobs_of_the_dead() == 0
    job.refresh_from_db()
    assert job.token == held.token


def test_a_process_of_another_machine_is_left_to_its_lease(make_job, dead_pid):
    job = make_job()
    hold(job, dead_pid, dead_pid, machine="elsewhere-1")
    assert slots.free_jobs_of_the_dead() == 0


def test_a_lost_worker_is_a_transient_failure_and_the_fourth_ends_the_job(make_job, dead_pid):
    job = make_job()
    for failures in (1, 2, 3, 4):
        hold(job, dead_pid, dead_pid)
        slots.free_jobs_of_the_dead()
        job.refresh_from_db()
        assert (job.crashes, job.transient_failures) == (0, failures)
        assert job.status == (Status.FAILED if failures == 4 else Status.PROCESSING)
    assert job.error_code == "crashed_repeatedly"


def test_a_poison_recording_ends_with_the_third_crash(make_job, dead_pid):
    job = make_job()
    for crashes in (1, 2, 3):
        hold(job, os.getpid(), dead_pid)
        slots.free_jobs_of_the_dead()
        job.refresh_from_db()
        assert job.crashes == crashes
    assert (job.status, job.error_code) == (Status.FAILED, "crashed_repeatedly")
    assert not Job.objects.filter(token__isnull=False).exists()


def test_what_a_dead_process_left_in_the_work_folder_is_removed(settings, tmp_path, dead_pid):
    settings.WORK_DIR = tmp_path
    left = tmp_path / f"{processes.machine_name()}.{dead_pid}-abc"
    kept = tmp_path / f"{processes.machine_name()}.{os.getpid()}-abc"
    elsewhere = tmp_path / f"elsewhere-1.{dead_pid}-abc"
    for folder in (left, kept, elsewhere):
        folder.mkdir()
    (tmp_path / f"{processes.machine_name()}.{dead_pid}-stop").touch()
    assert files.sweep_work_folders() == 2
    assert sorted(tmp_path.iterdir()) == sorted([kept, elsewhere])


@pytest.fixture
def decoded_twice(make_job, settings, tmp_path):
    """A job with decoded audio in the storage, of its present holder and of one that was killed."""
    settings.MEDIA_ROOT = tmp_path
    job = make_job()
    for token in (uuid.uuid4(), uuid.uuid4()):
        job.pcm_key = files.pcm_key(job.uid, token)
        default_storage.save(files.chunk_key(job.pcm_key, 0), ContentFile(b"samples"))
    job.save()
    assert len(list(tmp_path.rglob("*.pcm"))) == 2
    return job


def test_all_decoded_audio_of_a_finished_job_is_removed(decoded_twice, tmp_path):
    assert files.remove_work_files(decoded_twice)
    assert not list(tmp_path.rglob("*.pcm"))
    decoded_twice.refresh_from_db()
    assert decoded_twice.pcm_key == ""


def test_all_decoded_audio_of_a_deleted_job_is_removed(decoded_twice, tmp_path):
    services.delete_job(job=decoded_twice)
    assert not list(tmp_path.rglob("*.pcm"))
    assert not list((tmp_path / "work").iterdir())

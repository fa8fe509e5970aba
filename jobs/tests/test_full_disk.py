"""A disk without room refuses an upload with 507 and keeps nothing of it. The disk is real: two megabytes of memory."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import LedgerEntry, QuotaAccount
from jobs.models import Job

pytestmark = pytest.mark.django_db

DISK_BYTES = 2_000_000
PLENTY = bytes(5_000_000)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small disk needs root and the right to mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def upload(as_alice) -> Callable[..., tuple[int, str]]:
    def send(content: bytes, **headers: str) -> tuple[int, str]:
        file = SimpleUploadedFile("a.flac", content)
        response = as_alice.post("/jobs", {"file": file}, format="multipart", **headers)
        return response.status_code, response.json().get("code", "")

    return send


def assert_nothing_changed(*folders: Path) -> None:
    assert not Job.objects.exists()
    assert not LedgerEntry.objects.exists()
    assert not QuotaAccount.objects.exclude(reserved_ms=0).exists()
    assert not [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def test_an_upload_that_fills_the_disk_while_it_arrives_is_507(upload, settings, small_disk):
    settings.FILE_UPLOAD_TEMP_DIR, settings.MIN_FREE_DISK_MEGABYTES = small_disk, 0
    assert upload(PLENTY, HTTP_TRANSFER_ENCODING="chunked") == (507, "storage_full")
    assert_nothing_changed(small_disk)


def test_a_recording_that_does_not_fit_into_the_storage_is_507(upload, settings, small_disk, tone_path):
    settings.MEDIA_ROOT = small_disk / "media"
    (small_disk / "full").write_bytes(bytes(DISK_BYTES - 100_000))
    content = tone_path.read_bytes() + bytes(300_000)
    assert upload(content) == (507, "storage_full")
    (small_disk / "full").unlink()
    assert_nothing_changed(small_disk, Path(settings.FILE_UPLOAD_TEMP_DIR))
    assert upload(content)[0] == 202


def test_an_upload_larger_than_what_is_free_is_refused_before_it_is_read(upload, settings, small_disk):
    settings.FILE_UPLOAD_TEMP_DIR, settings.MIN_FREE_DISK_MEGABYTES = small_disk, 0
    assert upload(PLENTY) == (507, "storage_full")
    assert_nothing_changed(small_disk)


def test_the_reserve_is_kept_free(upload, settings, small_disk, tone_path):
    settings.FILE_UPLOAD_TEMP_DIR, settings.MIN_FREE_DISK_MEGABYTES = small_disk, 2
    assert upload(tone_path.read_bytes()) == (507, "storage_full")
    assert_nothing_changed(small_disk)
    settings.MIN_FREE_DISK_MEGABYTES = 1
    assert upload(tone_path.read_bytes())[0] == 202

"""Files that no job needs are removed, and only those."""

import os
import time
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from jobs import files, leftovers

pytestmark = pytest.mark.django_db

NOBODYS = uuid.UUID("00000000-0000-4000-8000-000000000000")
LONG_AGO = time.time() - (leftovers.ORPHAN_AGE + timedelta(hours=1)).total_seconds()


@pytest.fixture(autouse=True)
def empty_storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "incoming"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    settings.WORK_DIR = tmp_path / "work"
    settings.WORK_DIR.mkdir()


def store(key: str, *, old: bool = True) -> Path:
    path = Path(default_storage.path(default_storage.save(key, ContentFile(b"sound"))))
    if old:
        os.utime(path, (LONG_AGO, LONG_AGO))
    return path


@pytest.mark.parametrize("key", [files.source_key(NOBODYS), files.pcm_key(NOBODYS, NOBODYS)], ids=["upload", "work"])
def test_an_old_file_without_a_job_is_removed_with_its_folder(key):
    path = store(key)
    assert leftovers.remove_orphans() == 1
    assert not path.parent.exists()


def test_a_young_file_may_still_get_its_job(make_job):
    path = store(files.source_key(uuid.uuid4()), old=False)
    assert leftovers.remove_orphans() == 0
    assert path.exists()


def test_a_jobs_own_recording_stays(make_job):
    path = store(files.source_key(make_job().uid))
    assert leftovers.remove_orphans() == 0
    assert path.exists()


def test_what_is_not_ours_stays():
    path = store("uploads/readme/notes.txt")
    assert leftovers.remove_orphans() == 0
    assert path.exists()


def test_a_broken_upload_is_removed_when_it_is_old(settings):
    old, young = (settings.FILE_UPLOAD_TEMP_DIR / name for name in ("old.upload", "young.upload"))
    old.touch()
    young.touch()
    os.utime(old, (LONG_AGO, LONG_AGO))
    assert leftovers.remove_orphans() == 1
    assert (old.exists(), young.exists()) == (False, True)


def test_the_work_of_a_container_that_is_gone_is_removed(settings):
    old, young = (settings.WORK_DIR / f"gone-4026531836.{pid}-abc" for pid in (7, 8))
    for folder in (old, young):
        folder.mkdir()
        (folder / "audio.pcm").touch()
    os.utime(old, (LONG_AGO, LONG_AGO))
    assert leftovers.remove_orphans() == 1
    assert (old.exists(), young.exists()) == (False, True)

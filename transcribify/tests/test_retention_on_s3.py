"""What is kept too long is removed from S3: a real S3 server, behind a door that can fail."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models.functions import Now

from accounts.models import User
from jobs import files, retention
from jobs.models import Job, Status
from transcribify.tests.s3_server import BUCKET, FlakyDoor, s3_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Iterator[tuple[Any, FlakyDoor]]:
    with s3_server() as (bucket, address):
        door = FlakyDoor(address)
        yield bucket, door
        door.close()


@pytest.fixture
def storage_on_s3(server: tuple[Any, FlakyDoor], settings: Any) -> None:
    options = {"bucket_name": BUCKET, "endpoint_url": server[1].address, "access_key": "a", "secret_key": "b"}
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "transcribify.s3.S3Recordings", "OPTIONS": options | {"region_name": "us-east-1"}}
    }


@pytest.fixture
def due(storage_on_s3: None, alice: User) -> Job:
    job = Job.objects.create(
        owner=alice, filename="talk.mp3", status=Status.FAILED, stage=None, finished_at=Now(), delete_at=Now()
    )
    job.source_key = default_storage.save(files.source_key(job.uid), ContentFile(b"sound"))
    job.save(update_fields=["source_key"])
    default_storage.save(files.pcm_key(job.uid, job.uid), ContentFile(b"samples"))
    return job


def keys(bucket: Any) -> list[str]:
    return sorted(item.key for item in bucket.objects.all())


def test_recording_and_work_files_are_gone_from_the_bucket(server: tuple[Any, FlakyDoor], due: Job) -> None:
    bucket, _ = server
    bucket.put_object(Key="uploads/another/source", Body=b"sound")
    assert len(keys(bucket)) == 3
    assert retention.remove_due() == 1
    assert keys(bucket) == ["uploads/another/source"]


def test_a_storage_that_fails_once_is_asked_again(server: tuple[Any, FlakyDoor], due: Job) -> None:
    bucket, door = server
    door.turn("broken")
    assert retention.remove_due() == 0
    due.refresh_from_db()
    assert due.removed_at is None
    assert len(keys(bucket)) == 2
    door.turn("open")
    Job.objects.update(delete_at=Now())
    assert retention.remove_due() == 1
    due.refresh_from_db()
    assert due.removed_at
    assert keys(bucket) == []

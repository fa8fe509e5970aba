"""The main job with recordings on S3: a real S3 server, the real client."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from django.core.files.storage import storages

from jobs import files
from jobs.models import Job
from transcribify.tests.client import Client
from transcribify.tests.conftest import ASSETS
from transcribify.tests.live_service import LiveService, running_service, wait_until
from transcribify.tests.s3_server import FlakyDoor, s3_server, s3_variables


@pytest.fixture
def bucket() -> Iterator[tuple[Any, str]]:
    with s3_server() as found:
        yield found


@pytest.fixture
def service_on_s3(bucket: tuple[Any, str], tmp_path: Path) -> Iterator[LiveService]:
    with running_service(
        tmp_path,
        **s3_variables(bucket[1]),
        TRANSCRIPTION_ENGINE="faster-whisper",
        WHISPER_MODELS_DIR=str(ASSETS),
        DEFAULT_MODEL="whisper-micro",
    ) as live:
        yield live


def keys(bucket) -> list[str]:
    return sorted(item.key for item in bucket.objects.all())


def test_a_recording_on_s3_goes_the_whole_way(service_on_s3: LiveService, bucket, english_path: Path) -> None:
    client = Client(service_on_s3.url, "alice@example.org")
    job = client.transcribe(english_path)
    assert job["status"] == "done", job
    assert job["transcript"]
    assert client.usage()["used_seconds"] == pytest.approx(job["duration_seconds"], abs=0.1)
    wait_until(
        lambda: keys(bucket[0]) == [f"uploads/{job['uid']}/source"], seconds=10, what="only the recording to be left"
    )
    assert not (service_on_s3.folder / "media").exists()
    client.http.delete(f"/jobs/{job['id']}")
    assert keys(bucket[0]) == []


def test_an_object_is_read_without_holding_it_in_memory(bucket, settings, tmp_path: Path) -> None:
    s3_bucket, address = bucket
    s3_bucket.put_object(Key="uploads/x/source", Body=bytes(160_000_000))
    options = {"bucket_name": "recordings", "endpoint_url": address, "access_key": "a", "secret_key": "b"}
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "transcribify.s3.S3Recordings", "OPTIONS": options | {"region_name": "us-east-1"}}
    }
    assert type(storages["default"]).__name__ == "S3Recordings"
    tracemalloc.start()
    with files.local_copy("uploads/x/source", tmp_path) as path:
        assert path.stat().st_size == 160_000_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"peak {peak / 1e6:.0f} MB for an object of 160 MB")
    assert peak < 60_000_000


@pytest.fixture
def recordings_on_s3(bucket, settings):
    """The storage of this process in the bucket."""
    options = {"bucket_name": "recordings", "endpoint_url": bucket[1], "access_key": "a", "secret_key": "b"}
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "transcribify.s3.S3Recordings", "OPTIONS": options | {"region_name": "us-east-1"}}
    }
    return bucket[0]


@pytest.mark.django_db
def test_a_download_leads_to_the_bucket_for_some_minutes(recordings_on_s3, as_alice, alice) -> None:
    job = Job.objects.create(owner=alice, filename="Звонок.mp3", source_key="uploads/x/source")
    recordings_on_s3.put_object(Key=job.source_key, Body=b"0123456789", ContentType="text/html")
    answer = as_alice.get(f"/jobs/{job.pk}/audio")
    assert (answer.status_code, answer["Cache-Control"]) == (302, "no-store")
    asked = parse_qs(urlsplit(answer["Location"]).query)
    assert (asked["X-Amz-Expires"], asked["X-Amz-Algorithm"]) == (["600"], ["AWS4-HMAC-SHA256"])
    sent = httpx2.get(answer["Location"], headers={"Range": "bytes=2-4"})
    assert (sent.status_code, sent.content, sent.headers["Content-Type"]) == (206, b"234", "audio/mpeg")
    name = "%D0%97%D0%B2%D0%BE%D0%BD%D0%BE%D0%BA.mp3"
    assert sent.headers["Content-Disposition"] == f"attachment; filename*=utf-8''{name}"
    head = httpx2.head(as_alice.head(f"/jobs/{job.pk}/audio")["Location"])
    assert (head.status_code, head.headers["Content-Length"]) == (200, "10")


@pytest.mark.django_db
def test_a_download_of_what_the_bucket_has_no_more_is_gone(recordings_on_s3, as_alice, alice) -> None:
    job = Job.objects.create(owner=alice, filename="talk.mp3", source_key="uploads/x/source")
    answer = as_alice.get(f"/jobs/{job.pk}/audio")
    assert (answer.status_code, answer.json()["code"]) == (410, "audio_removed")


@pytest.mark.django_db
def test_a_download_from_a_bucket_that_fails_is_to_be_tried_again(settings, recordings_on_s3, as_alice, alice) -> None:
    door = FlakyDoor(settings.STORAGES["default"]["OPTIONS"]["endpoint_url"])
    door.turn("broken")
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "transcribify.s3.S3Recordings",
            "OPTIONS": settings.STORAGES["default"]["OPTIONS"] | {"endpoint_url": door.address},
        }
    }
    job = Job.objects.create(owner=alice, filename="talk.mp3", source_key="uploads/x/source")
    answer = as_alice.get(f"/jobs/{job.pk}/audio")
    door.close()
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")

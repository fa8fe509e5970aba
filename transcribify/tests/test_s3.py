"""The main job with recordings on S3: a real S3 server, the real client."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages

from jobs import files
from transcribify.tests.client import Client
from transcribify.tests.conftest import ASSETS
from transcribify.tests.live_service import LiveService, running_service, wait_until
from transcribify.tests.s3_server import s3_server, s3_variables


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

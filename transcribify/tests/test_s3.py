"""The main job with recordings on S3: a real S3 server, the real client."""

import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from django.core.files.storage import storages

from jobs import files
from transcribify.tests.client import Client
from transcribify.tests.conftest import ASSETS
from transcribify.tests.live_service import LiveService, free_port, is_open, running_service, wait_until


@pytest.fixture
def bucket() -> Iterator[tuple[object, str]]:
    """An S3 server with a bucket; (the bucket, the server's address)."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_until(lambda: is_open(port), seconds=30, what="the S3 server")
    address = f"http://127.0.0.1:{port}"
    s3 = boto3.resource(
        "s3", endpoint_url=address, aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1"
    )
    try:
        yield s3.create_bucket(Bucket="recordings"), address
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def service_on_s3(bucket, tmp_path: Path) -> Iterator[LiveService]:
    _, address = bucket
    with running_service(
        tmp_path,
        S3_BUCKET="recordings",
        S3_ENDPOINT_URL=address,
        S3_REGION="us-east-1",
        S3_ACCESS_KEY_ID="a",
        S3_SECRET_ACCESS_KEY="b",
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

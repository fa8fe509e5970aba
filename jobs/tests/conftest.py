"""Jobs in the states that tests need."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from kombu import pools

from accounts import quota
from celery_app import app
from jobs import pipeline
from jobs.models import Job

NO_BROKER = "redis://127.0.0.1:1/0"
OPTIONS = {"model": "", "language": None, "beam_size": 5, "vad_filter": True, "word_timestamps": False, "report": True}


@pytest.fixture
def make_job(alice) -> Callable[..., Job]:
    """Makes a waiting job with a reservation of ten seconds."""

    def make(reserved_ms: int = 10_000, owner: Any = None, **fields: Any) -> Job:
        owner = owner or alice
        job = Job.objects.create(
            owner=owner, duration_ms=reserved_ms, **{"filename": "talk.mp3", "options": OPTIONS, **fields}
        )
        quota.reserve(account_id=owner.pk, job_id=job.pk, run=1, duration_ms=reserved_ms)
        job.refresh_from_db()
        return job

    return make


@pytest.fixture
def broker(redis_server):
    """The tests' own Redis as the broker, empty; a client to look into it."""
    use_broker(redis_server)
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
        yield client
    use_broker(NO_BROKER)


def use_broker(url: str) -> None:
    """Publish there from now on. Nobody listens at ``NO_BROKER``."""
    app.conf.broker_url = url
    app.conf.broker_write_url = url
    pools.reset()
    app._pool = None
    app.amqp._producer_pool = None
    pipeline._silent_until = 0.0  # it may have been told of a broker that did not answer


@pytest.fixture(scope="session")
def tone_path(tmp_path_factory) -> Path:
    """Two seconds of a tone: sound, but no speech."""
    path = tmp_path_factory.mktemp("audio") / "tone.flac"
    run_ffmpeg("-f", "lavfi", "-i", "sine=frequency=440:duration=2", str(path))
    return path


def run_ffmpeg(*arguments: str) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments], check=True)

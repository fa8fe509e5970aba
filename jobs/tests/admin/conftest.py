"""Staff, and jobs in the states that staff meet."""

import uuid

import pytest
import redis
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from accounts.models import User
from jobs import lifecycle
from jobs.models import Stage
from jobs.notices import notice
from jobs.tests.test_bell import use_broker


@pytest.fixture
def staff(db):
    """Makes a client of somebody on the staff who has these permissions and no others."""

    def make(*codenames):
        person = User.objects.create_user(f"staff{User.objects.count()}@example.org", "x", is_staff=True)
        permissions = Permission.objects.filter(codename__in=codenames)
        assert len(permissions) == len(codenames)
        person.user_permissions.set(permissions)
        client = Client()
        client.force_login(person)
        return client

    return make


@pytest.fixture
def broker(redis_server):
    use_broker(redis_server)
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
        yield client
    use_broker("redis://127.0.0.1:1/0")


@pytest.fixture
def failed(make_job):
    job = make_job()
    claim = lifecycle.claim_job(job_id=job.pk, stage=Stage.PROBE, holder="here:1:2")
    lifecycle.fail(claim, code="unsupported_media", message="Send <b>audio</b>.")
    job.refresh_from_db()
    return job


@pytest.fixture
def held(make_job):
    job = make_job()
    lifecycle.claim_job(job_id=job.pk, stage=Stage.PROBE, holder="here:1:2")
    job.refresh_from_db()
    return job


@pytest.fixture
def done(make_job):
    job = make_job()
    claim = lifecycle.claim_job(job_id=job.pk, stage=Stage.PROBE, holder="here:1:2")
    lifecycle.complete(claim, warnings=[notice("no_speech")])
    job.refresh_from_db()
    return job


@pytest.fixture
def stored(make_job):
    """A waiting job whose files are in the storage."""
    uid = uuid.uuid4()
    keys = [default_storage.save(f"{folder}/{uid}", ContentFile(b"sound")) for folder in ("uploads", "work")]
    return make_job(uid=uid, source_key=keys[0], pcm_key=keys[1])

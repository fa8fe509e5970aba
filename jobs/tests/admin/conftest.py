"""Jobs in the states that staff meet."""

import uuid

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from jobs import files, lifecycle
from jobs.models import Stage
from jobs.notices import notice


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
    names = (files.source_key(uid), files.pcm_key(uid, uuid.uuid4()))
    keys = [default_storage.save(name, ContentFile(b"sound")) for name in names]
    return make_job(uid=uid, source_key=keys[0], pcm_key=keys[1])

"""Times are compared where they are made: in the database."""

import pytest
from django.db.models.functions import Now

from jobs.clock import from_now
from jobs.models import Job

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("seconds", "due"), [(0, True), (0.0, True), (-1, True), (1, False)])
def test_what_is_due_at_once_is_due_in_the_same_millisecond(make_job, seconds, due):
    make_job()
    # One statement sees one moment, however slow the machine is.
    assert Job.objects.annotate(due_at=from_now(seconds)).filter(due_at__lte=Now()).exists() is due

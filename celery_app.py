"""The Celery application: ``celery -A celery_app worker``. Its settings are in ``transcribify.settings.celery``."""

import logging.config
import os
from typing import Any

from celery import Celery, signals
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "transcribify.settings.development")

# Django's checks load every view and form, which a worker never needs: they double its start-up time, and migrating,
# serving and ./run check run them anyway.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("transcribify")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def set_up_logging(**kwargs: Any) -> None:
    """Log as the rest of the service does; with a receiver here, Celery leaves the loggers alone."""
    logging.config.dictConfig(settings.LOGGING)

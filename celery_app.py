"""The Celery application: ``celery -A celery_app worker``. Its settings are ``CELERY_…`` in ``transcribify.settings``."""

import logging.config
import os
from typing import Any

from celery import Celery, signals
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "transcribify.settings.development")

app = Celery("transcribify")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def set_up_logging(**kwargs: Any) -> None:
    """Log as the rest of the service does; with a receiver here, Celery leaves the loggers alone."""
    logging.config.dictConfig(settings.LOGGING)

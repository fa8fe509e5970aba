"""The composition root: settings, URLs and doors over several apps. No app imports it."""

from celery_app import app as celery_app

__all__ = ["celery_app"]

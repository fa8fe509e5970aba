"""What a worker that writes reports does when a process of it starts: have the writer ready before the first report."""

import logging
import threading
from typing import Any

from celery import signals

from jobs.worker import reads_queue
from reports.services import open_writer

logger = logging.getLogger(__name__)


@signals.worker_process_init.connect
def start_loading(**kwargs: Any) -> None:
    if reads_queue("light"):
        threading.Thread(target=_load, name="load-writer", daemon=True).start()


def _load() -> None:
    try:
        open_writer().load()
    except Exception:
        logger.exception("the report writer could not be made ready ahead of the first report")

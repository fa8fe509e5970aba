"""What a Celery worker does besides tasks: learn its engine, register its slots, end frozen ones, hear of its end.

The main process never opens a database connection: a SQLite file that is open across a fork can be damaged. Models are
loaded after the fork, too (CTranslate2 hangs in a child whose parent had loaded a model).
"""

import logging
import os
import threading
from typing import Any

from celery import signals
from django.conf import settings
from django.db import connections
from django.db.models.functions import Now

from jobs import recognition
from jobs.files import sweep_work_folders
from jobs.models import WorkerSlot
from jobs.processes import slot_name
from jobs.pulse import FrozenWatch
from jobs.slots import free_jobs_of_the_dead
from jobs.stop_notice import give_stop_notice, prepare_stop_notice, withdraw_stop_notice

logger = logging.getLogger(__name__)

SEEN_EVERY_SECONDS = 10

_queues: list[str] = []


# A thread of OpenMP that waits for the others spins. By default for long where the threads of a model that was loaded
# ahead are still there, which costs half as much again; without spinning the others wait until it is awake. Read when
# the library is loaded, in the pool's processes.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "10000")


@signals.celeryd_after_setup.connect
def learn_queues(sender: str, instance: Any, **kwargs: Any) -> None:
    """In the main process: which queues this worker reads decides which models and engines it needs."""
    _queues[:] = sorted(instance.app.amqp.queues.consume_from)
    if "speech" in _queues:
        recognition.chosen_engine()
        recognition.share_cores_among(instance.concurrency)


def reads_queue(name: str) -> bool:
    """In a worker: whether it takes tasks from this queue."""
    return name in _queues


@signals.worker_init.connect
def prepare_worker(**kwargs: Any) -> None:
    """In the main process, before the pool starts."""
    prepare_stop_notice()


@signals.worker_ready.connect
def watch_pool(**kwargs: Any) -> None:
    """In the main process, once the pool runs."""
    FrozenWatch().start()


@signals.worker_shutting_down.connect
def pass_stop_on(**kwargs: Any) -> None:
    give_stop_notice()


@signals.worker_shutdown.connect
def tidy_up(**kwargs: Any) -> None:
    withdraw_stop_notice()


@signals.worker_process_init.connect
def start_slot(**kwargs: Any) -> None:
    """In each pool process, right after the fork."""
    threading.Thread(target=_stay_seen, name="slot", daemon=True).start()
    if reads_queue("speech") and settings.PRELOAD_MODELS:
        threading.Thread(target=_preload, name="preload", daemon=True).start()


@signals.worker_process_shutdown.connect
def end_slot(**kwargs: Any) -> None:
    """In a pool process that ends in good order: nobody need wait for it to be missed."""
    WorkerSlot.objects.filter(name=slot_name()).delete()
    connections.close_all()


def _stay_seen() -> None:
    name, queues = slot_name(), ",".join(_queues)
    engine = recognition.chosen_engine().name if reads_queue("speech") else ""
    pause = threading.Event()
    sweep_work_folders()
    while True:
        try:
            free_jobs_of_the_dead()
            WorkerSlot.objects.update_or_create(
                name=name, defaults={"queues": queues, "engine": engine, "seen_at": Now()}
            )
        except Exception as error:
            logger.warning("slot %s could not report itself, it tries again: %s", name, error)
            connections.close_all()
        pause.wait(SEEN_EVERY_SECONDS)


def _preload() -> None:
    for model in settings.PRELOAD_MODELS:
        try:
            recognition.load_model(model)
        except Exception:
            logger.exception("model %s could not be loaded ahead of the first job", model)

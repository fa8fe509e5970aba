"""``/healthz``: the process answers. ``/readyz``: everything that a job needs is there."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import redis
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, connections
from django.http import HttpRequest, HttpResponse, JsonResponse

from jobs.bell import live_slots

REDIS_WAIT_SECONDS = 2
CHECK_SECONDS = 5.0
"""What has not answered by then is missing: a storage or a database that hangs must not hang who asks for it."""


class HealthChecks:
    """Middleware: answers ``/healthz`` and ``/readyz`` before the name of the host is looked at.

    Load balancers ask by address, and neither answer depends on the name. All other addresses stay as strict.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        check = _ADDRESSES.get(request.path)
        return check(request) if check else self.get_response(request)


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "alive"})


def readyz(request: HttpRequest) -> JsonResponse:
    """503 names what is missing; recordings are taken all the same and wait."""
    answers = {name: _asked(name) for name in _CHECKS}
    wait(answers.values(), timeout=CHECK_SECONDS)
    missing = [name for name, answer in answers.items() if not (answer.done() and answer.result())]
    if missing:
        return JsonResponse({"status": "not ready", "missing": missing}, status=503)
    return JsonResponse({"status": "ready"})


def _asked(name: str) -> "Future[bool]":
    """The question that is on its way already, or a new one: so many who ask at once make no more work than one."""
    with _lock:
        if name not in _questions or _questions[name].done():
            _questions[name] = _threads.submit(_holds, _CHECKS[name])
        return _questions[name]


def _holds(check: Callable[[], object]) -> bool:
    try:
        return bool(check())
    except Exception:
        return False
    finally:
        connections.close_all()


def _database_answers() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,)


def _storage_answers() -> bool:
    default_storage.exists("uploads/none")
    return True


def _redis_answers() -> bool:
    client = redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=REDIS_WAIT_SECONDS,
        socket_connect_timeout=REDIS_WAIT_SECONDS,
        retry=None,
    )
    with client:
        return bool(client.ping())


def _worker_lives() -> bool:
    return live_slots().filter(queues__contains="speech").exists()


_CHECKS: dict[str, Callable[[], object]] = {
    "database": _database_answers,
    "storage": _storage_answers,
    "redis": _redis_answers,
    "worker": _worker_lives,
}

_lock = threading.Lock()
_threads = ThreadPoolExecutor(len(_CHECKS), thread_name_prefix="health")
_questions: dict[str, "Future[bool]"] = {}

_ADDRESSES = {"/healthz": healthz, "/readyz": readyz}

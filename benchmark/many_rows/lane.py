"""One database with its questions, and the clock. Each lane is the default database while it is asked."""

import logging
import sys
import time
from collections.abc import Callable
from typing import Any

import environ
from django.db import connections
from django.db.utils import load_backend

from benchmark.many_rows.filling import fill, gather_statistics
from benchmark.many_rows.questions import Questions


class Lane:
    """Filled when it is made."""

    def __init__(self, address: str, rows: int, *, analyze: bool) -> None:
        settings = {**connections.settings["default"], **environ.Env.db_url_config(address)}
        if settings["ENGINE"].endswith("postgresql"):
            settings["OPTIONS"] = {**settings["OPTIONS"], "options": "-c synchronous_commit=off"}
        self._connection = load_backend(settings["ENGINE"]).DatabaseWrapper(settings, "default")
        self._in_database = 0.0
        self._enter()
        started = time.monotonic()
        owners = fill(rows)
        self.questions = dict(Questions(owners, rows))
        if analyze:
            gather_statistics()
        print(f"{rows:,} jobs in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        self._connection.execute_wrappers.append(self._clocked)
        logging.getLogger("jobs.reconciler").addHandler(_Failing())

    def asker(self, name: str) -> Callable[[], tuple[float, float]]:
        """Asks once; the milliseconds that it took, and those of them in the database."""

        def ask() -> tuple[float, float]:
            self._enter()
            act = self.questions[name]()
            self._in_database = 0.0
            begun = time.perf_counter()
            act()
            return (time.perf_counter() - begun) * 1000, self._in_database * 1000

        return ask

    def _enter(self) -> None:
        connections["default"] = self._connection

    def _clocked(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self._in_database += time.perf_counter() - begun


class _Failing(logging.Handler):
    """A part of the reconciler that fails is logged there, and would be a quick one here."""

    def emit(self, record: logging.LogRecord) -> None:
        raise AssertionError(record.getMessage())

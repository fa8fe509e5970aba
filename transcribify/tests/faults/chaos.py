"""Faults as a bad day brings them, one after another, with a seed that is printed."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from transcribify.tests.client import Client
from transcribify.tests.live_service import LiveService
from transcribify.tests.postgres import PostgresServer

POLL_SECONDS = 0.1


class Chaos:
    """Inflicts faults on a service and starts what died again, as a supervisor would."""

    def __init__(self, live: LiveService, seed: int, postgres: PostgresServer | None = None) -> None:
        self.live = live
        self.random = random.Random(seed)
        self.inflicted: Counter[str] = Counter()
        self._postgres = postgres
        self._frozen: dict[str, float] = {}

    def storm(
        self, *faults: str, every_seconds: float, until: Callable[[], bool], limit_seconds: float, at_most: int = 10_000
    ) -> float:
        """One of ``faults`` at a time (names of methods) until a condition holds; the seconds that it took."""
        started = time.monotonic()
        next_fault = started + every_seconds
        while not until():
            now = time.monotonic()
            assert now - started < limit_seconds, f"not over after {limit_seconds} s, faults: {dict(self.inflicted)}"
            if now >= next_fault and self.inflicted.total() < at_most:
                next_fault = now + every_seconds
                getattr(self, self.random.choice(faults))()
            self.revive()
            time.sleep(POLL_SECONDS)
        self.calm()
        return time.monotonic() - started

    def kill_process(self) -> None:
        """``kill -9`` of a random worker's main process, or of one of its pool."""
        name = self.random.choice(self._workers())
        children = self.live.children_of(name)
        with suppress(psutil.NoSuchProcess):
            if children and self.random.random() < 0.5:
                self.random.choice(children).kill()
                self._count("child killed")
            else:
                self.live.kill(name)
                self._count("main killed")

    def drop_connections(self) -> None:
        """Redis stays, everybody's connection to it goes."""
        for kind in ("normal", "pubsub"):
            self.live.redis("CLIENT", "KILL", "TYPE", kind)
        self._count("connections dropped")

    def flush(self) -> None:
        self.live.redis("FLUSHALL")
        self._count("flushed")

    def kill_redis(self) -> None:
        self.live.kill("redis")
        self.live.start_redis()
        self._count("redis killed")

    def kill_reconciler(self) -> None:
        self.live.kill("reconciler1")
        self._count("reconciler killed")

    def stop_worker(self) -> None:
        """As a deployment does: SIGTERM."""
        self.live.signal(self.random.choice(self._workers()), signal.SIGTERM)
        self._count("worker asked to stop")

    def freeze_worker(self) -> None:
        """Stop a worker for longer than its lease, then let it go on."""
        name = self.random.choice(self._workers())
        if name not in self._frozen:
            self.live.signal(name, signal.SIGSTOP)
            lease_seconds = float(self.live.environment["JOB_LEASE_SECONDS"])
            self._frozen[name] = time.monotonic() + 2 * lease_seconds
            self._count("worker frozen")

    def restart_database(self) -> None:
        """All connections are cut; every other time it is a crash."""
        if self._postgres:
            mode = self.random.choice(["fast", "immediate"])
            self._postgres.restart(mode)
            self._count(f"database restarted ({mode})")

    def revive(self) -> None:
        """Start what is dead, thaw what was frozen long enough."""
        for name, until in list(self._frozen.items()):
            if time.monotonic() > until:
                self._thaw(name)
        if not self.live.is_running("redis"):
            self.live.start_redis()
        for name in self._workers():
            if not self.live.is_running(name):
                self.live.start_worker(name)
        for name in self.live.processes:
            if name.startswith("reconciler") and not self.live.is_running(name):
                self.live.start_reconciler(name)

    def calm(self) -> None:
        for name in list(self._frozen):
            self._thaw(name)
        self.revive()

    def _thaw(self, name: str) -> None:
        self.live.signal(name, signal.SIGCONT)
        del self._frozen[name]

    def _workers(self) -> list[str]:
        return [name for name in self.live.processes if name.startswith("worker")]

    def _count(self, fault: str) -> None:
        self.inflicted[fault] += 1


def submit_many(
    client: Client, path: Path, count: int, prompt: Callable[[int], str], *, threads: int = 4, **options: Any
) -> list[int]:
    """Hand in ``count`` recordings, several at a time; the ids of their jobs."""

    def submit(number: int) -> int:
        response = client.submit(path, prompt=prompt(number), **options)
        assert response.status_code == 202, response.text
        return int(response.json()["id"])

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(submit, range(count)))

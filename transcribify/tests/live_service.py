"""The whole service as real processes on free ports: what tests and benchmarks drive, and may kill."""

import functools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from deploy.demo import KEPT_VARIABLES

GRACEFUL_SECONDS = 2
"""For what the web process is at when it is told to stop; 10 in service, as nobody wants to wait here."""

ROOT = Path(__file__).resolve().parents[2]

DATABASE = "transcribify.sqlite3"
"""The database's file in the data folder, when it is SQLite's."""


def free_port() -> int:
    """A port on loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_open(port: int) -> bool:
    """Whether somebody listens on a port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], object], *, seconds: float, what: str) -> None:
    """Look at ``condition`` until it holds; an ``AssertionError`` that says ``what`` was waited for, else."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s for {what}")
        time.sleep(0.05)


@contextmanager
def running_service(
    folder: Path, *, workers: Mapping[str, str] | None = None, reconcilers: int = 1, **variables: str
) -> Iterator["LiveService"]:
    """The whole service while the block runs. ``workers`` are names and their queues; one that reads both, else."""
    live = LiveService(folder, **variables)
    try:
        live.start_redis()
        live.migrate()
        for number in range(reconcilers):
            live.start_reconciler(f"reconciler{number + 1}")
        for name, queues in ({"worker": "speech,light"} if workers is None else workers).items():
            live.start_worker(name, queues=queues)
        live.start_web()
        yield live
    finally:
        live.stop()


class LiveService:
    """Redis, a database and any number of service processes under one data folder; ``stop`` ends them all."""

    def __init__(self, folder: Path | None = None, **variables: str) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="transcribify-live-"))
        self.redis_port = free_port()
        self.web_port = free_port()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = self._environment(variables)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def log(self) -> str:
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    def start_redis(self, *options: str) -> None:
        address = ["--port", str(self.redis_port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        self._start("redis", ["redis-server", *address, "--save", "", "--daemonize", "no", *options])
        wait_until(self._redis_answers, seconds=10, what="redis")

    def migrate(self) -> None:
        if "DATABASE_URL" in self.environment:
            self.manage("migrate", "-v0")
        else:
            shutil.copy(Path(_migrated().name) / DATABASE, self.folder)

    def manage(self, *arguments: str) -> str:
        """Run ``manage.py`` to its end; its output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start_worker(self, name: str, *, queues: str = "speech,light", concurrency: int = 1) -> None:
        arguments = ["celery", "-A", "celery_app", "worker", "-Q", queues, "-c", str(concurrency), "-n", f"{name}@%h"]
        self._start(name, [sys.executable, "-m", *arguments, "-l", "INFO"])

    def wait_for_worker(self, name: str) -> None:
        """Until it takes jobs: a job that is to be over within seconds would spend them waiting for it."""
        log = self.folder / f"{name}.log"
        wait_until(lambda: " ready." in log.read_text(), seconds=30, what=f"{name} to be ready")

    def start_reconciler(self, name: str = "reconciler") -> None:
        self._start(name, [sys.executable, "manage.py", "reconcile"])

    def start_web(self, application: str = "transcribify.asgi:application") -> None:
        # Addresses in X-Forwarded-For are for Django to believe or not, as in service.
        options = ["--no-proxy-headers", "--timeout-graceful-shutdown", str(GRACEFUL_SECONDS)]
        command = [sys.executable, "-m", "uvicorn", application, *options, "--port", str(self.web_port)]
        self._start("web", command)
        wait_until(self._web_answers, seconds=30, what="the web process")

    def start_flower(self, password: str) -> str:
        """Flower on the same broker, as ``./run flower`` starts it; its address."""
        port = free_port()
        self.environment |= {"FLOWER_PORT": str(port), "FLOWER_PASSWORD": password}
        self._start("flower", [sys.executable, "-m", "deploy.flower"])
        wait_until(lambda: is_open(port), seconds=30, what="Flower")
        return f"http://127.0.0.1:{port}"

    def children_of(self, name: str) -> list[psutil.Process]:
        """The pool processes of a worker."""
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self.processes[name].pid).children(recursive=False)
        return []

    def is_running(self, name: str) -> bool:
        return self.processes[name].poll() is None

    def family_of(self, name: str) -> list[psutil.Process]:
        """A process and its children, the eldest first; empty when it is dead."""
        with suppress(psutil.NoSuchProcess):
            return [psutil.Process(self.processes[name].pid), *self.children_of(name)]
        return []

    def signal(self, name: str, number: int) -> None:
        """Send a signal to a process and, where it stops or continues it, to its children."""
        stops = number in (signal.SIGSTOP, signal.SIGCONT)
        for process in self.family_of(name) if stops else self.family_of(name)[:1]:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def kill(self, name: str) -> None:
        """``kill -9``, and wait until it is gone."""
        self.processes[name].kill()
        self.processes[name].wait()

    def redis(self, *command: str) -> str:
        """One command of redis-cli."""
        done = subprocess.run(
            ["redis-cli", "-p", str(self.redis_port), *command], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def stop(self) -> None:
        """End every process, kindly first, and check that none is left."""
        for name in reversed(self.processes):
            self.signal(name, signal.SIGCONT)
            with suppress(ProcessLookupError):
                self.processes[name].send_signal(signal.SIGTERM)
        for process in reversed(self.processes.values()):
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=5)
        self.processes.clear()

    def _environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        return {
            # Nothing of the caller's that configures the service: its database, keys and bucket are not ours to touch.
            **{name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
            "DJANGO_SETTINGS_MODULE": "transcribify.tests.live_settings",
            "ENV_FILE": os.devnull,
            "PYTHONUNBUFFERED": "1",
            "DATA_DIR": str(self.folder),
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            **variables,
        }

    def _start(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def _redis_answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.redis_port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith((b"+PONG", b"-NOAUTH"))
        return False

    def _web_answers(self) -> bool:
        assert self.processes["web"].poll() is None, self.log
        return is_open(self.web_port)


@functools.cache
def _migrated() -> tempfile.TemporaryDirectory[str]:
    """A data folder with a new database: to make one takes seconds, and this process may need dozens."""
    folder = tempfile.TemporaryDirectory(prefix="transcribify-new-")
    LiveService(Path(folder.name)).manage("migrate", "-v0")
    return folder

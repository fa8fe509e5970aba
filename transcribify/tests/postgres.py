"""A PostgreSQL of the tests' own: a fresh cluster in a temporary folder, on a free port of loopback."""

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg

from transcribify.tests.live_service import free_port, is_open, wait_until

DEBIAN_FOLDERS = Path("/usr/lib/postgresql")


def find_programs() -> Path | None:
    """The folder that holds ``initdb`` and ``pg_ctl``; Debian keeps them out of PATH."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = [path.parent for path in DEBIAN_FOLDERS.glob("*/bin/initdb")]
    return max(folders, key=lambda folder: float(folder.parent.name), default=None)


class PostgresServer:
    """Started when it is made; ``new_database`` gives addresses, ``stop`` removes everything."""

    def __init__(self) -> None:
        programs = find_programs()
        assert programs, "PostgreSQL is not installed"
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="transcribify-postgres-"))
        self._port = free_port()
        self._databases = 0
        # PostgreSQL refuses root.
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(self._folder, "postgres")
        self._user = "postgres" if self._as else getpass.getuser()
        self._run("initdb", "--pgdata", self._data, "--username", "postgres", "--auth", "trust", "--no-sync")
        self.start()

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def start(self) -> None:
        options = f"-p {self._port} -k {self._folder} -c listen_addresses=127.0.0.1 -c max_connections=200"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", str(self._folder / "log"), "-o", options, "start")
        wait_until(lambda: is_open(self._port), seconds=30, what="PostgreSQL")

    def restart(self, mode: str = "fast") -> None:
        """``fast`` cuts all connections, ``immediate`` is a crash."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", mode, "stop")
        self.start()

    def halt(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", self._data, "-w", "-m", mode, "stop")

    def new_database(self) -> str:
        """An empty database; its address for ``DATABASE_URL``."""
        self._databases += 1
        name = f"transcribify{self._databases}"
        server = f"postgres://postgres@127.0.0.1:{self._port}"
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        return f"{server}/{name}"

    def stop(self) -> None:
        if is_open(self._port):
            self.halt()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as, str(self._programs / program), *arguments]
        # Not captured: the server that pg_ctl starts would keep the pipe open.
        log = self._folder.with_suffix(".log")
        with log.open("ab") as output:
            done = subprocess.run(command, cwd="/", stdout=output, stderr=output, check=False)
        assert done.returncode == 0, log.read_text()
        log.unlink()


def may_run() -> bool:
    """Whether this machine has PostgreSQL, and somebody that it may run as."""
    if find_programs() is None:
        return False
    if os.geteuid() != 0:
        return True
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        return False
    return True

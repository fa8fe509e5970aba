"""``./run serve``: Redis, web, speech worker, light worker and reconciler as one program in the foreground.

    python -m deploy.serve [--skip-checks]

Checks the configuration, runs the migrations, then hands over to supervisor (``supervisord.conf``). Any signal to stop
ends all of it.
"""

import fcntl
import logging.config
import os
import socket
import subprocess  # nosec B404 # it starts programs of ours
import sys
from typing import IO

from deploy import own_redis
from deploy.settings import HOST, PORT, SERVE_LOCK, STOP_SECONDS, WORKER_CONCURRENCY
from transcribify.settings.environment import BASE_DIR, DATA_DIR
from transcribify.settings.logs import LOGGING


def main(arguments: list[str]) -> int:
    os.chdir(BASE_DIR)
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    refuse_taken_port()
    with SERVE_LOCK.open("w") as lock:
        refuse_second_service(lock)
        os.environ.update(variables())
        prepare = [sys.executable, "-m", "deploy.prepare", *arguments]
        prepared = subprocess.run(prepare, check=False)  # nosec B603 # noqa: S603 - a command of ours
        if prepared.returncode != 0:
            return fail("the database could not be prepared: see the lines above.")
        supervise()
    return 0


def refuse_taken_port() -> None:
    family = socket.AF_INET6 if ":" in HOST else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, PORT))
        except OSError as error:
            reason = error.strerror or str(error)
            sys.exit(fail(f"cannot listen on {HOST}:{PORT} ({reason}). Choose another: PORT={PORT + 1} ./run serve"))


def refuse_second_service(lock: IO[str]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(fail(f"another ./run serve uses {DATA_DIR}. Stop it, or give this one its own folder: DATA_DIR=…"))


def variables() -> dict[str, str]:
    """What ``supervisord.conf`` and the processes need to know."""
    own = own_redis.is_wanted()
    port = own_redis.choose_port() if own else 0
    return {
        "DATA_DIR": str(DATA_DIR),
        "HOST": HOST,
        "PORT": str(PORT),
        "WORKER_CONCURRENCY": str(WORKER_CONCURRENCY),
        "STOP_SECONDS": str(STOP_SECONDS),
        "SERVICE_PYTHON": sys.executable,
        "OWN_REDIS": "true" if own else "false",
        "OWN_REDIS_PORT": str(port),
        "REDIS_URL": own_redis.url(port) if own else os.environ["REDIS_URL"],
    }


def supervise() -> None:
    # Imported late: a refusal above should not wait for it.
    from deploy import supervision  # noqa: PLC0415

    logging.config.dictConfig(LOGGING)
    supervision.supervise()


def fail(message: str) -> int:
    print(f"run: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

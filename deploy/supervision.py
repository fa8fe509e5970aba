"""Supervisor, run in this process: its own messages and Redis's come out in the service's log format.

Its stock command would need a second log format, waits up to a second before each look at its children, and leaves
them behind when it is killed itself.
"""

import logging
import os
import re
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from supervisor import events, loggers  # type: ignore[import-untyped]
from supervisor.medusa.asyncore_25 import ExitNow  # type: ignore[import-untyped]
from supervisor.options import ServerOptions  # type: ignore[import-untyped]
from supervisor.supervisord import Supervisor  # type: ignore[import-untyped]

from deploy.parent import end_with_parent

CONFIGURATION = Path(__file__).with_name("supervisord.conf")
LOOK_SECONDS = 0.2

logger = logging.getLogger(__name__)

_LEVELS = {
    loggers.LevelsByName.CRIT: logging.CRITICAL,
    loggers.LevelsByName.ERRO: logging.ERROR,
    loggers.LevelsByName.WARN: logging.WARNING,
    loggers.LevelsByName.INFO: logging.INFO,
}
_REDIS_LINE = re.compile(r"^\d+:[A-Z] \d+ \w+ \d+ [\d:.]+ (?P<mark>[.\-*#]) (?P<message>.*)$")
"""The marks: ``.`` debug, ``-`` verbose, ``*`` notice, ``#`` warning and, before Redis 8, what it says at its start."""


def supervise() -> None:
    """Start the processes of ``supervisord.conf`` and keep them running until a signal says stop; then end them all."""
    options = _Options()
    options.realize(["-c", str(CONFIGURATION)], doc="")
    options.first, options.test = True, False
    with suppress(ExitNow):
        _Supervisor(options).main()


class _Supervisor(Supervisor):
    def runforever(self) -> None:
        events.subscribe(events.ProcessLogStdoutEvent, _pass_on)
        super().runforever()


class _Options(ServerOptions):
    def __init__(self) -> None:
        super().__init__()
        poll: Callable[[float], Any] = self.poller.poll
        self.poller.poll = lambda timeout: poll(min(timeout, LOOK_SECONDS))

    def make_logger(self) -> None:
        self.logger = loggers.Logger(loggers.LevelsByName.INFO, [_ServiceLog()])

    def set_uid_or_exit(self) -> None:
        """Whoever starts the service is whom it runs as."""

    def setsignals(self) -> None:
        super().setsignals()
        # A terminal that is closed ends the service; supervisor itself would start it anew.
        signal.signal(signal.SIGHUP, lambda *_: self.signal_receiver.receive(signal.SIGTERM, None))

    def setpgrp(self) -> None:
        """In each child, before it becomes the program."""
        os.setpgrp()
        end_with_parent()


class _ServiceLog(loggers.Handler):
    """Hands supervisor's messages to Python's logging."""

    def __init__(self) -> None:
        super().__init__()
        self.setLevel(loggers.LevelsByName.INFO)

    def emit(self, record: Any) -> None:
        text = record.msg % record.kw if record.kw else record.msg
        logger.log(_LEVELS.get(record.level, logging.DEBUG), "%s", text)

    def close(self) -> None:
        """Nothing is open."""


def _pass_on(event: Any) -> None:
    """Output of a process. All but Redis write the service's format themselves, save for Celery's last words."""
    name = event.process.config.name
    if name == "redis" or event.data.startswith(b"\nworker: "):
        for line in filter(str.strip, event.data.decode(errors="replace").split("\n")):
            if name == "redis":
                _log_redis(line)
            else:
                logger.info("%s: %s", name, line.removeprefix("worker: "))
        return
    with suppress(OSError):
        sys.stdout.buffer.write(event.data)
        sys.stdout.buffer.flush()


def _log_redis(line: str) -> None:
    found = _REDIS_LINE.match(line)
    mark, message = (found["mark"], found["message"]) if found else ("#", line.strip())
    usual = logging.INFO if mark == "#" else logging.DEBUG
    logger.log(logging.WARNING if "WARNING" in message else usual, "redis: %s", message)

"""``manage.py reconcile``: picks up what the chain dropped. Any number may run at once."""

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections

from jobs import reconciler

TIDY_EVERY_ROUNDS = 120


class Command(BaseCommand):
    help = "Gives expired leases away, rings waiting jobs, finishes cancelled ones and removes leftovers, for ever."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="One round, then stop.")

    def handle(self, *args: Any, **options: Any) -> None:
        stopped = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stopped.set())
        rounds = 0
        while not stopped.is_set():
            close_old_connections()
            reconciler.reconcile_once()
            if rounds % TIDY_EVERY_ROUNDS == 0:
                reconciler.tidy_up()
            rounds += 1
            if options["once"]:
                return
            stopped.wait(settings.RECONCILE_EVERY_SECONDS)

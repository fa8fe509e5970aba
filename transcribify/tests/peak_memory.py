"""How much memory the web process of a live service takes at most while a block runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from transcribify.tests.live_service import LiveService


@contextmanager
def peak_memory(service: LiveService) -> Iterator[list[int]]:
    """Resident bytes of the web process: at the beginning, then the most that was seen."""
    web = psutil.Process(service.processes["web"].pid)
    seen, over = [web.memory_info().rss] * 2, threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            seen[1] = max(seen[1], web.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()

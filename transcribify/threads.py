"""Threads of the web process, all of them there from its start."""

import threading
from concurrent.futures import Executor


def start_threads(executor: Executor, count: int) -> None:
    """All at once: what the process takes is known from its start, and does not grow with who comes."""
    all_there = threading.Barrier(count + 1)
    for _ in range(count):
        executor.submit(all_there.wait)
    all_there.wait()

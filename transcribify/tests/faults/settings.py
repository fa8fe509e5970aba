"""How the services are set up that faults are inflicted on, and how much is inflicted."""

import os

import pytest

FULL = os.environ.get("FAULT_TESTS") == "full"

TWO_WORKERS = {"worker1": "speech,light", "worker2": "speech,light"}

QUICK = {
    "TRANSCRIPTION_ENGINE": "jobs.tests.engines.FaultyEngine",
    "AUDIO_LIMIT_SECONDS": "0",
    "JOB_LEASE_SECONDS": "4",
    "JOB_STALL_SECONDS": "8",
    "JOB_RING_AGAIN_SECONDS": "4",
    "RECONCILE_EVERY_SECONDS": "1",
}
"""Short jobs, short leases: a minute's wait would prove nothing more. Crash settings are the real ones."""


full_size = pytest.mark.skipif(not FULL, reason="at full size only: ./run faults")


def sized(*, short: int, full: int) -> int:
    """How many: of a laptop's test run, or of ``./run faults``."""
    return full if FULL else short

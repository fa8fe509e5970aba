"""The whole way: a recording that is to be removed is gone shortly after its job has ended."""

from datetime import datetime
from pathlib import Path

from transcribify.tests.client import Client
from transcribify.tests.live_service import LiveService, wait_until


def test_recording_and_results_are_gone_on_time(client: Client, service: LiveService, english_path: Path) -> None:
    job = client.transcribe(english_path, delete_after_seconds="2", prompt="Vlasov")
    assert job["transcript"]
    folder = service.folder / "media" / "uploads" / job["uid"]
    assert folder.exists()
    wait_until(lambda: client.job(job["id"])["removed_at"] is not None, seconds=30, what="the removal")
    removed = client.job(job["id"])
    late_seconds = seconds_between(removed["delete_at"], removed["removed_at"])
    print(f"removed {late_seconds:.1f} s after it was due")
    assert 0 <= late_seconds < 15
    assert not folder.exists()
    assert (removed["transcript"], removed["report"], removed["options"]["prompt"]) == ("", None, "")
    assert removed["receipt"]["reason"] == "delete_after_seconds"
    assert removed["receipt"]["recording"]["bytes"] == english_path.stat().st_size
    assert removed["receipt"]["characters"] == len(job["transcript"])


def seconds_between(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()

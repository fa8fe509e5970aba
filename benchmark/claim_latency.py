"""How long an accepted recording waits until a worker of an idle service claims it.

    python -m benchmark.claim_latency --uploads 30

One short upload after another over HTTP, each when the one before is finished; the time from the POST's answer to the
worker's claim (its event row, by the same machine's clock). Prints p50 and p95 in milliseconds.
"""

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from transcribify.tests.client import Client
from transcribify.tests.live_service import DATABASE, LiveService, running_service, wait_until


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--uploads", type=int, default=30)
    parser.add_argument("--audio", type=Path, default=Path("jobs/tests/assets/english.flac"))
    options = parser.parse_args()
    with running_service(
        Path(tempfile.mkdtemp(prefix="transcribify-latency-")),
        workers={"speech": "speech", "light": "light"},
        TRANSCRIPTION_ENGINE="jobs.tests.engines.FaultyEngine",
        AUDIO_LIMIT_SECONDS="0",
    ) as service:
        client = Client(service.url, "alice@example.org")
        wait_until(lambda: client.http.get("/readyz").status_code == 200, seconds=60, what="a ready service")
        client.transcribe(options.audio)
        waits = sorted(one_wait(client, service, options.audio) for _ in range(options.uploads))
    percentiles = statistics.quantiles(waits, n=20, method="inclusive")
    print(json.dumps({"uploads": len(waits), "p50_ms": round(percentiles[9]), "p95_ms": round(percentiles[18])}))


def one_wait(client: Client, service: LiveService, audio: Path) -> float:
    """Milliseconds from the answer to the claim; negative when the worker was faster than the answer."""
    job_id = client.submit(audio).json()["id"]
    answered = time.time()
    client.wait(job_id)
    with sqlite3.connect(service.folder / DATABASE, timeout=30) as database:
        sql = "SELECT at FROM jobs_jobevent WHERE job_id = ? AND kind = 'claimed' ORDER BY id LIMIT 1"
        ((claimed,),) = database.execute(sql, (job_id,)).fetchall()
    return (datetime.fromisoformat(claimed).replace(tzinfo=UTC).timestamp() - answered) * 1000


if __name__ == "__main__":
    main()

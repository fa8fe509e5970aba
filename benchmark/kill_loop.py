"""The lifecycle under fire: jobs on two workers while processes are killed, connections dropped or Redis flushed.

    python -m benchmark.kill_loop --jobs 100 --fault kill --seed 1

Real chain, real Redis, real lease and crash settings (change them with the environment, and say so). Prints done, lost,
double-settled, reserved at rest and the number of executions; exit code 1 when a job was lost or billed wrongly.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil

from transcribify.tests.live_service import LiveService

FAULT_EVERY_SECONDS = 3.0
WORKERS = ("worker1", "worker2")


def main() -> int:
    options = parse_options()
    random.seed(options.seed)
    variables = {"DATABASE_URL": options.database} if options.database else {}
    service = LiveService(TRANSCRIPTION_ENGINE="jobs.tests.engines.FaultyEngine", **variables)
    os.environ.update(service.environment)
    try:
        service.start_redis()
        service.migrate()
        service.start_reconciler()
        for name in WORKERS:
            service.start_worker(name)
        submit_jobs(options.jobs, options.audio)
        faults, seconds = run_until_finished(service, options)
    finally:
        service.stop()
    return report(options, service, faults, seconds)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--fault", choices=["none", "kill", "drop", "flush"], default="kill")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--limit-seconds", type=float, default=1200)
    parser.add_argument("--database", default="", help="DATABASE_URL; default: a SQLite file")
    parser.add_argument("--audio", type=Path, default=Path("samples/meeting.flac"))
    return parser.parse_args()


def submit_jobs(count: int, audio: Path) -> None:
    """Hand ``count`` jobs of 0.1 to 1 s of work in, through the service that the API uses."""
    import django

    django.setup()
    from django.core.files import File

    from accounts.models import User
    from jobs import services
    from jobs.audio.probe import probe_header

    excerpt = Path(os.environ["DATA_DIR"]) / "excerpt.flac"
    cut = ["ffmpeg", "-v", "error", "-y", "-t", "3", "-i", str(audio), str(excerpt)]
    subprocess.run(cut, check=True)
    header = probe_header(excerpt)
    owner = User.objects.create_user("alice@example.org", "a long password")
    for _ in range(count):
        options = {"prompt": f"sleep={random.uniform(0.1, 1):.2f}", "report": True, "beam_size": 5}
        options |= {"vad_filter": True, "word_timestamps": False}
        with excerpt.open("rb") as content:
            upload = services.Upload(File(content), excerpt.name, excerpt.stat().st_size, header)
            services.submit_job(owner=owner, upload=upload, options=options)


def run_until_finished(service: LiveService, options: argparse.Namespace) -> tuple[Counter[str], float]:
    from jobs.models import Job

    faults: Counter[str] = Counter()
    started, next_fault = time.monotonic(), time.monotonic() + FAULT_EVERY_SECONDS
    while Job.objects.filter(status__in=["pending", "processing"]).exists():
        now = time.monotonic()
        if now - started > options.limit_seconds:
            break
        if now >= next_fault and options.fault != "none":
            next_fault = now + FAULT_EVERY_SECONDS
            faults[inflict(service, options.fault)] += 1
        for name in WORKERS:
            if service.processes[name].poll() is not None:
                service.start_worker(name)
        time.sleep(0.1)
    return faults, time.monotonic() - started


def inflict(service: LiveService, fault: str) -> str:
    """One fault; its name."""
    redis = ["redis-cli", "-p", str(service.redis_port)]
    if fault == "flush":
        subprocess.run([*redis, "FLUSHALL"], capture_output=True, check=True)
        return "flush"
    if fault == "drop":
        for kind in ("normal", "pubsub"):
            subprocess.run([*redis, "CLIENT", "KILL", "TYPE", kind], capture_output=True, check=True)
        return "drop"
    name = random.choice(WORKERS)
    children = service.children_of(name)
    target = random.choice(["main", "child"])
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        if target == "child" and children:
            random.choice(children).kill()
        else:
            target = "main"
            os.kill(service.processes[name].pid, signal.SIGKILL)
    return target


def report(options: argparse.Namespace, service: LiveService, faults: Counter[str], seconds: float) -> int:
    from django.db.models import Count, Sum

    from accounts.models import LedgerEntry, QuotaAccount
    from jobs.models import Job, JobEvent

    status = Counter(Job.objects.values_list("status", flat=True))
    closings = LedgerEntry.objects.filter(kind__in=["settle", "release"]).values("job_id", "run")
    account = QuotaAccount.objects.get()
    settled = LedgerEntry.objects.filter(kind="settle").aggregate(total=Sum("ms"))["total"] or 0
    figures = {
        "seed": options.seed,
        "fault": options.fault,
        "faults": dict(faults),
        "seconds": round(seconds, 1),
        "jobs": options.jobs,
        **{name: status[name] for name in sorted(status)},
        "lost": options.jobs - sum(status[name] for name in ("done", "failed", "cancelled")),
        "double_settled": closings.annotate(rows=Count("pk")).filter(rows__gt=1).count(),
        "reserved_ms_at_rest": account.reserved_ms,
        "used_is_sum_of_settled": account.used_ms == settled,
        "transcribe_executions": JobEvent.objects.filter(kind="claimed", stage="transcribe").count(),
        "leases_expired": JobEvent.objects.filter(kind="lease expired").count(),
        "work_files_left": sum(1 for path in (service.folder / "work").rglob("*") if path.is_file())
        + sum(1 for path in (service.folder / "media" / "work").rglob("*") if path.is_file()),
    }
    print(json.dumps(figures))
    fine = not figures["lost"] and not figures["double_settled"] and not account.reserved_ms
    return 0 if fine and figures["used_is_sum_of_settled"] else 1


if __name__ == "__main__":
    sys.exit(main())

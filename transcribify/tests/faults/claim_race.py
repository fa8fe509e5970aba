"""One of several processes that race for the same jobs: ``python -m transcribify.tests.faults.claim_race``.

Waits for the file ``go`` in the data folder, tries to claim every job, and prints the ids that it won.
"""

import os
import time
from pathlib import Path

import django

django.setup()

from jobs import lifecycle  # noqa: E402
from jobs.models import Job, Stage  # noqa: E402


def main() -> None:
    job_ids = list(Job.objects.order_by("pk").values_list("pk", flat=True))
    while not (Path(os.environ["DATA_DIR"]) / "go").exists():
        time.sleep(0.01)
    for job_id in job_ids:
        if lifecycle.claim_job(job_id=job_id, stage=Stage.PROBE, holder="racer:1:1"):
            print(job_id)


if __name__ == "__main__":
    main()

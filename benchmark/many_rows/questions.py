"""What is asked of a database with few jobs and of one with many, through the code that serves it."""

import hashlib
import random
from collections.abc import Callable, Iterator
from typing import Any

from django.core.files.base import ContentFile
from django.db.models import TextField
from django.db.models.functions import Cast
from django.test import Client

from accounts.models import User
from accounts.tokens import issue_pair
from benchmark.many_rows.filling import BLOCK, COMMON_TAG, SELDOM_TAG
from benchmark.many_rows.standing import RARE_TAG, Standing
from jobs import bell, lifecycle, reconciler, services
from jobs.api.pages import NEWEST_FIRST, Cursor
from jobs.audio.probe import Header
from jobs.models import Job, Stage
from jobs.options import Options
from jobs.submission import Origin, Upload, submit_recording

Act = Callable[[], object]
"""What is timed; whatever it needs was done before."""

HEADER = Header(format_name="mp3", codec_name="mp3", sample_rate=16_000, channels=1, duration_seconds=60.0)

LISTS = {
    "list": "",
    "list, by status": "status=failed&page_size=10",
    "list, by a rare status": "status=processing",
    "list, by two statuses": "status=failed,cancelled&page_size=10",
    "list, by two rare statuses": "status=pending,processing",
    "list, by tag": f"tag={COMMON_TAG}",
    "list, by a seldom tag": f"tag={SELDOM_TAG}&page_size=4",
    "list, by a rare tag": f"tag={RARE_TAG}",
    "list, by status and tag": f"status=done&tag={COMMON_TAG}",
    "list, by a rare status and tag": f"status=pending&tag={COMMON_TAG},{RARE_TAG}",
    "list, by language": "language=ru&page_size=4",
    "list, by a rare language": "language=fr",
    "list, longest first": "ordering=-duration_seconds",
    "list, shortest first": "ordering=duration_seconds",
    "list, last finished first": "ordering=-finished_at",
    "list, first finished first": "ordering=finished_at",
    "list, by a word of few jobs": "q=new",
    "list, by a word of many jobs": "q=turnip",
}
ADMIN_LISTS = {
    "admin list": "",
    "admin list, by status": "status__exact=failed",
    "admin list, by a rare status": "status__exact=processing",
    "admin list, by engine": "engine=faster-whisper",
    "admin list, by no engine": "engine=-",
    "admin list, by owner": "owner__id__exact={owner}",
    "admin list, by date": "created_at__gte=2020-01-01T00%3A00%3A00Z",
    "admin list, by id": "q=500",
    "admin list, by a common name": "q=talk",
    "admin list, by a rare name": "q=new+talk",
    "admin list, by an address": "q=owner0%40example.org",
    "admin list, by words": "q=text%3Aturnip",
}
BEHIND_ALL_ENDS = Cursor("-finished_at", False, 1, "1900-01-01 00:00:00")
REQUIRED = (
    "list", "list, second page", "list, page in the middle", "list, by status", "list, by a rare status",
    "list, by tag", "list, by status and tag", "list, longest first", "list, shortest first",
    "list, last finished first", "list, first finished first", "list, those that have no end", "detail",
    "admin list", "admin list, by status", "admin list, by a rare status", "admin list, page in the middle",
    "admin page of a job", "claim", "ring", "reconciler, nothing due", "reconciler, a few due",
    "submit", "submit again", "submit with a key",
)  # fmt: skip
"""Those that must not grow with the rows; the others are shown."""


class Questions:
    """All that is asked of one database. Each question is prepared by a call, and asked by calling what it returns."""

    def __init__(self, owners: list[User], rows: int) -> None:
        self.owner = owners[0]
        self._rows = rows
        self._random = random.Random(1)
        self._standing = Standing(owners)
        token = issue_pair(user=self.owner).access_token
        self._api = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {token}"})
        self._staff = Client(SERVER_NAME="localhost")
        self._staff.force_login(User.objects.create_superuser("staff@example.org"))
        self._submitted: list[Job] = []
        self._is_due_made = False

    def __iter__(self) -> Iterator[tuple[str, Callable[[], Act]]]:
        for name, query in LISTS.items():
            yield name, self._getter(f"/jobs?{query}")
        yield "list, second page", self._getter(self._api.get("/jobs").json()["next"])
        yield "list, page in the middle", self._getter(f"/jobs?cursor={self._middle()}")
        yield "list, those that have no end", self._getter(f"/jobs?ordering=-finished_at&cursor={BEHIND_ALL_ENDS}")
        yield "detail", lambda: self._get(self._api, f"/jobs/{self._own_id()}")
        for name, query in ADMIN_LISTS.items():
            yield name, self._staff_getter(f"?{query.format(owner=self.owner.pk)}")
        yield "admin list, page in the middle", self._staff_getter(f"?p=before-{self._rows // 2 + 100}")
        yield "admin page of a job", lambda: self._get(self._staff, f"/admin/jobs/job/{self._own_id()}/change/")
        yield "claim", lambda: self._claim
        yield "ring", self._ring
        yield "reconciler, nothing due", self._reconcile
        yield "reconciler, a few due", self._reconcile_due
        yield "reconciler's tidying", lambda: reconciler.tidy_up
        yield "submit", lambda: self._submit(Origin())
        yield "submit again", lambda: self._submit(Origin(is_retrying=True))
        yield "submit with a key", lambda: self._submit(Origin(idempotency_key=str(self._random.random())))
        yield "delete", self._delete

    def _get(self, client: Client, address: str) -> Act:
        def ask() -> None:
            answer = client.get(address)
            assert answer.status_code == 200, answer.content[:500]

        return ask

    def _getter(self, address: str) -> Callable[[], Act]:
        return lambda: self._get(self._api, address)

    def _staff_getter(self, query: str) -> Callable[[], Act]:
        return lambda: self._get(self._staff, f"/admin/jobs/job/{query}")

    def _own_id(self) -> int:
        """Of any finished job of the first owner that has a transcript."""
        return self._random.randrange(self._rows // BLOCK) * BLOCK + 4 * self._random.randrange(2, 5)

    def _middle(self) -> Cursor:
        jobs = Job.objects.filter(owner=self.owner, pk__gte=self._rows // 2)
        pk, key = jobs.order_by("pk").values_list("pk", Cast("created_at", TextField())).first()  # type: ignore[misc]
        return Cursor(NEWEST_FIRST, False, pk, key)

    def _claim(self) -> None:
        claim = lifecycle.claim_job(
            job_id=self._random.choice(self._standing.waiting), stage=Stage.PROBE, holder="elsewhere:1:1"
        )
        assert claim
        lifecycle.put_back(claim, reason="a benchmark")

    def _ring(self) -> Act:
        self._standing.ring_none()

        def ring() -> None:
            assert bell.ring_waiting()

        return ring

    def _reconcile(self) -> Act:
        self._standing.ring_all()
        return reconciler.reconcile_once

    def _reconcile_due(self) -> Act:
        self._standing.ring_all()
        if self._is_due_made:
            assert self._standing.is_done(), "the last round left something"
        self._is_due_made = True
        self._standing.make_due()
        return reconciler.reconcile_once

    def _submit(self, origin: Origin) -> Act:
        for job in self._submitted:
            services.delete_job(job=job)
        self._submitted.clear()
        content = self._random.randbytes(1_000)
        upload = Upload(ContentFile(content), "talk.mp3", 1_000, hashlib.sha256(content).hexdigest(), HEADER)
        asked: dict[str, Any] = {"owner": self.owner, "upload": upload, "options": Options(), "origin": origin}
        return lambda: self._submitted.append(submit_recording(**asked).job)

    def _delete(self) -> Act:
        self._submit(Origin())()
        return lambda: services.delete_job(job=self._submitted.pop())

"""The row that is the job. ``docs/lifecycle.md`` explains each column and who may change it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    """What the owner sees. Changed by ``jobs.lifecycle`` and ``jobs.reconciler`` alone."""

    PENDING = "pending", _("pending")
    PROCESSING = "processing", _("processing")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class Stage(models.TextChoices):
    """Which link of the chain is to run, or runs. Empty when the job is finished."""

    PROBE = "probe", _("probe")
    TRANSCRIBE = "transcribe", _("transcribe")
    REPORT = "report", _("report")


UNFINISHED = (Status.PENDING, Status.PROCESSING)

NOT_REMOVED = models.Q(removed_at=None, receipt__isnull=True)
"""Jobs whose recording and results are there: a removal begins with the receipt (``jobs.retention``)."""


class Job(models.Model):
    """A recording on its way to a transcript and a report."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="jobs", verbose_name=_("owner"))

    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.PENDING)
    stage = models.CharField(_("stage"), max_length=10, choices=Stage, null=True, default=Stage.PROBE)  # noqa: DJ001
    run = models.PositiveIntegerField(_("run"), default=1, help_text=_("One more at each retry."))
    token = models.UUIDField(null=True, editable=False)
    holder = models.CharField(_("held by"), max_length=120, blank=True, help_text=_("The worker slot at work."))
    lease_until = models.DateTimeField(null=True)
    dispatched_at = models.DateTimeField(_("last rung"), null=True)
    not_before = models.DateTimeField(_("not before"), db_default=Now())
    crashes = models.PositiveIntegerField(_("crashes"), default=0)
    transient_failures = models.PositiveIntegerField(_("transient failures"), default=0)
    cancel_requested = models.BooleanField(_("cancel requested"), default=False)
    report_only = models.BooleanField(
        _("report only"),
        default=False,
        help_text=_("The transcript is there and paid for; its report is written again."),
    )
    progress = models.FloatField(_("progress"), default=0)
    error_code = models.CharField(_("error code"), max_length=60, blank=True)
    error_message = models.TextField(_("error"), blank=True)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    filename = models.CharField(_("file name"), max_length=255)
    size_bytes = models.BigIntegerField(_("size, bytes"), default=0)
    source_key = models.CharField(max_length=200, blank=True, help_text=_("The recording in the storage."))
    pcm_key = models.CharField(
        max_length=200,
        blank=True,
        help_text=_("Of decoded samples, while the job runs: what its chunks' keys begin with."),
    )
    duration_ms = models.BigIntegerField(
        _("duration, ms"), null=True, help_text=_("As the header says until it is decoded, then as decoded.")
    )
    decoded = models.BooleanField(_("decoded"), default=False)
    help_rung_at = models.DateTimeField(
        _("helpers last rung"), null=True, help_text=_("Empty until engine, model and language are known.")
    )

    options = models.JSONField(_("options"), default=dict)
    engine = models.CharField(_("engine"), max_length=40, blank=True)
    model = models.CharField(_("model"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=10, null=True)  # noqa: DJ001 - null: nobody knows
    warnings = models.JSONField(_("warnings"), default=list, blank=True)

    # Who asked, and for what: so that a request that is sent twice makes one job (docs/decisions/0011).
    api_key_id = models.BigIntegerField(_("API key"), null=True, help_text=_("Empty: a login."))
    audio_sha256 = models.CharField(_("SHA-256 of the recording"), max_length=64, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True, help_text=_("Of the recording and the options."))
    idempotency_key = models.CharField(max_length=255, blank=True)
    waited_for = models.BooleanField(
        _("waited for"), default=False, help_text=_("Only wanted as long as a client waits for its answer.")
    )
    cancel_at = models.DateTimeField(_("cancel at"), null=True, help_text=_("The client is gone; it may come back."))

    # When its recording and results are removed, and when they were. The row stays as the receipt.
    delete_after = models.DurationField(_("delete after"), null=True, help_text=_("Counted from the job's end."))
    delete_at = models.DateTimeField(_("delete at"), null=True)
    removed_at = models.DateTimeField(_("removed at"), null=True)
    receipt = models.JSONField(_("receipt"), null=True, help_text=_("What was removed."))

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["owner", "-id"], name="job_by_owner"),
            models.Index(fields=["owner", "-created_at", "-id"], name="job_by_owner_and_time"),
            models.Index(fields=["owner", "status", "-created_at", "-id"], name="job_by_owner_and_status"),
            # Walked in both directions; what has no value is asked for by itself (``jobs.api.pages``).
            models.Index(fields=["owner", "duration_ms", "id"], name="job_by_owner_and_duration"),
            models.Index(fields=["owner", "finished_at", "id"], name="job_by_owner_and_end"),
            models.Index(fields=["status", "-id"], name="job_by_status"),
            # The reconciler's questions read unfinished rows only, however many finished ones there are. They must ask
            # for the stage, as these conditions do: SQLite cannot tell that a list of statuses is the condition's.
            models.Index(
                fields=["not_before", "owner"], condition=models.Q(stage__isnull=False, token=None), name="job_waiting"
            ),
            # For owners that take turns: SQLite would go through all of their jobs to have them by owner.
            models.Index(
                fields=["owner", "id"], condition=models.Q(stage__isnull=False, token=None), name="job_in_turn"
            ),
            models.Index(
                fields=["owner", "fingerprint"], condition=models.Q(stage__isnull=False), name="job_unfinished"
            ),
            models.Index(fields=["lease_until"], condition=models.Q(token__isnull=False), name="job_held"),
            models.Index(
                fields=["id"],
                condition=models.Q(stage=None) & ~models.Q(pcm_key=""),
                name="job_work_files",
            ),
            models.Index(
                fields=["delete_at"],
                condition=models.Q(removed_at=None, delete_at__isnull=False),
                name="job_to_remove",
            ),
            models.Index(
                fields=["finished_at"],
                condition=models.Q(removed_at=None, finished_at__isnull=False),
                name="job_by_end",
            ),
            models.Index(fields=["cancel_at"], condition=models.Q(cancel_at__isnull=False), name="job_abandoned"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "fingerprint"],
                condition=models.Q(
                    status__in=["pending", "processing"], cancel_requested=False, report_only=False, idempotency_key=""
                )
                & ~models.Q(fingerprint=""),
                name="job_running_once",
            ),
            models.UniqueConstraint(
                fields=["owner", "idempotency_key"],
                condition=~models.Q(idempotency_key=""),
                name="job_once_per_key",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.filename}"

    @property
    def is_finished(self) -> bool:
        return self.status not in UNFINISHED

    @property
    def is_removed(self) -> bool:
        """Its results are gone, and its recording is, or is about to be: ``removed_at`` says when that is so."""
        return self.removed_at is not None or self.receipt is not None

    @property
    def duration_seconds(self) -> float | None:
        return None if self.duration_ms is None else self.duration_ms / 1000

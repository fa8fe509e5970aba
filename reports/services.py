"""What can be done with reports."""

import logging

from django.conf import settings
from django.db import transaction

from jobs import lifecycle
from jobs.errors import ReportError
from jobs.lease import LeaseKeeper
from jobs.models import Job
from jobs.notices import notice
from jobs.outages import through_outages
from jobs.selectors import transcript_of
from reports.models import Report
from reports.writers.base import ReportDraft, Writer, WriterConfig
from reports.writers.registry import get_writer

logger = logging.getLogger(__name__)


def build_report(job: Job, keeper: LeaseKeeper) -> None:
    """Last link of the chain: write the report and complete the job, in one transaction.

    A report that cannot be written costs nobody the transcript: the job is done, with a warning that says why.
    """
    transcript = transcript_of(job)
    if not transcript.text:
        lifecycle.complete(keeper.claim)
        return
    try:
        writer = open_writer()
        draft = writer.write(transcript)
    except ReportError as error:
        logger.warning("job %s: no report (%s)", job.pk, error.extra.get("reason", error.code))
        warnings = [*job.warnings, notice("report_failed", error.message)]
        lifecycle.complete(keeper.claim, warnings=warnings)
        return
    keeper.beat()
    _complete_with(draft, job=job, keeper=keeper, writer=writer)


@through_outages
def _complete_with(draft: ReportDraft, *, job: Job, keeper: LeaseKeeper, writer: Writer) -> None:
    with transaction.atomic():
        lifecycle.complete(keeper.claim)
        save_report(job=job, draft=draft, writer=writer)


def save_report(*, job: Job, draft: ReportDraft, writer: Writer) -> Report:
    """Keep ``draft`` as the job's report, in place of an earlier one."""
    report, _ = Report.objects.update_or_create(job=job, defaults={**draft.model_dump(), "writer": writer.name})
    return report


def open_writer() -> Writer:
    """The writer that this installation's settings choose."""
    config = writer_config()
    name = settings.REPORT_WRITER
    if name == "auto":
        name = "openai" if config.api_key or config.base_url else "extractive"
    return get_writer(name, config)


def writer_config() -> WriterConfig:
    """The writers' side of the settings. A key goes to its own address only, never to another provider's."""
    if settings.REPORT_BASE_URL or settings.REPORT_API_KEY:
        key, address = settings.REPORT_API_KEY, settings.REPORT_BASE_URL or None
    elif settings.OPENROUTER_API_KEY:
        key, address = settings.OPENROUTER_API_KEY, settings.OPENROUTER_BASE_URL
    else:
        # With an address of its own, OPENAI_API_KEY belongs to a transcription server that may not chat.
        key, address = "" if settings.OPENAI_BASE_URL else settings.OPENAI_API_KEY, None
    return WriterConfig(
        api_key=key,
        base_url=address,
        model=settings.REPORT_MODEL,
        timeout_seconds=settings.REPORT_TIMEOUT_SECONDS,
        total_seconds=settings.REPORT_TOTAL_SECONDS,
    )

"""What can be made of a transcript: the report, and the enhanced transcript."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction

from jobs import lifecycle
from jobs.errors import ReportError
from jobs.lease import LeaseKeeper
from jobs.models import Job
from jobs.notices import notice
from jobs.outages import through_outages
from jobs.selectors import enhanced_of, segments_of, transcript_of
from jobs.transcript import Transcript
from reports.enhancers.registry import get_enhancer
from reports.models import EnhancedTranscript, Report
from reports.writers.base import ReportDraft, Writer, WriterConfig
from reports.writers.registry import get_writer

logger = logging.getLogger(__name__)


Save = Callable[[], object]
"""Keeps what was made, in the transaction that completes the job."""


def build_report(job: Job, keeper: LeaseKeeper) -> None:
    """Last link of the chain: make what was asked for of the transcript and complete the job, in one transaction.

    What cannot be made costs nobody the transcript, nor the other: the job is done, with a warning that says why.
    """
    saves: list[Save] = []
    warnings = [warning for warning in job.warnings if warning.get("code") not in MAKERS]
    transcript = transcript_of(job)
    for code in _asked_for(job) if transcript.text else []:
        try:
            saves.append(MAKERS[code](job, transcript, keeper))
        except ReportError as error:
            logger.warning("job %s: %s (%s)", job.pk, code, error.extra.get("reason", error.code))
            warnings.append(notice(code, error.message))
        keeper.beat()
    _complete_with(saves, job=job, keeper=keeper, warnings=warnings)


def _asked_for(job: Job) -> list[str]:
    """What this run is to make, each as the code of the warning that says that it was not made."""
    asked = []
    if job.options.get("report", True):
        asked.append("report_failed")
    if job.options.get("enhance", False) and enhanced_of(job) is None:
        asked.append("enhance_failed")
    return asked


def _make_report(job: Job, transcript: Transcript, keeper: LeaseKeeper) -> Save:
    writer = open_writer()
    return partial(save_report, job=job, draft=writer.write(transcript), writer=writer)


def _make_enhanced(job: Job, transcript: Transcript, keeper: LeaseKeeper) -> Save:
    enhancer = get_enhancer(writer_config())
    texts = enhancer.enhance(transcript, beat=keeper.beat)
    return partial(save_enhanced, job=job, texts=texts, model=enhancer.model)


MAKERS: dict[str, Callable[[Job, Transcript, LeaseKeeper], Save]] = {
    "report_failed": _make_report,
    "enhance_failed": _make_enhanced,
}


@through_outages
def _complete_with(saves: list[Save], *, job: Job, keeper: LeaseKeeper, warnings: list[dict[str, Any]]) -> None:
    with transaction.atomic():
        lifecycle.complete(keeper.claim, warnings=warnings)
        if not job.report_only:
            # What an earlier run left was made of segments that are gone.
            EnhancedTranscript.objects.filter(job=job).delete()
        for save in saves:
            save()


def save_report(*, job: Job, draft: ReportDraft, writer: Writer) -> Report:
    """Keep ``draft`` as the job's report, in place of an earlier one."""
    report, _ = Report.objects.update_or_create(job=job, defaults={**draft.model_dump(), "writer": writer.name})
    return report


def save_enhanced(*, job: Job, texts: list[str], model: str) -> EnhancedTranscript:
    """Keep ``texts``, one for each of the job's segments in order, with the ids and times of the segments."""
    segments = [
        {"id": segment["id"], "start": segment["start"], "end": segment["end"], "text": text}
        for segment, text in zip(segments_of(job), texts, strict=True)
    ]
    whole = " ".join(text for text in texts if text)
    facts = {"segments": segments, "text": whole, "model": model}
    enhanced, _ = EnhancedTranscript.objects.update_or_create(job=job, defaults=facts)
    return enhanced


def open_writer() -> Writer:
    """The writer that this installation's settings choose."""
    config = writer_config()
    name = settings.REPORT_WRITER
    if name == "auto":
        name = "openai" if config.api_key or config.base_url else "extractive"
    return get_writer(name, config)


def writer_config() -> WriterConfig:
    """The settings of writers and enhancer. A key goes to its own address only, never to another provider's."""
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

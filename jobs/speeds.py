"""How fast each model works on this installation, as its own jobs showed."""

import logging

from django.db import DatabaseError
from django.db.models import F

from jobs.models import MeasuredSpeed

logger = logging.getLogger(__name__)

FADING = 0.9
"""What one more recording leaves of the weight of all earlier ones: some twenty of them count."""


def record_speed(*, engine: str, model: str, audio_seconds: float, work_seconds: float) -> None:
    """Remember how long recognition took. An estimate is worth no job: where that cannot be noted, it is not."""
    try:
        _fade_in(engine, model, audio_seconds * 1000, max(work_seconds, 0.001) * 1000)
    except DatabaseError as error:
        logger.warning("the speed of %s was not noted: %s", model, error)


def speed_of(*, engine: str | None, model: str) -> float | None:
    """Seconds of audio that one worker recognises in a second; None where nothing was measured yet."""
    measured = MeasuredSpeed.objects.filter(engine=engine or "", model=model).first()
    return measured.audio_ms / measured.work_ms if measured else None


def _fade_in(engine: str, model: str, audio_ms: float, work_ms: float) -> None:
    """Rows fade in the database, so that two workers at once lose nothing."""
    MeasuredSpeed.objects.update_or_create(
        engine=engine,
        model=model,
        defaults={"audio_ms": F("audio_ms") * FADING + audio_ms, "work_ms": F("work_ms") * FADING + work_ms},
        create_defaults={"audio_ms": audio_ms, "work_ms": work_ms},
    )

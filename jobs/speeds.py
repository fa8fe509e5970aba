"""How fast each model works on this installation, as its own jobs showed."""

from django.db import IntegrityError, transaction
from django.db.models import F

from jobs.models import MeasuredSpeed

FADING = 0.9
"""What one more recording leaves of the weight of all earlier ones: some twenty of them count."""


def record_speed(*, engine: str, model: str, audio_seconds: float, work_seconds: float) -> None:
    """Remember how long recognition took. Rows fade in the database, so two workers at once lose nothing."""
    audio_ms, work_ms = audio_seconds * 1000, max(work_seconds, 0.001) * 1000
    row = MeasuredSpeed.objects.filter(engine=engine, model=model)
    faded = {"audio_ms": F("audio_ms") * FADING + audio_ms, "work_ms": F("work_ms") * FADING + work_ms}
    if row.update(**faded):
        return
    try:
        with transaction.atomic():
            MeasuredSpeed.objects.create(engine=engine, model=model, audio_ms=audio_ms, work_ms=work_ms)
    except IntegrityError:
        row.update(**faded)


def speed_of(*, engine: str | None, model: str) -> float | None:
    """Seconds of audio that one worker recognises in a second; None where nothing was measured yet."""
    measured = MeasuredSpeed.objects.filter(engine=engine or "", model=model).first()
    return measured.audio_ms / measured.work_ms if measured else None

"""How long a stage may go without a sign of progress before its process is taken for hung."""

from django.conf import settings

from jobs.models import Stage

PROBE_SECONDS = 120
REPORT_SECONDS = 420
LOAD_SECONDS = 1800
"""Loading a model may include downloading gigabytes."""

_WINDOW_SECONDS = {"tiny": 60, "base": 90, "small": 180, "medium": 420, "large": 900, "distil": 420}


_USUAL_BATCH_SIZE = 4


def stall_seconds(stage: Stage, *, engine: str = "", model: str = "") -> float:
    """The budget of a stage; for recognition, generous for a batch of windows on a slow processor."""
    if settings.JOB_STALL_SECONDS:
        return settings.JOB_STALL_SECONDS
    if stage == Stage.PROBE:
        return PROBE_SECONDS
    if stage == Stage.REPORT:
        return max(REPORT_SECONDS, settings.REPORT_TOTAL_SECONDS + 60)
    if engine == "openai":
        return settings.OPENAI_TIMEOUT_SECONDS + 60
    window_seconds = next((seconds for name, seconds in _WINDOW_SECONDS.items() if model.startswith(name)), 300)
    return window_seconds * max(1.0, (settings.WHISPER_BATCH_SIZE or _USUAL_BATCH_SIZE) / 2)

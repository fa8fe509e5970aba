"""System checks: configuration that cannot work, said before the service starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from jobs.engines import registry as engines
from reports.writers import registry as writers
from transcribify.settings.environment import ENV_FILE, READ_ELSEWHERE, env, keys_of_file


@register
def check_choices(**kwargs: Any) -> list[CheckMessage]:
    """Settings that take one of a few words."""
    choices = {
        "REGISTRATION": settings.REGISTRATION in {"open", "closed"},
        "TRANSCRIPTION_ENGINE": settings.TRANSCRIPTION_ENGINE == "auto"
        or engines.is_known(settings.TRANSCRIPTION_ENGINE),
        "REPORT_WRITER": settings.REPORT_WRITER == "auto" or writers.is_known(settings.REPORT_WRITER),
        "WHISPER_DEVICE": settings.WHISPER_DEVICE in {"auto", "cpu", "cuda"},
        "WORKER_START_METHOD": settings.WORKER_START_METHOD in {"fork", "spawn"},
        "LOG_FORMAT": settings.LOG_FORMAT in {"text", "json"},
    }
    return [
        Error(
            f"{name}={getattr(settings, name)} is none of its values.",
            hint="See docs/configuration.md.",
            id="transcribify.E001",
        )
        for name, holds in choices.items()
        if not holds
    ]


@register
def check_times(**kwargs: Any) -> list[CheckMessage]:
    """Times that would remove or cancel everything, or that no calendar reaches."""
    longest = {"RETENTION_DAYS": 36_500, "ABANDONED_JOB_SECONDS": 86_400}
    return [
        Error(
            f"{name}={getattr(settings, name)} is not between 0 and {most}.",
            hint="See docs/configuration.md.",
            id="transcribify.E002",
        )
        for name, most in longest.items()
        if not 0 <= getattr(settings, name) <= most
    ]


@register
def check_env_file(**kwargs: Any) -> list[CheckMessage]:
    """A misspelt name in ``.env`` would silently do nothing."""
    unknown = sorted(keys_of_file(ENV_FILE) - env.names - READ_ELSEWHERE)
    return [
        Warning(
            f"{ENV_FILE.name} sets {name}, which nothing reads.",
            hint="See docs/configuration.md.",
            id="transcribify.W001",
        )
        for name in unknown
    ]

"""Logs: ``time | LEVEL | module:line | message`` on stdout; JSON on request; also to a file."""

from typing import Any

from transcribify.settings.environment import env

# DEBUG, INFO, WARNING or ERROR.
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()

# text or json.
LOG_FORMAT = env.str("LOG_FORMAT", default="text")

# A file that receives the same lines as stdout. Empty: none.
LOG_FILE = env.str("LOG_FILE", default="")

_handlers: dict[str, Any] = {
    "stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": LOG_FORMAT}
}
if LOG_FILE:
    # Watched: logrotate may move it away, and several processes append to it.
    _handlers["file"] = {"class": "logging.handlers.WatchedFileHandler", "filename": LOG_FILE, "formatter": LOG_FORMAT}

_ours_alone: dict[str, Any] = {"handlers": [], "propagate": True}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {
            "class": "transcribify.redaction.RedactingFormatter",
            "format": "%(asctime)s | %(levelname)s | %(module)s:%(lineno)d | %(message)s",
        },
        "json": {
            "class": "transcribify.redaction.RedactingJsonFormatter",
            "format": "%(asctime)s %(levelname)s %(module)s %(lineno)d %(message)s",
        },
    },
    "handlers": _handlers,
    "root": {"handlers": list(_handlers), "level": LOG_LEVEL},
    "loggers": {
        "django": _ours_alone,
        "django.server": _ours_alone,
        "uvicorn": _ours_alone,
        "uvicorn.error": _ours_alone,
        "uvicorn.access": _ours_alone,
        "httpx2": {"level": "WARNING"},
        # At DEBUG these write whole requests into the log, signatures and bodies included.
        "botocore": {"level": "INFO"},
        "boto3": {"level": "INFO"},
        "s3transfer": {"level": "INFO"},
        "urllib3": {"level": "INFO"},
        "openai": {"level": "INFO"},
        "httpcore2": {"level": "INFO"},
        "faster_whisper": {"level": "WARNING"},
        "pymorphy3": {"level": "WARNING"},
    },
}

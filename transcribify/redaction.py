"""Log lines without secrets. The last guard: what writes a secret into a log is mended where it does so.

The finished line is what is cleaned, so that tracebacks and arguments are, too. No Django in here: ``./run serve`` logs
by these settings before there is any.
"""

import json
import logging
import os
import re
from functools import cache
from urllib.parse import unquote, urlsplit

from pythonjsonlogger.json import JsonFormatter

MASK = "***"

MIN_SECRET_CHARACTERS = 12
"""Shorter ones are words that stand in logs for other reasons; the shapes below catch them where they are secrets."""

_SECRET_NAMES = re.compile(r"(KEY|SECRET|PASSWORD|TOKEN|AUTH)$")

# In JSON a quote has a backslash before it.
_QUOTE = r"""\\*["']?"""
_VALUE = r"""[^\s"'&,;<>\\}\]]+"""
_NAMES = (
    r"password|passwd|secret|client_secret|api[_-]?key|access[_-]?token|refresh[_-]?token|sessionid|csrftoken"
    r"|x-amz-signature|x-amz-credential|x-amz-security-token|signature|(?<=[?&])token"
)
_SHAPES = (
    # A header, whatever its scheme; a bearer token anywhere.
    (re.compile(rf"(?i)(authorization{_QUOTE}\s*[:=,]\s*b?{_QUOTE}(?:(?:bearer|basic)\s+)?){_VALUE}"), rf"\1{MASK}"),
    (re.compile(r"(?i)\b(bearer\s+)[\w.~+/=-]{8,}"), rf"\1{MASK}"),
    # A JSON web token; keys of providers and of ours by their beginning, also behind a line break as JSON writes it.
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}(\.[\w-]*)?"), MASK),
    (re.compile(r"(?:\b|(?<=\\[nrt]))(sk|gsk|hf|tk)[-_][\w-]{12,}"), MASK),
    # redis://:password@host, postgres://user:password@host
    (re.compile(r"""(://[^\s:/@"']*:)[^\s/@"']+@"""), rf"\1{MASK}@"),
    (re.compile(rf"(?i)\b((?:{_NAMES}){_QUOTE}\s*[=:]\s*b?{_QUOTE}){_VALUE}"), rf"\1{MASK}"),
)


class RedactingFormatter(logging.Formatter):
    """Text lines, redacted."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class RedactingJsonFormatter(JsonFormatter):
    """JSON lines, redacted."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def redact(line: str) -> str:
    """``line`` with secrets masked: the configured ones wherever they stand, others by their shape."""
    for secret in _configured_secrets():
        line = line.replace(secret, MASK)
    for shape, replacement in _SHAPES:
        line = shape.sub(replacement, line)
    return line


@cache
def _configured_secrets() -> tuple[str, ...]:
    """Values of the environment whose name says that they are secret, and the passwords in its addresses."""
    found = {value for name, value in os.environ.items() if _SECRET_NAMES.search(name)}
    found |= {_password(value) for name, value in os.environ.items() if name.endswith("_URL")}
    found |= {unquote(value) for value in found} | {json.dumps(value)[1:-1] for value in found}
    # The longest first: one may be a part of another.
    return tuple(sorted((value for value in found if len(value) >= MIN_SECRET_CHARACTERS), key=len, reverse=True))


def _password(address: str) -> str:
    try:
        return urlsplit(address).password or ""
    except ValueError:
        return ""

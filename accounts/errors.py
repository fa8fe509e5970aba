"""The root of every error that Transcribify raises on purpose.

    TranscribifyError
    ├── accounts: EmailTaken, TooManyKeys, AudioLimitExceeded …  (this file)
    └── jobs:     InputFault, TransientFault, … (see jobs/errors.py)

A class names the fault, ``code`` is stable (clients compare it), the message tells the reader what to do next.
Nothing in here knows HTTP: the API maps classes to status codes at its own door.
"""


class TranscribifyError(Exception):
    """Base class. ``extra`` holds machine-readable facts that an API answer shows beside the message."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, **extra: object) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.extra = extra


class EmailTaken(TranscribifyError):
    """Registration with an address that already has an account."""

    code = "email_taken"


class RegistrationClosed(TranscribifyError):
    """``REGISTRATION=closed``: only staff create accounts."""

    code = "registration_closed"


class TooManyAttempts(TranscribifyError):
    """Too many wrong passwords for one account or from one address; ``retry_after_seconds`` is in ``extra``."""

    code = "too_many_attempts"


class TooManyKeys(TranscribifyError):
    """The account has as many live API keys as it may have."""

    code = "too_many_keys"


class KeyExpiryRefused(TranscribifyError):
    """A new API key that would have ended already, or outlive the key that creates it."""

    code = "expiry_refused"


class AudioLimitExceeded(TranscribifyError):
    """The owner's audio budget does not reach for what was asked."""

    code = "audio_limit_exceeded"

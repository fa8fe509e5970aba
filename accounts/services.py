"""What can be done with accounts."""

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.errors import EmailTaken, RegistrationClosed
from accounts.models import User


def register_user(*, email: str, password: str) -> User:
    """Create an account for whoever asks. Raises ``RegistrationClosed`` or ``EmailTaken``."""
    if settings.REGISTRATION != "open":
        raise RegistrationClosed("Registration is closed on this server. Ask its operator for an account.")
    try:
        with transaction.atomic():
            return User.objects.create_user(email, password)
    except IntegrityError as error:
        raise EmailTaken("An account with this e-mail address exists already. Log in instead.") from error

"""The one place where passwords are compared: the API, the admin and the browsable API all pass here."""

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from accounts.client_address import client_network
from accounts.login_limits import count_attempt, forgive_attempts
from accounts.models import User


class CountedBackend(ModelBackend):
    """Django's password check behind a limit on guesses.

    ``authenticate`` raises ``TooManyAttempts`` before it looks at user or password. Unknown user, wrong password and
    inactive user cost one run of the hasher each and end the same.
    """

    @sensitive_variables("password")
    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        name = kwargs.get(User.USERNAME_FIELD) if username is None else username
        if name is None or password is None:
            return None
        email, address = User.objects.normalize_email(name), client_network(request)
        count_attempt(email=email, address=address)
        user = super().authenticate(request, username=email, password=password)
        if user is not None:
            forgive_attempts(email=email, address=address)
        return user

    @sensitive_variables("password")
    async def aauthenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """The same path: Django's own would compare the password without the count."""
        return await sync_to_async(self.authenticate)(request, username, password, **kwargs)

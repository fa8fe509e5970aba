"""Somebody at the doors, a password hasher that counts, and API keys."""

import threading

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.keys import NewKey, create_key
from accounts.models import ApiKey


class CountedHasher(MD5PasswordHasher):
    """Knows how often it ran."""

    algorithm = "counted"
    lock = threading.Lock()
    runs = 0

    def encode(self, password, salt):
        with self.lock:
            CountedHasher.runs += 1
        return super().encode(password, salt)


@pytest.fixture
def hasher(settings):
    settings.PASSWORD_HASHERS = [f"{__name__}.CountedHasher"]
    CountedHasher.runs = 0
    return CountedHasher


@pytest.fixture(scope="module")
def stranger() -> Client:
    """One for all: a new one would read the list of static files again."""
    return Client()


@pytest.fixture
def knock(stranger):
    """Try a password at one of the doors, without any session."""

    def try_one(door="/auth/login", email="alice@example.org", password="wrong", address="192.0.2.1", forwarded=None):
        stranger.cookies.clear()
        name = "email" if door == "/auth/login" else "username"
        headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
        return stranger.post(door, {name: email, "password": password}, headers=headers, REMOTE_ADDR=address)

    return try_one


@pytest.fixture
def key(alice) -> NewKey:
    """A key of alice's, with its text."""
    return create_key(owner=alice, name="backup server")


@pytest.fixture
def bearing():
    """Makes a client that sends a key or a token."""

    def make(text: str) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
        return client

    return make


@pytest.fixture
def expire():
    """Lets a key expire a second ago."""

    def do(key: ApiKey) -> None:
        ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timezone.timedelta(seconds=1))

    return do

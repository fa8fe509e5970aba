"""A server that others reach: refuses to start with what would make it unsafe."""

from django.core.exceptions import ImproperlyConfigured

from transcribify.settings.base import *  # noqa: F403
from transcribify.settings.base import ALLOWED_HOSTS, DEBUG
from transcribify.settings.celery import *  # noqa: F403
from transcribify.settings.environment import env
from transcribify.settings.jobs import *  # noqa: F403
from transcribify.settings.logs import *  # noqa: F403
from transcribify.settings.storage import *  # noqa: F403

SECRET_KEY = env.str("SECRET_KEY", default="")

# The service is reached by https (its proxy says so in X-Forwarded-Proto). Turn off only for a private network.
HTTPS = env.bool("HTTPS", default=True)

if DEBUG:
    raise ImproperlyConfigured("DEBUG=on in production: tracebacks would show secrets. Remove DEBUG.")
if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5 or SECRET_KEY.startswith(("django-insecure", "change-me")):
    raise ImproperlyConfigured(
        "SECRET_KEY is missing, short or a default. Make one of at least 50 characters: "
        "python3 -c 'import secrets; print(secrets.token_urlsafe(64))'"
    )
if "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS=* in production. Name the hosts, such as transcribe.example.org.")

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]

"""How callers prove who they are, as the description says it."""

from typing import Any

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from drf_spectacular.openapi import AutoSchema


class BearerScheme(SimpleJWTScheme):
    """One header for both: the access token of a login, or an API key."""

    target_class = "accounts.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key (`tk_…`, from `POST /me/keys`) or the `access_token` of `POST /auth/login`.",
        }

"""What the OpenAPI description says beyond what the views say themselves."""

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme


class BearerScheme(SimpleJWTScheme):
    """How callers prove who they are."""

    target_class = "accounts.authentication.BearerAuthentication"
    name = "bearer"

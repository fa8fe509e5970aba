"""The settings of a laptop, with passwords that cost nothing: the tests make a user each, and hash little else."""

from transcribify.settings.development import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

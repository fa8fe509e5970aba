"""The test suite: a database and folders of its own, and no key of the person who runs it."""

import os
import tempfile

for _name in ("OPENAI_API_KEY", "GROQ_API_KEY", "OPENROUTER_API_KEY", "REPORT_BASE_URL", "S3_BUCKET", "DEBUG"):
    os.environ[_name] = ""
# A folder for each process, where the suite runs in several: these are started with the first one's environment.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="transcribify-test-")
os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="transcribify-test-"))
os.environ.setdefault("ENV_FILE", os.devnull)

from transcribify.settings.base import DATABASES  # noqa: E402
from transcribify.settings.development import *  # noqa: E402, F403
from transcribify.settings.environment import DATA_DIR  # noqa: E402

SECRET_KEY = "a-key-that-signs-nothing-but-test-tokens-0123456789-abcdefghij"  # nosec B105 # noqa: S105
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# A file, as in service: SQLite in memory locks by other rules when several threads write.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}

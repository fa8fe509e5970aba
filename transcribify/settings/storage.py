"""Where recordings are kept: a folder, or an S3 bucket when ``S3_BUCKET`` is set."""

from typing import Any

from transcribify.settings.environment import DATA_DIR, env

# Name of the bucket. Empty: recordings are kept in DATA_DIR/media.
S3_BUCKET = env.str("S3_BUCKET", default="")

# Address of an S3-compatible server (MinIO, Ceph, …). Empty: Amazon's own.
S3_ENDPOINT_URL = env.str("S3_ENDPOINT_URL", default="") or None

# Region of the bucket.
S3_REGION = env.str("S3_REGION", default="") or None

# Access key and secret. Empty: what boto3 finds (environment, instance role).
S3_ACCESS_KEY_ID = env.str("S3_ACCESS_KEY_ID", default="") or None
S3_SECRET_ACCESS_KEY = env.str("S3_SECRET_ACCESS_KEY", default="") or None

# Longest wait for the storage to answer, in seconds; what it does not answer is tried once more.
S3_TIMEOUT_SECONDS = env.float("S3_TIMEOUT_SECONDS", default=15.0)

# Folder inside the bucket.
S3_PREFIX = env.str("S3_PREFIX", default="")

MEDIA_ROOT = DATA_DIR / "media"
WORK_DIR = DATA_DIR / "work"
FILE_UPLOAD_TEMP_DIR = DATA_DIR / "incoming"
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
FILE_UPLOAD_HANDLERS = ["jobs.api.upload.CappedFileHandler"]

# An upload is refused when it would leave less than this free on the disk of DATA_DIR, in megabytes.
MIN_FREE_DISK_MEGABYTES = env.int("MIN_FREE_DISK_MEGABYTES", default=500)

DATA_UPLOAD_MAX_NUMBER_FIELDS = 100
DATA_UPLOAD_MAX_NUMBER_FILES = 2
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576

_LOCAL: dict[str, Any] = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
_S3: dict[str, Any] = {
    "BACKEND": "transcribify.s3.S3Recordings",
    "OPTIONS": {
        "bucket_name": S3_BUCKET,
        "endpoint_url": S3_ENDPOINT_URL,
        "region_name": S3_REGION,
        "access_key": S3_ACCESS_KEY_ID,
        "secret_key": S3_SECRET_ACCESS_KEY,
        "location": S3_PREFIX,
    },
}

STORAGES = {
    "default": _S3 if S3_BUCKET else _LOCAL,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

# Django spools uploads here before they are stored; on the same disk as the recordings, so that storing is a rename.
FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True)

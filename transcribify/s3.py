"""Recordings in an S3 bucket: django-storages, told to hold no recording in memory as a whole."""

from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from django.conf import settings
from storages.backends.s3 import S3Storage

# boto3 would queue up to 256 MB of a download in memory where the disk is slower than the network: a thousand chunks
# of 256 kB, beside what each of ten threads reads at the same time.
TRANSFERS = TransferConfig(max_concurrency=4, max_io_queue=16, io_chunksize=256 * 1024)


class S3Recordings(S3Storage):
    """``STORAGES["default"]`` where ``S3_BUCKET`` is set."""

    def get_default_settings(self) -> dict[str, Any]:
        return super().get_default_settings() | {
            "default_acl": None,
            "file_overwrite": False,
            # Without a limit django-storages holds a whole object in memory when it is opened.
            "max_memory_size": 8 * 1024 * 1024,
            "transfer_config": TRANSFERS,
            "client_config": _patience(),
        }


def _patience() -> Config:
    """A storage that hangs is to be found out within a minute; boto3 alone would wait for five."""
    return Config(
        connect_timeout=min(5.0, settings.S3_TIMEOUT_SECONDS),
        read_timeout=settings.S3_TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 2},
        # Addresses that are handed out: boto3 signs them the old way by default, which newer regions refuse.
        signature_version="s3v4",
    )

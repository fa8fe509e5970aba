from django.core.files.uploadhandler import TemporaryFileUploadHandler as CappedFileHandler  # noqa: F401

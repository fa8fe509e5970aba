from django.apps import AppConfig

from transcribify import checks  # noqa: F401 - registers them


class TranscribifyConfig(AppConfig):
    name = "transcribify"

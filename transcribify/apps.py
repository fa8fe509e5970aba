from django.apps import AppConfig


class TranscribifyConfig(AppConfig):
    name = "transcribify"

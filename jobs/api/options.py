"""The one place where options are declared and checked, whichever door they come in by."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from accounts.api.strict import StrictSerializer, TextField
from jobs import recognition
from jobs.api.fields import FiniteFloatField, TagsField
from jobs.errors import InputFault
from jobs.options import Options

MAX_PROMPT_CHARACTERS = 1000
MAX_BEAM_SIZE = 10
MIN_SPEED, MAX_SPEED = 0.5, 4.0
MAX_TRIM_SECONDS = 30 * 86_400
MAX_DELETE_AFTER_SECONDS = 10 * 366 * 86_400


class OptionsInput(StrictSerializer):
    """How a recording is to be transcribed, reported on and kept."""

    model = TextField(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="Which model; without it (or as whisper-1), the installation's default. GET /v1/models lists them.",
    )
    language = TextField(
        required=False, max_length=10, allow_blank=True, help_text="ISO 639-1 code; without it, it is detected."
    )
    task = serializers.ChoiceField(
        default="transcribe",
        choices=[("transcribe", "in the language that is spoken"), ("translate", "in English")],
        help_text="transcribe: in the language that is spoken; translate: in English.",
    )
    prompt = TextField(
        required=False,
        allow_blank=True,
        max_length=MAX_PROMPT_CHARACTERS,
        help_text="Text that is taken as said before the recording: names, terms, the style of writing.",
    )
    hotwords = TextField(
        required=False,
        allow_blank=True,
        max_length=MAX_PROMPT_CHARACTERS,
        help_text="Words to listen for in the whole recording, with blanks or commas between them.",
    )
    temperature = FiniteFloatField(
        required=False,
        min_value=0,
        max_value=1,
        help_text="Sampling temperature; without it 0, raised only where the recogniser runs into a loop.",
    )
    beam_size = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_BEAM_SIZE, help_text="How many hypotheses the decoder follows."
    )
    word_timestamps = serializers.BooleanField(default=False, help_text="Also give the time of each word.")
    vad_filter = serializers.BooleanField(default=True, help_text="Recognise only where speech was found.")
    batched = serializers.BooleanField(
        default=True,
        help_text="Recognise several stretches at a time, which is faster. False: one after the other, so that the "
        "transcript grows in smaller steps.",
    )
    speed = FiniteFloatField(
        default=1.0,
        min_value=MIN_SPEED,
        max_value=MAX_SPEED,
        help_text="Play the recording faster before it is recognised: quicker, less accurate. Times stay those of the "
        "recording, and so does the charge.",
    )
    trim_start = FiniteFloatField(
        default=0.0,
        min_value=0,
        max_value=MAX_TRIM_SECONDS,
        help_text="Skip so many seconds at the beginning. Times stay those of the whole recording.",
    )
    trim_seconds = FiniteFloatField(
        required=False,
        min_value=0.1,
        max_value=MAX_TRIM_SECONDS,
        help_text="Take so many seconds from there. Only what is taken is charged.",
    )
    enhance = serializers.BooleanField(
        default=False,
        help_text="Also have a language model clean the transcript up (punctuation, casing, obvious mishearings); "
        "it is kept beside the original.",
    )
    report = serializers.BooleanField(default=True, help_text="Write a report when the transcript is there.")
    tags = TagsField(required=False, help_text="Words of your own, to filter by and to account for usage by.")
    delete_after_seconds = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_DELETE_AFTER_SECONDS,
        help_text="Remove recording and results so long after the job has ended, however it ended. The job itself "
        "stays as a receipt.",
    )


def check_options(asked: dict[str, Any]) -> Options:
    """The options as the job keeps them. Raises ``InputFault`` for a model or language that cannot be had here."""
    engine = recognition.announced_engine()
    language = (asked.get("language") or "").strip().lower() or None
    recognition.check_language(language, engine=engine)
    model = recognition.requested_model(asked.get("model", ""), engine=engine)
    if asked.get("task") == "translate" and model.endswith(".en"):
        raise InputFault(
            f"Model '{model}' knows English only and cannot translate into it. Choose one without '.en'.",
            code="translation_not_supported",
        )
    return Options.of({"beam_size": settings.WHISPER_BEAM_SIZE, **asked, "language": language, "model": model})

"""What OpenAI's clients send, translated into our options. Fields that nobody here knows are passed over."""

from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from accounts.api.strict import with_plain_names
from jobs.api.fields import FiniteFloatField
from jobs.api.intake import RecordingField
from jobs.api.options import MAX_PROMPT_CHARACTERS, OptionsInput
from transcribify.openai_compat.formats import GRANULARITIES, RESPONSE_FORMATS

MAX_SPEAKERS = 4
OURS = set(OptionsInput().fields) - {"task", "model", "language", "prompt", "temperature"}
"""Our own options, which a client may add (``extra_body`` in OpenAI's SDK)."""


class OneOf(serializers.ChoiceField):
    """One of a few words; the refusal names them."""

    def __init__(self, *words: str, **options: Any) -> None:
        message = f"'{{input}}' is none of: {', '.join(words)}."
        super().__init__(choices=words, error_messages={"invalid_choice": message}, **options)


class CallInput(serializers.Serializer[Any]):
    """The fields that both of OpenAI's audio endpoints have. Lists come as ``name[]`` or ``name``."""

    file = RecordingField()
    model = serializers.CharField(
        max_length=200,
        help_text="A model of GET /v1/models, or whisper-1 for the installation's default.",
        error_messages={"required": "You must provide a model parameter. Use whisper-1 for the default model."},
    )
    prompt = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    temperature = FiniteFloatField(required=False, min_value=0, max_value=1)

    def to_internal_value(self, data: Any) -> Any:
        # A request without a body has no form either.
        return super().to_internal_value(with_plain_names(data) if isinstance(data, QueryDict) else data)


class TranscriptionInput(CallInput):
    """A recording to be written down in the language that is spoken."""

    response_format = OneOf(*RESPONSE_FORMATS, default="json")
    language = serializers.CharField(required=False, allow_blank=True, max_length=20, help_text="ISO 639-1 code.")
    timestamp_granularities = serializers.ListField(
        child=OneOf(*GRANULARITIES), required=False, help_text="segment, word or both; for verbose_json."
    )
    stream = serializers.BooleanField(required=False, allow_null=True, default=False)
    include = serializers.ListField(child=OneOf("logprobs"), required=False)
    known_speaker_names = serializers.ListField(child=serializers.CharField(), required=False, max_length=MAX_SPEAKERS)
    known_speaker_references = serializers.ListField(
        child=serializers.CharField(), required=False, max_length=MAX_SPEAKERS
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("stream") and attrs["response_format"] in {"srt", "vtt"}:
            message = "A stream carries text: use response_format json, or leave stream out for subtitles."
            raise serializers.ValidationError({"stream": message}, code="invalid")
        if attrs.get("timestamp_granularities") and attrs["response_format"] != "verbose_json":
            message = "Timestamps are in response_format verbose_json."
            raise serializers.ValidationError({"timestamp_granularities": message}, code="invalid")
        return attrs


class TranslationInput(CallInput):
    """A recording to be written down in English."""

    response_format = OneOf("json", "text", "srt", "verbose_json", "vtt", default="json")


def options_of(data: dict[str, Any], sent: Any, *, task: str) -> dict[str, Any]:
    """Our options for a call: OpenAI's fields, and those of ours that the client added. Raises ``ValidationError``.

    No report is written unless it is asked for: it would keep nobody's answer, but cost a language model's time.
    """
    added = with_plain_names(sent)
    for name in set(added) - OURS:
        del added[name]
    added.setdefault("report", "false")
    ours = OptionsInput(data=added)
    ours.is_valid(raise_exception=True)
    options = dict(ours.validated_data) | {"task": task, "model": data["model"], "language": data.get("language", "")}
    # Whisper reads the end of a prompt that is too long for it, and takes 0 for "raise it where it is needed".
    options["prompt"] = data.get("prompt", "").strip()[-MAX_PROMPT_CHARACTERS:]
    options["temperature"] = data.get("temperature") or None
    if "word" in data.get("timestamp_granularities", ()):
        options["word_timestamps"] = True
    return options

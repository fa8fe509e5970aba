"""What the description says of the answers under ``/v1``; ``formats`` and ``answers`` write them."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, PolymorphicProxySerializer, extend_schema_serializer
from rest_framework import serializers

FORM = "multipart/form-data"


@extend_schema_serializer(component_name="CallUsage")
class UsageOutput(serializers.Serializer[Any]):
    type = serializers.CharField()
    seconds = serializers.IntegerField(help_text="What was charged, rounded up.")


class TextOutput(serializers.Serializer[Any]):
    """``response_format=json``."""

    text = serializers.CharField()
    usage = UsageOutput()


class VerboseSegmentOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    seek = serializers.IntegerField()
    start = serializers.FloatField(help_text="Seconds.")
    end = serializers.FloatField(help_text="Seconds.")
    text = serializers.CharField()
    tokens = serializers.ListField(child=serializers.IntegerField())
    temperature = serializers.FloatField()
    avg_logprob = serializers.FloatField()
    compression_ratio = serializers.FloatField()
    no_speech_prob = serializers.FloatField()


class VerboseWordOutput(serializers.Serializer[Any]):
    word = serializers.CharField()
    start = serializers.FloatField()
    end = serializers.FloatField()


class VerboseOutput(serializers.Serializer[Any]):
    """``response_format=verbose_json``; segments and words as ``timestamp_granularities`` asks."""

    task = serializers.CharField()
    language = serializers.CharField(help_text="Its English name.")
    duration = serializers.FloatField()
    text = serializers.CharField()
    segments = VerboseSegmentOutput(many=True, required=False)
    words = VerboseWordOutput(many=True, required=False)
    usage = UsageOutput()


class DiarizedSegmentOutput(serializers.Serializer[Any]):
    type = serializers.CharField()
    id = serializers.CharField()
    start = serializers.FloatField()
    end = serializers.FloatField()
    text = serializers.CharField()
    speaker = serializers.CharField()


class DiarizedOutput(serializers.Serializer[Any]):
    """``response_format=diarized_json``. Speakers are not told apart yet: all is said by one."""

    task = serializers.CharField()
    duration = serializers.FloatField()
    text = serializers.CharField()
    segments = DiarizedSegmentOutput(many=True)
    usage = UsageOutput()


def _responses(name: str, *formats: type[serializers.Serializer[Any]]) -> dict[Any, Any]:
    whole = PolymorphicProxySerializer(name, list(formats), resource_type_field_name=None)
    texts = {(200, media_type): OpenApiTypes.STR for media_type in ("text/plain", "application/x-subrip", "text/vtt")}
    return {(200, "application/json"): whole, **texts}


TRANSCRIPTION_RESPONSES = {
    **_responses("AnyTranscription", VerboseOutput, DiarizedOutput, TextOutput),
    (200, "text/event-stream"): OpenApiTypes.STR,
}
TRANSLATION_RESPONSES = _responses("AnyTranslation", VerboseOutput, TextOutput)

_ANSWER = {"text": "The delivery moves to Friday.", "usage": {"type": "duration", "seconds": 3}}
CALL_EXAMPLES = [
    OpenApiExample(
        "A recording",
        {"file": "(the recording's bytes)", "model": "whisper-1", "response_format": "json"},
        request_only=True,
        media_type=FORM,
    ),
    OpenApiExample("json", _ANSWER, response_only=True, media_type="application/json"),
    OpenApiExample("text", "The delivery moves to Friday.\n", response_only=True, media_type="text/plain"),
]
STREAM_EXAMPLE = OpenApiExample(
    "stream=true",
    'data: {"type": "transcript.text.delta", "delta": "The delivery moves to Friday."}\n\n'
    'data: {"type": "transcript.text.done", "text": "The delivery moves to Friday.", '
    '"usage": {"type": "duration", "seconds": 3}}\n\n'
    "data: [DONE]\n\n",
    response_only=True,
    media_type="text/event-stream",
)

_MODEL = {"id": "whisper-1", "object": "model", "created": 0, "owned_by": "faster-whisper"}
MODEL_EXAMPLES = [
    OpenApiExample("A model's name", "whisper-1", parameter_only=("model_id", "path")),
    OpenApiExample("The default model", _MODEL, response_only=True),
]
MODELS_EXAMPLE = OpenApiExample("The models", {"object": "list", "data": [_MODEL]}, response_only=True)

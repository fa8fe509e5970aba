"""OpenAI's audio endpoints: a call is an ordinary job, and the shell waits for it (``waiting_room``)."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import BearerAuthentication
from jobs import recognition
from jobs.api.intake import origin_of, read_upload, receive_recording
from jobs.api.options import check_options
from jobs.engines import catalog
from jobs.errors import InputFault
from jobs.submission import submit_recording
from transcribify.openai_compat import outputs
from transcribify.openai_compat.calls import Call, hand_over
from transcribify.openai_compat.requests import TranscriptionInput, TranslationInput, options_of


class JSONOnly(BaseContentNegotiation):
    """JSON, whatever is asked for: the answer's form is a field of the request, and clients accept what they like."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class OpenAIView(APIView):
    """A door for OpenAI's clients: a key or a token in the header."""

    authentication_classes = (BearerAuthentication,)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = JSONOnly


class AudioView(OpenAIView, GenericAPIView):
    """What both audio endpoints do."""

    takes_recordings = True
    parser_classes = (MultiPartParser, FormParser)
    task: ClassVar[str]

    def submit(self, request: Request) -> Response:
        origin = origin_of(request, waits=True)
        receive_recording(request, origin)
        data = self.get_serializer(data=request.data)
        data.is_valid(raise_exception=True)
        asked = dict(data.validated_data)
        options = check_options(options_of(asked, request.data, task=self.task))
        upload = read_upload(asked["file"])
        submission = submit_recording(owner=request.user, upload=upload, options=options, origin=origin)  # type: ignore[arg-type]
        call = Call(
            job_id=submission.job.pk,
            response_format=asked["response_format"],
            granularities=tuple(asked.get("timestamp_granularities") or ("segment",)),
            stream=bool(asked.get("stream")),
        )
        hand_over(request._request.META, call)
        # Seen by nobody but where Django is served without the shell.
        return Response({"id": call.job_id}, status=status.HTTP_202_ACCEPTED)


class TranscriptionsView(AudioView):
    """Transcribe a recording and wait for the text, as OpenAI's API does."""

    serializer_class = TranscriptionInput
    task = "transcribe"

    @extend_schema(
        request={outputs.FORM: TranscriptionInput},
        responses=outputs.TRANSCRIPTION_RESPONSES,
        examples=[*outputs.CALL_EXAMPLES, outputs.STREAM_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        return self.submit(request)


class TranslationsView(AudioView):
    """Transcribe a recording into English and wait for the text, as OpenAI's API does."""

    serializer_class = TranslationInput
    task = "translate"

    @extend_schema(
        request={outputs.FORM: TranslationInput},
        responses=outputs.TRANSLATION_RESPONSES,
        examples=outputs.CALL_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        return self.submit(request)


class ModelOutput(serializers.Serializer[Any]):
    id = serializers.CharField()
    object = serializers.CharField()
    created = serializers.IntegerField()
    owned_by = serializers.CharField()


class ModelList(serializers.Serializer[Any]):
    object = serializers.CharField()
    data = ModelOutput(many=True)  # type: ignore[assignment]


class ModelsView(OpenAIView):
    """The models that a request may name."""

    @extend_schema(operation_id="v1_models_list", responses=ModelList, examples=[outputs.MODELS_EXAMPLE])
    def get(self, request: Request) -> Response:
        engine = recognition.announced_engine()
        names = [catalog.DEFAULT_MODEL_ALIASES[0], *recognition.available_models(engine)]
        models = [describe_model(name, engine) for name in dict.fromkeys(names)]
        return Response({"object": "list", "data": models})


class ModelView(OpenAIView):
    """One model, by its name or any of its other names."""

    @extend_schema(responses=ModelOutput, examples=outputs.MODEL_EXAMPLES)
    def get(self, request: Request, model_id: str) -> Response:
        engine = recognition.announced_engine()
        if not model_id.strip():
            raise InputFault("Name a model.", code="unknown_model")
        recognition.resolve_model(model_id, engine=engine)
        return Response(describe_model(model_id, engine))


def describe_model(name: str, engine: str | None) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": engine or "transcribify"}

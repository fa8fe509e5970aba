"""Before you pay: what a recording would cost, and when it would be done."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.examples import FORM
from jobs.api.fields import FiniteFloatField
from jobs.api.intake import RecordingField, origin_of, read_header, receive_recording
from jobs.api.options import MAX_TRIM_SECONDS, OptionsInput, check_options
from jobs.estimates import estimate_job


class EstimateInput(OptionsInput):
    """A recording, or only its length, and how it would be transcribed."""

    file = RecordingField(required=False)
    duration_seconds = FiniteFloatField(
        required=False, min_value=0.001, max_value=MAX_TRIM_SECONDS, help_text="The recording's length, in its place."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("file" in attrs) == ("duration_seconds" in attrs):
            raise serializers.ValidationError(
                {"duration_seconds": "Send either the recording as 'file' or its duration_seconds."},
                code="file_or_length",
            )
        return attrs


class EstimateOutput(serializers.Serializer[Any]):
    duration_seconds = serializers.FloatField(allow_null=True, help_text="Null: the recording does not say.")
    charged_seconds = serializers.FloatField(allow_null=True, help_text="What would be charged, after trimming.")
    remaining_seconds = serializers.FloatField(allow_null=True, help_text="The budget now; null means unlimited.")
    remaining_seconds_after = serializers.FloatField(allow_null=True, help_text="The budget that would be left.")
    fits = serializers.BooleanField(help_text="Whether the budget reaches.")
    queue_position = serializers.IntegerField(help_text="1: nobody is ahead.")
    workers = serializers.IntegerField(help_text="Processes that recognise speech now.")
    model = serializers.CharField()
    speed_factor = serializers.FloatField(
        allow_null=True, help_text="Seconds of audio in a second of work, as measured here with this model."
    )
    expected_seconds = serializers.FloatField(allow_null=True, help_text="Until it would be transcribed.")
    expected_finish_at = serializers.DateTimeField(allow_null=True, help_text="Null: nothing was measured yet.")


EXAMPLE = OpenApiExample(
    "By its length",
    value={"duration_seconds": 90, "trim_start": 30, "model": "whisper-1"},
    request_only=True,
    media_type="application/json",
)
FILE_EXAMPLE = OpenApiExample(
    "By its header", value={"file": "(the recording's bytes)", "model": "whisper-1"}, request_only=True, media_type=FORM
)
ANSWER_EXAMPLE = OpenApiExample(
    "It fits",
    value={
        "duration_seconds": 90.0,
        "charged_seconds": 60.0,
        "remaining_seconds": 1800.0,
        "remaining_seconds_after": 1740.0,
        "fits": True,
        "queue_position": 1,
        "workers": 2,
        "model": "base",
        "speed_factor": 8.2,
        "expected_seconds": 7.3,
        "expected_finish_at": "2026-11-21T10:00:07Z",
    },
    response_only=True,
)


class EstimateView(GenericAPIView):
    """What a recording would cost and when it would be done. Nothing is stored, reserved or charged."""

    takes_recordings = True
    serializer_class = EstimateInput

    @extend_schema(
        request={FORM: EstimateInput, "application/json": EstimateInput},
        responses=EstimateOutput,
        examples=[EXAMPLE, FILE_EXAMPLE, ANSWER_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        receive_recording(request, origin_of(request), for_free=True)
        data = self.get_serializer(data=request.data)
        data.is_valid(raise_exception=True)
        asked = dict(data.validated_data)
        file, duration_seconds = asked.pop("file", None), asked.pop("duration_seconds", None)
        options = check_options(asked)
        if file is not None:
            duration_seconds = read_header(file).duration_seconds
        estimate = estimate_job(owner=request.user, duration_seconds=duration_seconds, options=options)  # type: ignore[arg-type]
        return Response(dict(EstimateOutput(estimate).data))

"""What goes into and comes out of the doors to jobs."""

import math
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from jobs.models import Job, Status
from jobs.selectors import enhanced_of, segments_of, text_of

MAX_PROMPT_CHARACTERS = 1000
MAX_BEAM_SIZE = 10


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know, and a single-valued field that is given twice."""

    def to_internal_value(self, data: Any) -> Any:
        known: list[str] = [str(name) for name in self.fields]
        unknown = sorted(set(data) - set(known) - {"csrfmiddlewaretoken"})
        if unknown:
            message = f"There is no such option. Known: {', '.join(known)}."
            raise serializers.ValidationError(dict.fromkeys(unknown, message), code="unknown_option")
        if isinstance(data, QueryDict):
            twice = [name for name in known if len(data.getlist(name)) > 1]
            if twice:
                raise serializers.ValidationError(dict.fromkeys(twice, "Give it once."), code="given_twice")
        return super().to_internal_value(data)


class FiniteFloatField(serializers.FloatField):
    """A number; NaN and infinity are none."""

    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("invalid")
        return value


class SubmitInput(StrictSerializer):
    """A recording and how it is to be transcribed."""

    file = serializers.FileField(
        help_text="Audio, or video with sound.",
        max_length=4096,
        error_messages={
            "required": "Send the recording as the form field 'file' (multipart/form-data).",
            "invalid": "Send the recording as the form field 'file' (multipart/form-data).",
            "empty": "The file is empty.",
        },
    )
    model = serializers.CharField(
        required=False, max_length=200, help_text="Which model; without it, the installation's default."
    )
    language = serializers.CharField(
        required=False, max_length=10, allow_blank=True, help_text="ISO 639-1 code; without it, it is detected."
    )
    prompt = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=MAX_PROMPT_CHARACTERS,
        help_text="Names and terms that occur, or the style of writing that is wanted.",
    )
    temperature = FiniteFloatField(
        required=False, min_value=0, max_value=1, help_text="Sampling temperature; without it, raised only when needed."
    )
    beam_size = serializers.IntegerField(required=False, min_value=1, max_value=MAX_BEAM_SIZE)
    vad_filter = serializers.BooleanField(default=True, help_text="Recognise only where speech was found.")
    word_timestamps = serializers.BooleanField(default=False, help_text="Also give the time of each word.")
    report = serializers.BooleanField(default=True, help_text="Write a report when the transcript is there.")

    def validate_file(self, file: UploadedFile) -> UploadedFile:
        _, dot, extension = (file.name or "").rpartition(".")
        if dot and extension.lower() not in settings.ALLOWED_EXTENSIONS:
            known = ", ".join(settings.ALLOWED_EXTENSIONS)
            raise serializers.ValidationError(
                f"Files ending in .{extension[:20]} are not accepted. Accepted: {known}.", code="unsupported_format"
            )
        return file


@extend_schema_field(OpenApiTypes.OBJECT)
class JSONValue(serializers.JSONField):
    """A value that is stored as the JSON that is shown."""


class JobSummary(serializers.Serializer[Any]):
    """A job as lists show it."""

    id = serializers.IntegerField()
    uid = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Status.choices)
    stage = serializers.CharField(allow_null=True)
    progress = serializers.FloatField()
    filename = serializers.CharField()
    duration_seconds = serializers.FloatField(allow_null=True)
    language = serializers.CharField(allow_null=True)
    engine = serializers.SerializerMethodField()
    model = serializers.SerializerMethodField()
    options = JSONValue()
    warnings = serializers.ListField(child=serializers.DictField())
    error = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_engine(self, job: Job) -> str | None:
        return job.engine or None

    def get_model(self, job: Job) -> str | None:
        return job.model or None

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_error(self, job: Job) -> dict[str, str] | None:
        if not job.error_code:
            return None
        return {"code": job.error_code, "message": job.error_message}


class ReportOutput(serializers.Serializer[Any]):
    """The report, whichever package wrote it: it is reached by the name of the reverse relation."""

    summary = serializers.CharField()
    key_points = serializers.ListField(child=serializers.CharField())
    topics = serializers.ListField(child=serializers.CharField())
    sentiment = serializers.CharField()
    writer = serializers.CharField()


class EnhancedSegment(serializers.Serializer[Any]):
    """A segment of the original with its corrected text."""

    id = serializers.IntegerField()
    start = serializers.FloatField(help_text="Seconds, as in the original.")
    end = serializers.FloatField(help_text="Seconds, as in the original.")
    text = serializers.CharField()


class EnhancedOutput(serializers.Serializer[Any]):
    """The transcript as a language model corrected it: punctuation, capitals, obvious mishearings."""

    text = serializers.CharField()
    segments = EnhancedSegment(many=True)
    model = serializers.CharField()


class JobDetail(JobSummary):
    """A job with everything that is known of it so far."""

    transcript = serializers.SerializerMethodField()
    segments = serializers.SerializerMethodField()
    enhanced = serializers.SerializerMethodField()
    report = serializers.SerializerMethodField()

    def get_transcript(self, job: Job) -> str:
        return text_of(job)

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_segments(self, job: Job) -> list[dict[str, Any]]:
        return segments_of(job)

    @extend_schema_field(EnhancedOutput(allow_null=True))
    def get_enhanced(self, job: Job) -> dict[str, Any] | None:
        enhanced = enhanced_of(job)
        # As it is stored: a serializer would take each of thousands of segments in hand.
        return {name: getattr(enhanced, name) for name in ("text", "segments", "model")} if enhanced else None

    @extend_schema_field(ReportOutput(allow_null=True))
    def get_report(self, job: Job) -> dict[str, Any] | None:
        report = getattr(job, "report", None)
        return ReportOutput(report).data if report else None

"""What comes out of the doors to jobs."""

from copy import copy
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from jobs.api.fields import DoubtSigns, JSONValue
from jobs.api.renderers import StoredArray
from jobs.estimates import remaining_seconds
from jobs.models import Job, Status
from jobs.options import Options
from jobs.selectors import enhanced_of, stored_parts_of


class JobFault(serializers.Serializer[Any]):
    """Why a job failed."""

    code = serializers.CharField(help_text="Stable, for programs.")
    message = serializers.CharField(help_text="What to do, for people.")


class SegmentOutput(serializers.Serializer[Any]):
    """A stretch of speech, with what else the engine says of it."""

    id = serializers.IntegerField()
    start = serializers.FloatField(help_text="Seconds from the beginning of the recording.")
    end = serializers.FloatField(help_text="Seconds from the beginning of the recording.")
    text = serializers.CharField()
    words = serializers.ListField(child=serializers.DictField(), required=False, help_text="With word_timestamps.")
    flags = DoubtSigns()


class Output(serializers.Serializer[Any]):
    """Takes its fields as they are declared, where REST framework makes each anew: that takes a tenth of an answer.

    It may, as nothing is set in the fields of a serializer that only writes, but for the serializer that they are of.
    """

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {name: copy(field) for name, field in self._declared_fields.items()}


class JobSummary(Output):
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
    options = serializers.SerializerMethodField()
    warnings = serializers.ListField(child=serializers.DictField())
    error = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    delete_at = serializers.DateTimeField(allow_null=True)
    removed_at = serializers.DateTimeField(allow_null=True)
    receipt = serializers.SerializerMethodField()

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_options(self, job: Job) -> dict[str, Any]:
        return Options.of(job.options).as_json()

    @extend_schema_field(JSONValue(allow_null=True))
    def get_receipt(self, job: Job) -> dict[str, Any] | None:
        """Not before the recording is really gone: the row has it a moment earlier."""
        return job.receipt if job.removed_at else None

    def get_engine(self, job: Job) -> str | None:
        return job.engine or None

    def get_model(self, job: Job) -> str | None:
        return job.model or None

    @extend_schema_field(JobFault(allow_null=True))
    def get_error(self, job: Job) -> dict[str, str] | None:
        if not job.error_code:
            return None
        return {"code": job.error_code, "message": job.error_message}


class ReportOutput(Output):
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

    remaining_seconds = serializers.SerializerMethodField()
    transcript = serializers.SerializerMethodField()
    segments = serializers.SerializerMethodField()
    enhanced = serializers.SerializerMethodField()
    report = serializers.SerializerMethodField()

    def to_representation(self, job: Job) -> dict[str, Any]:
        self._text, self._segments = stored_parts_of(job)  # one question for the two fields that are made of them
        return super().to_representation(job)

    def get_remaining_seconds(self, job: Job) -> float | None:
        """How long its recognition will take from now on, by the chunks that are done. Null where nobody can say."""
        return remaining_seconds(job)

    def get_transcript(self, job: Job) -> str:
        return self._text

    @extend_schema_field(SegmentOutput(many=True))
    def get_segments(self, job: Job) -> StoredArray:
        return StoredArray(self._segments)

    @extend_schema_field(EnhancedOutput(allow_null=True))
    def get_enhanced(self, job: Job) -> dict[str, Any] | None:
        enhanced = enhanced_of(job)
        # As it is stored: a serializer would take each of thousands of segments in hand.
        return {name: getattr(enhanced, name) for name in ("text", "segments", "model")} if enhanced else None

    @extend_schema_field(ReportOutput(allow_null=True))
    def get_report(self, job: Job) -> dict[str, Any] | None:
        report = getattr(job, "report", None)
        return ReportOutput(report).data if report else None

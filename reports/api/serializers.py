"""What can be asked of an export."""

from dataclasses import fields
from typing import Any

from rest_framework import serializers

from accounts.api.strict import StrictSerializer
from jobs.api.fields import DoubtSigns
from reports.formats.base import Layout

MAX_LINE_WIDTH, MAX_LINE_COUNT, MAX_WORDS_PER_LINE = 1000, 100, 1000


class ExportInput(StrictSerializer):
    """How a transcript is to be written down. Captions alone have lines, JSON alone has words."""

    max_line_width = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_LINE_WIDTH, help_text="Characters to a line of a caption."
    )
    max_line_count = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_LINE_COUNT,
        help_text="Lines to a caption; needs max_line_width. Captions are filled across segments then.",
    )
    max_words_per_line = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_WORDS_PER_LINE,
        help_text="Words to a caption; no effect beside the other two together.",
    )
    words = serializers.BooleanField(default=False, help_text="JSON: also the words and their times, where known.")

    enhanced = serializers.BooleanField(
        default=False, help_text="The transcript that a language model cleaned up, where the job has one."
    )

    def layout(self) -> Layout:
        kept = {field.name for field in fields(Layout)}
        return Layout(**{name: value for name, value in self.validated_data.items() if name in kept})


class ExportInAnyFormatInput(ExportInput):
    """The same, with the format beside it."""

    format = serializers.CharField(
        required=False, allow_blank=True, max_length=20, help_text="json, txt, srt, vtt or tsv; else by Accept."
    )


class SpokenWord(serializers.Serializer[Any]):
    start = serializers.FloatField()
    end = serializers.FloatField()
    word = serializers.CharField()
    probability = serializers.FloatField(allow_null=True)


class SpokenSegment(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    start = serializers.FloatField()
    end = serializers.FloatField()
    text = serializers.CharField()
    words = SpokenWord(many=True, required=False)
    flags = DoubtSigns()


class TranscriptOutput(serializers.Serializer[Any]):
    """A transcript as JSON; times in seconds, with milliseconds."""

    text = serializers.CharField()
    language = serializers.CharField(allow_null=True)
    segments = SpokenSegment(many=True)

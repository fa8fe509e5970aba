"""Fields that the doors to jobs share."""

import math
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import MAX_TAG_CHARACTERS, MAX_TAGS
from jobs.engines.doubts import SIGNS


class FiniteFloatField(serializers.FloatField):
    """A number; NaN and infinity are none."""

    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("invalid")
        return value


class TagsField(serializers.ListField):
    """Tags as a list, as a field that is given several times, or with commas between them. Each counts once."""

    child = serializers.CharField()
    default_error_messages = {
        "too_many": f"At most {MAX_TAGS} tags.",
        "too_long": f"A tag has at most {MAX_TAG_CHARACTERS} characters.",
        "unprintable": "A tag is one line of printable characters.",
    }

    def to_internal_value(self, data: Any) -> list[str]:
        given = super().to_internal_value([data] if isinstance(data, str) else data)
        tags = list(dict.fromkeys(tag for part in given for tag in map(str.strip, part.split(",")) if tag))
        if len(tags) > MAX_TAGS:
            self.fail("too_many")
        if any(len(tag) > MAX_TAG_CHARACTERS for tag in tags):
            self.fail("too_long")
        if not all(tag.isprintable() for tag in tags):
            self.fail("unprintable")
        return tags


class DoubtSigns(serializers.ListField):
    """``Segment.flags``; only segments that have some show them."""

    def __init__(self, **options: Any) -> None:
        meanings = "; ".join(f"`{sign}`: {meaning}" for sign, meaning in SIGNS.items())
        help_text = f"Why nobody may have said this; only where there is a sign of that. {meanings}."
        super().__init__(**{"child": serializers.CharField(), "required": False, "help_text": help_text, **options})


@extend_schema_field(OpenApiTypes.OBJECT)
class JSONValue(serializers.JSONField):
    """A value that is stored as the JSON that is shown."""

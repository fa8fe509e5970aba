"""Fields and the strictness that the doors to jobs share."""

import math
from typing import Any

from django.http import QueryDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from jobs.models.tag import MAX_TAG_CHARACTERS, MAX_TAGS


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know, and a single-valued field that is given twice.

    ``name[]``, as OpenAI's clients and PHP forms write the name of a list, is ``name``.
    """

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, QueryDict):
            data = self._tidy_form(data)
        known = [str(name) for name in self.fields]
        unknown = sorted(set(data) - set(known)) if isinstance(data, dict) else []
        if unknown:
            message = f"There is no such option. Known: {', '.join(known)}."
            raise serializers.ValidationError(dict.fromkeys(unknown, message), code="unknown_option")
        return super().to_internal_value(data)

    def _tidy_form(self, data: QueryDict) -> QueryDict:
        form = with_plain_names(data)
        form.pop("csrfmiddlewaretoken", None)
        lists = {name for name, field in self.fields.items() if isinstance(field, serializers.ListField)}
        twice = [name for name in form if name not in lists and len(form.getlist(name)) > 1]
        if twice:
            raise serializers.ValidationError(dict.fromkeys(twice, "Give it once."), code="given_twice")
        return form


def with_plain_names(data: QueryDict) -> QueryDict:
    """A form in which ``name[]`` is ``name``, as a copy that may be changed."""
    form = QueryDict(mutable=True)
    for name, values in data.lists():
        form.setlistdefault(name.removesuffix("[]")).extend(values)
    return form


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


@extend_schema_field(OpenApiTypes.OBJECT)
class JSONValue(serializers.JSONField):
    """A value that is stored as the JSON that is shown."""

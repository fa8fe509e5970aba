"""Input that is taken by the letter."""

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from rest_framework import serializers


class TextField(serializers.CharField):
    """A text. A JSON number is none: whether a password is 12345678 or 12345678.0 is for nobody to guess."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know, and a single-valued field that is given twice.

    ``name[]``, as OpenAI's clients and PHP forms write the name of a list, is ``name``.
    """

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, QueryDict):
            data = self._tidy_form(data)
        known = [str(name) for name in self.fields]
        unknown = sorted(set(data) - set(known)) if isinstance(data, Mapping) else []
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


def with_plain_names(data: Any) -> QueryDict:
    """A form in which ``name[]`` is ``name``, as a copy that may be changed; empty for what is no form, or no body."""
    form = QueryDict(mutable=True)
    if not isinstance(data, QueryDict):
        return form
    for name, values in data.lists():
        form.setlistdefault(name.removesuffix("[]")).extend(values)
    return form

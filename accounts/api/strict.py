"""Input that is taken by the letter."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know: a misspelt option is not to be left out in silence."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = [str(name) for name in self.fields]
            unknown = sorted(set(data) - set(known) - {"csrfmiddlewaretoken"})
            if unknown:
                message = f"There is no such option. Known: {', '.join(known)}."
                raise serializers.ValidationError(dict.fromkeys(unknown, message), code="unknown_option")
        return super().to_internal_value(data)

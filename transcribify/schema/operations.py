"""What the description says of each operation beyond what its view says: group, summary, refusals, headers."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry
from drf_spectacular.utils import Direction
from rest_framework.permissions import AllowAny

from accounts.api.strict import StrictSerializer
from jobs.api.downloads import ErrorsAsJSON
from transcribify.api_errors import shaped
from transcribify.openai_compat.errors import is_openai
from transcribify.schema.faults import ErrorOutput, Facts, OpenAIErrorOutput, faults_of
from transcribify.schema.headers import add_headers
from transcribify.schema.text import tag_of

Operation = dict[str, Any]


class DescribedView(AutoSchema):
    """drf-spectacular's reading of a view, with the common parts put in once."""

    def get_tags(self) -> list[str]:
        return [tag_of(self.path)]

    def get_description(self) -> str:  # type: ignore[override]
        """The docstring, in Markdown."""
        return (super().get_description() or "").replace("``", "`")

    def get_summary(self) -> str | None:
        """The first sentence of the docstring."""
        first, _, _ = " ".join(self.get_description().split("\n\n")[0].split()).partition(". ")
        return first.rstrip(".") or None

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> Operation | None:
        operation = super().get_operation(path, path_regex, path_prefix, method, registry)
        if operation is not None:
            self._add_refusals(operation)
            add_headers(operation, path=self.path, method=self.method)
        return operation

    def _map_basic_serializer(self, serializer: Any, direction: Direction) -> Operation:
        schema = super()._map_basic_serializer(serializer, direction)
        if isinstance(serializer, StrictSerializer):
            schema["additionalProperties"] = False
        return schema

    def _add_refusals(self, operation: Operation) -> None:
        component = self.resolve_serializer(OpenAIErrorOutput if is_openai(self.path) else ErrorOutput, "response")
        responses = operation["responses"]
        for fault in faults_of(self._facts(operation)):
            status, body, _ = shaped(self.path, fault.status, fault.body)
            response = responses.setdefault(str(status), {"description": ""})
            content = response.setdefault("content", {}).setdefault("application/json", {"schema": component.ref})
            content.setdefault("examples", {})[fault.code] = {"value": body, "summary": fault.code}
            response["description"] = response["description"] or fault.detail
        operation["responses"] = dict(sorted(responses.items()))

    def _facts(self, operation: Operation) -> Facts:
        return Facts(
            method=self.method,
            path=self.path,
            is_private=AllowAny not in self.view.permission_classes,
            has_body="requestBody" in operation,
            has_query=any(parameter["in"] == "query" for parameter in operation.get("parameters", ())),
            takes_recordings="requestBody" in operation and getattr(self.view, "takes_recordings", False),
            renders=not issubclass(self.view.content_negotiation_class, ErrorsAsJSON),
        )

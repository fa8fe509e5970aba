"""Answers that can be had as a file, too: ``?format=csv`` or ``Accept: text/csv``."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


@dataclass(frozen=True, slots=True)
class Download:
    """A format that a view writes by itself; ``format`` is its name in the address."""

    format: str
    media_type: str


class Negotiation(DefaultContentNegotiation):
    """REST framework's, but a ``?format=`` that there is not is HTTP 406: the address itself is right."""

    def filter_renderers(self, renderers: Any, format: str) -> Any:
        found = [renderer for renderer in renderers if renderer.format == format]
        if not found:
            known = ", ".join(renderer.format for renderer in renderers)
            raise NotAcceptable(f"There is no such format here. Known: {known}.")
        return found


class DownloadNegotiation(Negotiation):
    """Chooses among the view's renderers and its ``downloads``: by ``?format=``, else by ``Accept``.

    A format that the view does not offer is HTTP 406 ``not_acceptable``; an ``Accept`` that nothing fits is answered
    in JSON. Faults are always told by a renderer: ``chosen_download`` says what the view is to write if all is well.
    """

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        offered: list[Any] = [*renderers, *request.parser_context["view"].downloads]
        chosen, media_type = self._choose(request, offered)
        if isinstance(chosen, Download):
            request.chosen_download = chosen.format  # type: ignore[attr-defined]
            return offered[0], offered[0].media_type
        return chosen, media_type

    def _choose(self, request: Request, offered: Sequence[Any]) -> tuple[Any, str]:
        name = request.query_params.get("format")
        if name is None:
            try:
                return super().select_renderer(request, offered)
            except NotAcceptable:
                return offered[0], offered[0].media_type
        for one in offered:
            if one.format == name:
                return one, one.media_type
        known = ", ".join(one.format for one in offered)
        raise NotAcceptable(f"There is no such format here. Known: {known}.")


def chosen_download(request: Request) -> str | None:
    """The name of the download that the client asks for; None when a renderer answers."""
    return getattr(request, "chosen_download", None)

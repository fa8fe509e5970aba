"""A call of an OpenAI client that waits for its job, and the slot in which Django hands it to the shell."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from transcribify.bodies import Message

Scope = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

SLOT = "transcribify.call"
"""The key in the ASGI scope. The shell and the views share that dictionary; nothing of it goes over the wire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What an answer depends on besides the job."""

    job_id: int
    response_format: str = "json"
    granularities: tuple[str, ...] = ("segment",)
    stream: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """Where the job can be found."""
        return {"x-transcribify-job-id": str(self.job_id)}


def hand_over(environ: MutableMapping[str, Any], call: Call) -> bool:
    """Ask the shell to wait; False where Django is served without it."""
    scope = environ.get("asgi.scope")
    if scope is None:
        return False
    scope[SLOT] = call
    return True

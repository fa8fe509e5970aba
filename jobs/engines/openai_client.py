"""One call to an OpenAI-compatible server: a total deadline, and one error with a kind for all that can go wrong.

Shared by the ``openai`` engine and the ``openai`` report writer. The call runs in asyncio because the SDK's own
time-out counts per read (a server that drips a byte per second never reaches it), while a cancelled task closes its
connection at once. Bodies are parsed here with pydantic, not by the SDK, which lets most malformed answers through
as ``None``, ``str`` or a ``TypeError`` far from the cause.
"""

import asyncio
import math
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, Protocol, TypeVar

import httpx2
import openai
from pydantic import BaseModel, ValidationError

OPENAI_URL = "https://api.openai.com/v1"
MAX_QUOTED_CHARACTERS = 200
CONNECT_SECONDS = 10.0

FailureKind = Literal[
    "unauthorized", "unknown_model", "quota", "rejected", "busy", "unreachable", "timeout", "bad_answer"
]
Shape = TypeVar("Shape", bound=BaseModel)


class ProviderError(Exception):
    """The call failed. ``said`` is the server's own short message without secrets, or empty."""

    def __init__(
        self,
        kind: FailureKind,
        said: str = "",
        *,
        code: str | None = None,
        status: int | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(f"{kind}: {said}" if said else kind)
        self.kind = kind
        self.said = said
        self.code = code
        self.status = status
        self.retry_after_seconds = retry_after_seconds


class RawAnswer(Protocol):
    """What ``with_raw_response`` gives."""

    @property
    def http_response(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Provider:
    """A server, the key to it, and how long one call may take from connecting to the last byte."""

    api_key: str = field(repr=False)
    base_url: str | None
    timeout_seconds: float

    async def call(self, send: Callable[[openai.AsyncOpenAI], Awaitable[RawAnswer]], shape: type[Shape]) -> Shape:
        """``send`` one request and read its answer as ``shape``. Raises ``ProviderError`` and nothing else."""
        try:
            async with asyncio.timeout(self.timeout_seconds), self._client() as client:
                answer = await send(client)
        except (TimeoutError, openai.APITimeoutError):
            raise ProviderError("timeout", f"no complete answer within {self.timeout_seconds:g} s") from None
        except openai.APIStatusError as error:
            # "from None" everywhere: the SDK's text quotes the answer, and some servers quote the key in it.
            raise self._refusal(error) from None
        except (openai.OpenAIError, httpx2.InvalidURL):
            raise ProviderError("unreachable", self._address()) from None
        return self._read(answer.http_response.content, shape)

    def _client(self) -> openai.AsyncOpenAI:
        key = self.api_key.strip()
        if not (key.isascii() and key.isprintable()):
            raise ProviderError("unauthorized", "the key holds characters that no key has")
        timeout = httpx2.Timeout(self.timeout_seconds, connect=min(CONNECT_SECONDS, self.timeout_seconds))
        return openai.AsyncOpenAI(
            api_key=key or "none",  # a server of one's own may want no key, but the SDK insists on one
            base_url=self.base_url or OPENAI_URL,
            max_retries=0,
            timeout=timeout,
            # No redirects: the recording goes to the address that the operator chose, and nowhere else.
            http_client=openai.DefaultAsyncHttpxClient(timeout=timeout, verify=_certificates(), follow_redirects=False),
        )

    def _refusal(self, error: openai.APIStatusError) -> ProviderError:
        code = error.code or error.type
        moved = "it has moved to another address" if error.status_code < 400 else ""
        return ProviderError(
            _kind(error.status_code, code),
            moved or self._quote(error.body),
            code=code,
            status=error.status_code,
            retry_after_seconds=_seconds(error.response.headers.get("retry-after")),
        )

    def _read(self, body: bytes, shape: type[Shape]) -> Shape:
        try:
            return shape.model_validate_json(body)
        except ValidationError:
            pass
        try:
            error = _ErrorAnswer.model_validate_json(body).error
        except ValidationError:
            raise ProviderError("bad_answer", "it is not the JSON that this call has") from None
        # Gateways report a failure upstream as {"error": {"code": 429, …}} under status 200.
        code = error.get("code") if isinstance(error, dict) else None
        kind = _kind(code, None) if isinstance(code, int) else "bad_answer"
        raise ProviderError(kind, self._quote(error), code=None if code is None else str(code), status=200)

    def _quote(self, body: object) -> str:
        """What the server said, as one short line that holds neither this key nor anything that looks like one."""
        said = (body.get("message") or body.get("detail")) if isinstance(body, dict) else body
        if not isinstance(said, str) or said.lstrip().startswith("<"):
            return ""
        if key := self.api_key.strip():
            said = said.replace(key, "…")
        said = re.sub(r"\b(?:sk|gsk|pk|key)[-_][\w*.-]{4,}|\bBearer\s+\S+", "…", said)
        said = " ".join("".join(c if c.isprintable() else " " for c in said).split())
        return said if len(said) <= MAX_QUOTED_CHARACTERS else said[: MAX_QUOTED_CHARACTERS - 1] + "…"

    def _address(self) -> str:
        # The host only: an address may carry a password or a token.
        try:
            return httpx2.URL(self.base_url or OPENAI_URL).host or "the address has no host"
        except httpx2.InvalidURL:
            return "the address is not a URL"


@cache
def _certificates() -> ssl.SSLContext:
    """Read once per process: it takes 0.1 s, and each call has a client of its own."""
    return httpx2.create_ssl_context()


class _ErrorAnswer(BaseModel):
    error: dict[str, Any] | str


def _kind(status: int, code: str | None) -> FailureKind:
    if status in (401, 403):
        return "unauthorized"
    if status == 404:
        return "unknown_model"
    if status == 402 or (status == 429 and code == "insufficient_quota"):
        return "quota"
    if status in (400, 413, 415, 422):
        return "rejected"
    if status in (408, 409, 425, 429) or status >= 500:
        return "busy"
    return "bad_answer"


def _seconds(retry_after: str | None) -> int | None:
    try:
        seconds = float(retry_after or "")
    except ValueError:  # absent, or an HTTP date
        return None
    return math.ceil(seconds) if 0 <= seconds < 86_400 else None

"""What an OpenAI-compatible server may answer, well or badly: scripts for ``OpenAIStub``."""

import json
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. ``drip_seconds`` passes before each byte of the body, ``hang_seconds`` before the status."""

    body: bytes = b""
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    drip_seconds: float = 0.0
    drip_headers: bool = False
    hang_seconds: float = 0.0
    hang_up: bool = False


GOOD_REPORT = {
    "summary": "The team agreed to ship on Friday.",
    "key_points": ["Ship on Friday"],
    "topics": ["release"],
    "sentiment": "positive",
}


def json_answer(content: object, **options: object) -> Answer:
    return Answer(json.dumps(content).encode(), **options)


def error_answer(status: int, message: str, code: str | None = None, **options: object) -> Answer:
    """The error body that OpenAI documents."""
    error = {"message": message, "type": code or "error", "param": None, "code": code}
    return json_answer({"error": error}, status=status, **options)


def chat_answer(content: object, *, finish_reason: str = "stop", refusal: str | None = None, **options) -> Answer:
    """A chat completion; ``content`` that is not text is sent as JSON text, None stays null."""
    text = content if content is None or isinstance(content, str) else json.dumps(content)
    message = {"role": "assistant", "content": text, "refusal": refusal}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}
    completion = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    return json_answer(completion, **options)


def verbose_answer(segments: list[dict], *, language: str = "english", **more: object) -> Answer:
    """``verbose_json`` of a transcription; a segment needs start, end and text."""
    whole = {"avg_logprob": -0.2, "compression_ratio": 1.1, "no_speech_prob": 0.01, "temperature": 0.0, "seek": 0}
    filled = [{"id": n, "tokens": [50364, n], **whole, **segment} for n, segment in enumerate(segments)]
    text = "".join(segment["text"] for segment in segments)
    duration = max((segment["end"] for segment in segments), default=0.0)
    return json_answer(
        {"task": "transcribe", "language": language, "duration": duration, "text": text, "segments": filled} | more
    )


INVALID_KEY = error_answer(
    401, "Incorrect API key provided: sk-cana***cret. Find yours in the dashboard.", "invalid_api_key"
)
FORBIDDEN = error_answer(403, "Country, region, or territory not supported", "unsupported_country_region_territory")
NO_SUCH_MODEL = error_answer(404, "The model `nope` does not exist or you do not have access to it.", "model_not_found")
RATE_LIMITED = error_answer(429, "Rate limit reached for requests", "rate_limit_exceeded", headers={"Retry-After": "7"})
OUT_OF_QUOTA = error_answer(429, "You exceeded your current quota", "insufficient_quota")
SERVER_ERROR = error_answer(500, "The server had an error while processing your request")
UNAVAILABLE = Answer(b"<html><body>503 Service Unavailable</body></html>", 503, "text/html")
HANG = Answer(b"{}", hang_seconds=30.0)
HANG_UP = Answer(hang_up=True)
BROKEN_JSON = Answer(b'{"text": "half of an ans')
HTML = Answer(b"<!doctype html><title>Welcome to nginx!</title>", content_type="text/html")
EMPTY = Answer()
ERROR_UNDER_200 = json_answer({"error": {"message": "Upstream error from the provider", "code": None}})
BUSY_UNDER_200 = json_answer({"error": {"message": "Provider returned error", "code": 429}})
NO_CHOICES = json_answer({"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": []})
NULL_CHOICES = json_answer({"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": None})

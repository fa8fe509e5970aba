"""A conversation with a chat model about one transcript: structured answers, one repair each, a deadline over all.

Shared by all that asks an OpenAI-compatible server (OpenRouter, OpenAI, Ollama, vLLM) about what was said.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import openai
from pydantic import BaseModel, Field

from jobs.engines.openai_client import FailureKind, Provider, ProviderError, RawAnswer
from jobs.errors import ReportError
from reports.writers.base import WriterConfig
from reports.writers.openai_json import UnusableAnswerError
from reports.writers.openai_messages import Message, repair_messages, response_formats

MAX_CALLS = 3
"""For one piece of material: response formats that the server refuses, the answer, and one repair."""

PARTS_AT_ONCE = 4
"""A ten-hour recording has some 25 parts; one after the other they would not fit the total deadline."""

KEY_SETTINGS = "OPENROUTER_API_KEY or REPORT_API_KEY"

MESSAGES: dict[FailureKind, str] = {
    "unauthorized": f"The report provider refused the API key. Check {KEY_SETTINGS}, and REPORT_BASE_URL.",
    "unknown_model": "The report provider does not know the model {model!r} at this address. Check REPORT_MODEL "
    "and REPORT_BASE_URL.",
    "quota": "The account at the report provider has run out of credit. Top it up and write the report again.",
    "rejected": "The report provider rejected the request.",
    "busy": "The report provider is busy or limits our requests. Write the report again later.",
    "unreachable": "The report provider cannot be reached. Check REPORT_BASE_URL and the network.",
    "timeout": "The model did not finish in time. Write the report again later, or choose a faster model.",
    "bad_answer": "The report provider's answer could not be read. Write the report again, or choose another model.",
}

Read = TypeVar("Read")
Result = TypeVar("Result")


class ChatMessage(BaseModel):
    content: str | None = None
    refusal: str | None = None


class ChatChoice(BaseModel):
    message: ChatMessage
    finish_reason: str | None = None


class ChatAnswer(BaseModel):
    """The part of a chat completion that is used."""

    choices: list[ChatChoice] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class AnswerForm(Generic[Read]):
    """What each answer must be. ``read`` raises ``UnusableAnswerError``; ``keys`` names the keys to the model."""

    name: str
    schema: dict[str, Any]
    keys: str
    read: Callable[[str], Read]


def _nothing() -> None:
    pass


class Chat(Generic[Read]):
    """Asks for answers of one form. Every fault is a ``ReportError`` whose ``extra["reason"]`` says which.

    Reasons: ``unauthorized unknown_model quota rejected busy unreachable timeout bad_answer refused truncated``.
    One call takes at most ``config.timeout_seconds``, all of ``run`` ``config.total_seconds``.
    """

    def __init__(self, config: WriterConfig, form: AnswerForm[Read]) -> None:
        self._config = config
        self._form = form
        self._provider = Provider(config.api_key, config.base_url, config.timeout_seconds)
        self._formats = response_formats(form.name, form.schema)
        self._format = 0  # index of the first response format that this server has not refused

    def run(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """``work``, which may call ``ask_all``, to its end."""
        self._check_settings()
        try:
            return asyncio.run(self._in_time(work))
        except ProviderError as error:
            raise self._as_report_error(error) from None

    async def ask_all(self, asked: Sequence[list[Message]], *, beat: Callable[[], None] = _nothing) -> list[Read]:
        """The answers, in the order of ``asked``; ``beat`` is called after each of the model's answers."""
        slots = asyncio.Semaphore(PARTS_AT_ONCE)

        async def ask(messages: list[Message]) -> Read:
            async with slots:
                return await self._ask(messages, beat)

        tasks = [asyncio.create_task(ask(messages)) for messages in asked]
        try:
            return await asyncio.gather(*tasks)
        finally:
            # After the first failure the rest is given up, each with its connection closed before the loop ends.
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _check_settings(self) -> None:
        if not self._config.model:
            raise ReportError("No language model is chosen: set REPORT_MODEL.", reason="unknown_model")
        if not self._config.api_key and not self._config.base_url:
            raise ReportError(
                f"No language model is configured: set {KEY_SETTINGS}, or REPORT_BASE_URL for a server without keys.",
                reason="unauthorized",
            )

    async def _in_time(self, work: Callable[[], Awaitable[Result]]) -> Result:
        seconds = self._config.total_seconds
        try:
            async with asyncio.timeout(seconds):
                return await work()
        except TimeoutError:
            raise ProviderError("timeout", f"not complete within {seconds:g} s") from None

    async def _ask(self, asked: list[Message], beat: Callable[[], None]) -> Read:
        messages, chosen = asked, self._format
        for _ in range(MAX_CALLS):
            try:
                answer = await self._complete(messages, self._formats[chosen])
            except ProviderError as error:
                if not _may_be_about_format(error) or chosen + 1 == len(self._formats):
                    raise
                chosen += 1
                continue
            beat()
            self._format = chosen
            try:
                return self._form.read(answer)
            except UnusableAnswerError as error:
                if messages is not asked:
                    break
                messages = repair_messages(asked, answer, problem=str(error), keys=self._form.keys)
        raise ProviderError("bad_answer", f"the model wrote no {self._form.name} of the form that was asked for")

    async def _complete(self, messages: list[Message], response_format: dict[str, Any] | None) -> str:
        """One call. Raises ``ProviderError``, or ``ReportError`` where the model would not or could not finish."""
        fields = {} if response_format is None else {"response_format": response_format}

        async def send(client: openai.AsyncOpenAI) -> RawAnswer:
            create: Any = client.chat.completions.with_raw_response.create
            raw: RawAnswer = await create(model=self._config.model, messages=messages, **fields)
            return raw

        choice = (await self._provider.call(send, ChatAnswer)).choices[0]
        if choice.message.refusal or choice.finish_reason == "content_filter":
            raise ReportError("The model refused to work on this recording.", reason="refused")
        if choice.finish_reason == "length":
            raise ReportError(
                "The model's answer was cut at its length limit. Choose a model with a longer output.",
                reason="truncated",
            )
        return choice.message.content or ""

    def _as_report_error(self, error: ProviderError) -> ReportError:
        message = MESSAGES[error.kind].format(model=self._config.model)
        # What a server says about a refused key quotes the key.
        said = f" ({error.said})" if error.said and error.kind != "unauthorized" else ""
        return ReportError(message + said, reason=error.kind)


def _may_be_about_format(error: ProviderError) -> bool:
    """Servers word it in many ways, so each 400 counts but for the one that no other format can help."""
    return error.kind == "rejected" and error.code != "context_length_exceeded"

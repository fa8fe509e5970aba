"""The ``openai`` writer: chat completions on any OpenAI-compatible server (OpenRouter, OpenAI, Ollama, vLLM)."""

import asyncio
from collections.abc import Sequence
from typing import Any

import openai
from pydantic import BaseModel, Field

from jobs.engines.openai_client import FailureKind, Provider, ProviderError, RawAnswer
from jobs.errors import ReportError
from jobs.transcript import Transcript
from reports.writers.base import ReportDraft, WriterConfig
from reports.writers.openai_draft import UnusableAnswerError, read_draft
from reports.writers.openai_prompt import (
    NOTES,
    PART,
    RESPONSE_FORMATS,
    WHOLE,
    Message,
    group_notes,
    note,
    repair_messages,
    report_messages,
    split_transcript,
)

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
    "timeout": "The report was not written in time. Write it again later, or choose a faster model.",
    "bad_answer": "The report provider's answer could not be read. Write the report again, or choose another model.",
}


class ChatMessage(BaseModel):
    content: str | None = None
    refusal: str | None = None


class ChatChoice(BaseModel):
    message: ChatMessage
    finish_reason: str | None = None


class ChatAnswer(BaseModel):
    """The part of a chat completion that is used."""

    choices: list[ChatChoice] = Field(min_length=1)


class OpenAIWriter:
    """Asks for the report as JSON. Every fault is a ``ReportError`` whose ``extra["reason"]`` says which.

    Reasons: ``unauthorized unknown_model quota rejected busy unreachable timeout bad_answer refused truncated``.
    One call takes at most ``config.timeout_seconds``, the whole report ``config.total_seconds``.
    """

    name = "openai"

    def __init__(self, config: WriterConfig) -> None:
        self._config = config
        self._provider = Provider(config.api_key, config.base_url, config.timeout_seconds)
        self._format = 0  # index of the first response format that this server has not refused

    def load(self) -> None:
        """Nothing: the provider keeps its model."""

    def write(self, transcript: Transcript) -> ReportDraft:
        """See ``Writer.write``."""
        self._check_settings()
        try:
            return asyncio.run(self._write_in_time(transcript))
        except ProviderError as error:
            raise self._as_report_error(error) from None

    def _check_settings(self) -> None:
        if not self._config.model:
            raise ReportError("No model is set for the openai report writer: set REPORT_MODEL.", reason="unknown_model")
        if not self._config.api_key and not self._config.base_url:
            raise ReportError(f"The openai report writer needs a key: set {KEY_SETTINGS}.", reason="unauthorized")

    async def _write_in_time(self, transcript: Transcript) -> ReportDraft:
        seconds = self._config.total_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._write(transcript)
        except TimeoutError:
            raise ProviderError("timeout", f"not complete within {seconds:g} s") from None

    async def _write(self, transcript: Transcript) -> ReportDraft:
        language = transcript.language
        parts = split_transcript(transcript, self._config.part_characters)
        total = len(parts)
        drafts = await self._ask_all(
            [
                report_messages(
                    part, what=PART.format(number=n, total=total) if total > 1 else WHOLE, language=language
                )
                for n, part in enumerate(parts, start=1)
            ]
        )
        while len(drafts) > 1:
            drafts = await self._merge(drafts, language)
        return drafts[0]

    async def _merge(self, drafts: Sequence[ReportDraft], language: str | None) -> list[ReportDraft]:
        groups = group_notes(drafts, self._config.part_characters)
        alone = groups.pop() if len(groups[-1]) == 1 else []
        merged = await self._ask_all(
            [report_messages("\n".join(map(note, group)), what=NOTES, language=language) for group in groups]
        )
        return [*merged, *alone]

    async def _ask_all(self, asked: Sequence[list[Message]]) -> list[ReportDraft]:
        slots = asyncio.Semaphore(PARTS_AT_ONCE)

        async def ask(messages: list[Message]) -> ReportDraft:
            async with slots:
                return await self._ask(messages)

        # After the first failure the rest is cancelled by asyncio.run, which closes their connections.
        return await asyncio.gather(*map(ask, asked))

    async def _ask(self, asked: list[Message]) -> ReportDraft:
        messages, chosen = asked, self._format
        for _ in range(MAX_CALLS):
            try:
                answer = await self._complete(messages, RESPONSE_FORMATS[chosen])
            except ProviderError as error:
                if not _may_be_about_format(error) or chosen + 1 == len(RESPONSE_FORMATS):
                    raise
                chosen += 1
                continue
            self._format = chosen
            try:
                return read_draft(answer)
            except UnusableAnswerError as error:
                if messages is not asked:
                    break
                messages = repair_messages(asked, answer, str(error))
        raise ProviderError("bad_answer", "the model wrote no report of the form that was asked for")

    async def _complete(self, messages: list[Message], response_format: dict[str, Any] | None) -> str:
        """One call. Raises ``ProviderError``, or ``ReportError`` where the model would not or could not finish."""
        fields = {} if response_format is None else {"response_format": response_format}

        async def send(client: openai.AsyncOpenAI) -> RawAnswer:
            create: Any = client.chat.completions.with_raw_response.create
            raw: RawAnswer = await create(model=self._config.model, messages=messages, **fields)
            return raw

        choice = (await self._provider.call(send, ChatAnswer)).choices[0]
        if choice.message.refusal or choice.finish_reason == "content_filter":
            raise ReportError("The model refused to report on this recording.", reason="refused")
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

"""The ``openai`` writer: chat completions on any OpenAI-compatible server (OpenRouter, OpenAI, Ollama, vLLM)."""

from collections.abc import Sequence
from functools import partial

from jobs.transcript import Transcript
from reports.writers.base import ReportDraft, WriterConfig
from reports.writers.openai_chat import AnswerForm, Chat
from reports.writers.openai_draft import read_draft
from reports.writers.openai_prompt import (
    KEYS,
    NOTES,
    PART,
    REPORT_SCHEMA,
    WHOLE,
    group_notes,
    note,
    report_messages,
    split_transcript,
)

REPORT_FORM = AnswerForm(name="report", schema=REPORT_SCHEMA, keys=KEYS, read=read_draft)


class OpenAIWriter:
    """Asks for the report as JSON, part by part where the transcript is long. Faults as in ``Chat``."""

    name = "openai"

    def __init__(self, config: WriterConfig) -> None:
        self._part_characters = config.part_characters
        self._chat = Chat(config, REPORT_FORM)

    def load(self) -> None:
        """Nothing: the provider keeps its model."""

    def write(self, transcript: Transcript) -> ReportDraft:
        """See ``Writer.write``."""
        return self._chat.run(partial(self._write, transcript))

    async def _write(self, transcript: Transcript) -> ReportDraft:
        language = transcript.language
        parts = split_transcript(transcript, self._part_characters)
        total = len(parts)
        drafts = await self._chat.ask_all(
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
        groups = group_notes(drafts, self._part_characters)
        alone = groups.pop() if len(groups[-1]) == 1 else []
        merged = await self._chat.ask_all(
            [report_messages("\n".join(map(note, group)), what=NOTES, language=language) for group in groups]
        )
        return [*merged, *alone]

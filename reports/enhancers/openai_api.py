"""The enhancer: a chat model corrects how a transcript is written, and each line is checked against what was said."""

import logging
from collections.abc import Callable
from functools import partial
from itertools import accumulate

from jobs.errors import ReportError
from jobs.transcript import Transcript
from reports.enhancers.faithfulness import is_faithful
from reports.enhancers.prompt import KEYS, LINES_SCHEMA, line_messages, numbered, read_lines
from reports.writers.base import WriterConfig
from reports.writers.openai_chat import AnswerForm, Chat
from reports.writers.openai_messages import cut_line, fill_parts
from reports.writers.plain_text import to_plain_text

logger = logging.getLogger(__name__)

PART_CHARACTERS = 6_000
"""The answer is as long as the material: some 2,000 tokens of English, 4,000 of Russian; any model can write that."""

LINES_FORM = AnswerForm(name="transcript", schema=LINES_SCHEMA, keys=KEYS, read=read_lines)


class OpenAIEnhancer:
    """Corrects punctuation, capitals and misheard words. Faults are those of ``Chat``, and ``unfaithful``."""

    def __init__(self, config: WriterConfig, *, part_characters: int = PART_CHARACTERS) -> None:
        self._part_characters = part_characters
        self._chat = Chat(config, LINES_FORM)
        self.model = config.model

    def enhance(self, transcript: Transcript, *, beat: Callable[[], None]) -> list[str]:
        """The corrected text of each segment, in order; the original one where the model's says something else.

        ``beat`` is called after each of the model's answers; what it raises ends the work.
        Raises ``ReportError``, also where not one line of the answers could be used.
        """
        # A line of the material is a segment, or a piece of one that is longer than a part.
        texts = [" ".join(segment.text.split()) for segment in transcript.segments]
        pieces = [list(cut_line(text, self._part_characters)) for text in texts]
        lines = [line for piece in pieces for line in piece]
        cleaned = iter(self._chat.run(partial(self._clean, lines, transcript.language, beat)))
        return [" ".join(next(cleaned) for _ in piece) for piece in pieces]

    async def _clean(self, lines: list[str], language: str | None, beat: Callable[[], None]) -> list[str]:
        parts = fill_parts(numbered(lines), self._part_characters)
        ends = list(accumulate(map(len, parts)))
        asked = [line_messages(part, last=end, language=language) for part, end in zip(parts, ends, strict=True)]
        answers = await self._chat.ask_all(asked, beat=beat)
        # A number of another part is none that was asked for here.
        found = {
            number: text
            for part, end, answer in zip(parts, ends, answers, strict=True)
            for number, text in answer.items()
            if end - len(part) < number <= end
        }
        return _choose(lines, found)


def _choose(lines: list[str], found: dict[int, str]) -> list[str]:
    """The line as the model wrote it where that is what was said, else as it was. Numbers count from 1."""
    candidates = [_one_line(found.get(number, ""), like=line) for number, line in enumerate(lines, start=1)]
    usable = [
        candidate != "" and is_faithful(line, candidate) for line, candidate in zip(lines, candidates, strict=True)
    ]
    if not any(usable):
        raise ReportError(
            "The model wrote something else in place of what was said. Choose another model: set REPORT_MODEL.",
            reason="unfaithful",
        )
    if not all(usable):
        logger.info("%s of %s lines stay as they were recognised", usable.count(False), len(lines))
    return [candidate if use else line for line, candidate, use in zip(lines, candidates, usable, strict=True)]


def _one_line(text: str, *, like: str) -> str:
    # What is so much longer cannot be used; the cut bounds the work of cleaning it.
    return " ".join(to_plain_text(text[: 3 * len(like) + 200]).split())

"""A language model's text as plain text: no links, images, HTML or Markdown.

Not cosmetics alone: words planted in a recording can make a model write an image or a link whose address carries
the transcript away as soon as somebody's browser or chat program shows it.
"""

import html
import re
import unicodedata

MAX_ROUNDS = 10
"""Markup can be nested, and taking it away can reveal more; what is left after these rounds is broken, not read."""

_DESTINATION = r"\([^()\n]{0,1000}(?:\([^()\n]{0,1000}\)[^()\n]{0,1000})?\)"


def _compile(*rules: tuple[str, str]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern, re.IGNORECASE | re.MULTILINE), put) for pattern, put in rules)


_LINKS = _compile(
    (r"!?\[([^\[\]]*)\]" + _DESTINATION, r"\1"),
    (r"^ *\[[^\[\]]+\]:\s*\S+.*$", ""),
    (r"!?\[([^\[\]]+)\]\[[^\[\]]*\]", r"\1"),
)
"""Innermost first, so they are applied until nothing changes: an image within a link is the usual case."""

_MARKUP = _compile(
    (r"<!--[\s\S]{0,1000}?-->|<(script|style)\b[\s\S]{0,1000}?</\1\s*>", " "),
    (r"</?[a-z][^<>]*>", " "),
    (r"\b[a-z][a-z0-9+.-]{1,20}://\S*|\bwww\.\S+|\b(?:javascript|vbscript|data|mailto|file):\S+", " "),
    (r"\b((?:[\w-]{1,63}\.){1,8}[a-z]{2,24})[/?#]\S+", r"\1"),
    (r"^ {0,3}(?:#{1,6} +|> ?)|^ *[-*+•] +", ""),
    (r"^ *(?:[-*_] *){3,}$", ""),
    (r"(\*\*|__)(?=\S)(.{1,1000}?)(?<=\S)\1", r"\2"),
    (r"(?<![\w*])\*(?=\S)([^*\n]{1,1000}?)(?<=\S)\*(?![\w*])", r"\1"),
    (r"(?<!\w)_(?=\S)([^_\n]{1,1000}?)(?<=\S)_(?!\w)", r"\1"),
    (r"`+|~~", ""),
)

_SYNTAX = re.compile(r"!\[|\][(\[]|<(?=[a-z/!?])|://", re.IGNORECASE)
"""Without these nothing renders as an image, a link or a tag. A space in their place cannot make a new one."""

_KEPT_CONTROLS = frozenset("\n\u200c\u200d")
"""Line breaks, and the joiners that Persian and the languages of India spell with."""


def to_plain_text(text: str) -> str:
    """``text`` without markup and invisible characters; line breaks stay, runs of spaces become one."""
    text = _visible(text)
    for _ in range(MAX_ROUNDS):
        before = text
        text = _without_links(_visible(html.unescape(text)))
        for pattern, put in _MARKUP:
            text = pattern.sub(put, text)
        if text == before:
            break
    # Last, for tidying could bring the halves of a sign together.
    return re.sub(" {2,}", " ", _SYNTAX.sub(" ", _tidy(text))).strip()


def _without_links(text: str) -> str:
    for _ in range(MAX_ROUNDS):
        before = text
        for pattern, put in _LINKS:
            text = pattern.sub(put, text)
        if text == before:
            break
    return text


def _visible(text: str) -> str:
    """Without control and format characters (text direction, hidden tags) and halves of surrogate pairs."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(c for c in text if c in _KEPT_CONTROLS or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))


def _tidy(text: str) -> str:
    text = re.sub(r"[^\S\n]+", " ", text)
    text = re.sub(r" +(?=[\n.,;:!?)])|(?<=\n) +|(?<=\() +", "", text)
    return re.sub(r"\n{3,}", "\n\n", text)

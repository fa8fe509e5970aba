"""The transcript as JSON."""

import json
from typing import Any

from jobs.transcript import Segment, Transcript, Word
from reports.formats.base import AS_SPOKEN, Layout, milliseconds, spoken_segments, without_surrogates


def write_json(transcript: Transcript, layout: Layout = AS_SPOKEN) -> str:
    """``{text, language, segments: [{id, start, end, text}]}``, times in seconds; with ``layout.words`` also ``words``.

    A segment that may hold what nobody said has ``flags``, too.
    ``id`` is the segment's number as ``GET /jobs/{id}`` gives it: it is left out where a segment has no text.
    """
    spoken = list(spoken_segments(transcript))
    content = {
        "text": " ".join(segment.text.strip() for _, segment in spoken),
        "language": transcript.language,
        "segments": [_segment(number, segment, layout) for number, segment in spoken],
    }
    return without_surrogates(json.dumps(content, ensure_ascii=False)) + "\n"


def _segment(number: int, segment: Segment, layout: Layout) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": number, **_times(segment), "text": segment.text}
    if segment.flags:
        shown["flags"] = list(segment.flags)
    if layout.words:
        shown["words"] = [
            {**_times(word), "word": word.word, "probability": word.probability} for word in segment.words
        ]
    return shown


def _times(spoken: Segment | Word) -> dict[str, float]:
    return {"start": milliseconds(spoken.start) / 1000, "end": milliseconds(spoken.end) / 1000}

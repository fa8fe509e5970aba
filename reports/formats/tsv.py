"""Tab-separated values: start and end in milliseconds, and the text."""

from jobs.transcript import Transcript
from reports.formats.base import AS_SPOKEN, Layout, milliseconds, one_line, spoken_segments


def write_tsv(transcript: Transcript, layout: Layout = AS_SPOKEN) -> str:
    """A row for each segment under the names ``start``, ``end`` and ``text``. The layout has no effect."""
    rows = ["start\tend\ttext\n"]
    for _, segment in spoken_segments(transcript):
        text = _field(one_line(segment.text))
        rows.append(f"{milliseconds(segment.start)}\t{milliseconds(segment.end)}\t{text}\n")
    return "".join(rows)


def _field(text: str) -> str:
    """A quote that begins a field would have most readers look for its end in the rows that follow."""
    return '"' + text.replace('"', '""') + '"' if text.startswith('"') else text

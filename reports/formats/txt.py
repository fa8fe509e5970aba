"""Plain text: a line for each segment."""

from jobs.transcript import Transcript
from reports.formats.base import AS_SPOKEN, Layout, one_line, spoken_segments


def write_txt(transcript: Transcript, layout: Layout = AS_SPOKEN) -> str:
    """What was said and nothing else; empty when nothing was. The layout has no effect."""
    return "".join(f"{one_line(segment.text)}\n" for _, segment in spoken_segments(transcript))

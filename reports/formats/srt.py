"""SubRip captions."""

import re

from jobs.transcript import Transcript
from reports.formats.base import AS_SPOKEN, Layout, clock_time
from reports.formats.cues import Cue, cut_cues

# What a lenient reader takes for the arrow between two times, and a line that begins like such a line.
_ARROW = re.compile("-[- ]+>")
_LINE_WITH_TIME = re.compile("\n(?=[0-9]+[,.:，．。：][0-9]+[,.:，．。：][0-9])")


def write_srt(transcript: Transcript, layout: Layout = AS_SPOKEN) -> str:
    """Numbered captions in UTF-8, without a blank line in any; empty when nothing was said.

    The format knows no escaping, so an arrow in the text (``-->``) becomes ``->``, and no line is broken before what
    looks like a time: readers that forgive missing blank lines would take it for the next caption.
    """
    cues = enumerate(cut_cues(transcript, layout), start=1)
    return "\n".join(f"{number}\n{_timing(cue)}\n{_payload(cue)}\n" for number, cue in cues)


def _timing(cue: Cue) -> str:
    return f"{clock_time(cue.start_ms, ',')} --> {clock_time(cue.end_ms, ',')}"


def _payload(cue: Cue) -> str:
    lines = "\n".join(_ARROW.sub("->", line) for line in cue.lines)
    return _LINE_WITH_TIME.sub(" ", lines)

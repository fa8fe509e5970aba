"""WebVTT captions."""

from jobs.transcript import Transcript
from reports.formats.base import AS_SPOKEN, Layout, clock_time
from reports.formats.cues import Cue, cut_cues

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def write_vtt(transcript: Transcript, layout: Layout = AS_SPOKEN) -> str:
    """Captions whose text is text only: no tag, arrow, blank line or block of any kind can come out of a transcript.

    Lines are measured before they are escaped, as a viewer sees them.
    """
    return "\n".join(["WEBVTT\n", *(_block(cue) for cue in cut_cues(transcript, layout))])


def _block(cue: Cue) -> str:
    payload = "\n".join(cue.lines).translate(_ESCAPES)
    return f"{clock_time(cue.start_ms, '.')} --> {clock_time(cue.end_ms, '.')}\n{payload}\n"

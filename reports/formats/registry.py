"""The formats there are, by name."""

from reports.formats.base import Format
from reports.formats.json import write_json
from reports.formats.srt import write_srt
from reports.formats.tsv import write_tsv
from reports.formats.txt import write_txt
from reports.formats.vtt import write_vtt

# The first is what a client gets who has no wish.
_ALL = (
    Format("json", "application/json", write_json),
    Format("txt", "text/plain", write_txt),
    Format("srt", "application/x-subrip", write_srt),
    Format("vtt", "text/vtt", write_vtt),
    Format("tsv", "text/tab-separated-values", write_tsv),
)
FORMATS: dict[str, Format] = {known.name: known for known in _ALL}

EDITION = 1
"""Part of the mark by which clients know an export again: to be raised when a format writes anything differently."""

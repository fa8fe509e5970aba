"""What can be asked about what was made of a transcript."""

from jobs.models import Job
from jobs.selectors import enhanced_of, language_of
from jobs.transcript import Segment, Transcript


def enhanced_transcript_of(job: Job) -> Transcript | None:
    """The enhanced transcript as values that exports take: text and times, no words. None where there is none."""
    enhanced = enhanced_of(job)
    if enhanced is None:
        return None
    segments = (Segment(part["start"], part["end"], part["text"]) for part in enhanced.segments)
    return Transcript(tuple(segments), language_of(job))

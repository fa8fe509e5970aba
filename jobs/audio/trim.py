"""Which stretch of a recording is wanted."""

from jobs.errors import InputFault


def trimmed_seconds(duration_seconds: float, trim_start: float, trim_seconds: float | None) -> float:
    """How much of a recording is left between ``trim_start`` and ``trim_seconds`` later.

    Raises ``InputFault`` (``trim_start_past_end``) where nothing is.
    """
    left = duration_seconds - trim_start
    if left <= 0:
        raise InputFault(
            f"trim_start is {trim_start:g} s, but the recording ends after {duration_seconds:.1f} s. "
            "Begin earlier, or leave trim_start out.",
            code="trim_start_past_end",
        )
    return left if trim_seconds is None else min(left, trim_seconds)

"""Durations as people read them."""


def clock_time(ms: int | None, *, with_ms: bool = False) -> str:
    """Milliseconds as ``h:mm:ss`` (``h:mm:ss.mmm``); a dash for None, a minus sign before what is negative."""
    if ms is None:
        return "–"
    seconds, rest_ms = divmod(abs(ms), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    sign = "-" if ms < 0 else ""
    return f"{sign}{hours}:{minutes:02}:{seconds:02}" + (f".{rest_ms:03}" if with_ms else "")

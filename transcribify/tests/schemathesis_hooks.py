"""What schemathesis is told beyond the description: recordings that are some, and jobs that are there."""

import io
import os
import wave
from typing import Any

import schemathesis
from hypothesis import strategies as st

JOB_IDS = [int(number) for number in os.environ.get("SCHEMATHESIS_JOB_IDS", "").split()]


def _recording(seconds: float) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", "not compressed"))
        sound.writeframes(b"\x10\x00\xf0\xff" * round(8_000 * seconds))
    return content.getvalue()


_RECORDINGS = st.sampled_from([_recording(0.2), _recording(0.5)])

# Most of the time a recording: of bytes that are none the service soon says so, and nothing behind that is reached.
schemathesis.openapi.format("binary", st.one_of(_RECORDINGS, _RECORDINGS, st.binary(max_size=200)))


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Every other number that names a job names one that was there at the start; not to delete it."""
    number = (path_parameters or {}).get("job_id")
    is_kept = context.operation.method.lower() != "delete"
    if JOB_IDS and is_kept and type(number) is int and number >= 0 and number % 2 == 0:
        return {**(path_parameters or {}), "job_id": JOB_IDS[number // 2 % len(JOB_IDS)]}
    return path_parameters

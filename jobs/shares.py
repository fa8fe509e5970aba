"""How much audio each owner has had recognised lately: who has had least is next."""

import time
from collections.abc import Iterable

from django.db.models import F, Sum

from jobs.engines.base import SAMPLE_RATE
from jobs.models import AudioShare, Chunk
from jobs.models.chunk import SAMPLES

SLICE_SECONDS = 600
LATELY_SLICES = 6
"""What counts as lately: the last hour, in slices. The oldest of them fades as a whole."""


def record_audio(*, owner_id: int, samples: int) -> None:
    """Count audio that was recognised, in the transaction that finishes it."""
    audio_ms = samples * 1000 // SAMPLE_RATE
    AudioShare.objects.update_or_create(
        owner_id=owner_id,
        slice_number=_slice(),
        defaults={"audio_ms": F("audio_ms") + audio_ms},
        create_defaults={"audio_ms": audio_ms},
    )


def shares_of(owner_ids: Iterable[int]) -> dict[int, int]:
    """The audio of each owner that was recognised lately or is being recognised now, in milliseconds."""
    ids = set(owner_ids)
    lately = AudioShare.objects.filter(owner_id__in=ids, slice_number__gt=_slice() - LATELY_SLICES)
    shares = dict.fromkeys(ids, 0)
    for owner_id, audio_ms in lately.values_list("owner_id").annotate(total=Sum("audio_ms")):
        shares[owner_id] += audio_ms
    # All that are held, no more than there are workers. By owner, SQLite would go through all jobs of the owner.
    held = Chunk.objects.filter(token__isnull=False, finished_at=None).order_by("job_id")
    for owner_id, samples in held.values_list("job__owner_id", SAMPLES):
        if owner_id in shares:
            shares[owner_id] += samples * 1000 // SAMPLE_RATE
    return shares


def forget_old_shares() -> int:
    """Delete the rows of slices that no longer count; the number deleted."""
    return AudioShare.objects.filter(slice_number__lte=_slice() - LATELY_SLICES).delete()[0]


def _slice() -> int:
    # By this machine's clock: an hour more or less of memory is all that a wrong one costs.
    return int(time.time()) // SLICE_SECONDS

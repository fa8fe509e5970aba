"""What can go wrong with a job, by whose fault it is.

    TranscribifyError
    ├── InputFault          the recording or the request; never retried, refunded, the message helps the user
    ├── TransientFault      the world around us (network, disk, a busy provider); retried with a backoff
    ├── ConfigurationFault  the installation; not retried, refunded, the message helps the operator
    ├── ResourceExceeded    the job needs more than a worker may have; not retried, refunded
    ├── ReportError         the report could not be written; the transcript stays, the job is done with a warning
    ├── Refused             the request does not fit the job's state (HTTP 409)
    ├── IdempotencyKeyReused  the key of an earlier request with another content (HTTP 422)
    ├── Removed             it was there and is gone (HTTP 410)
    └── Interrupted         the work must stop now; nothing is wrong with the recording
        ├── LeaseLost       another worker holds the job: save nothing
        ├── CancelRequested the owner cancelled
        ├── StopRequested   this worker is shutting down: put the job back
        └── TurnOver        somebody who had less lately is due: put the job back and ring theirs

No Django in here: engines and audio tools raise these, too.
"""

from accounts.errors import TranscribifyError


class InputFault(TranscribifyError):
    code = "invalid_input"


class TransientFault(TranscribifyError):
    code = "temporarily_unavailable"


class ConfigurationFault(TranscribifyError):
    code = "misconfigured"


class ResourceExceeded(TranscribifyError):
    code = "resource_exceeded"


class ReportError(TranscribifyError):
    code = "report_failed"


class Refused(TranscribifyError):
    code = "conflict"


class IdempotencyKeyReused(TranscribifyError):
    code = "idempotency_key_reused"


class Removed(TranscribifyError):
    code = "removed"


class Interrupted(TranscribifyError):
    code = "interrupted"


class LeaseLost(Interrupted):
    code = "lease_lost"


class CancelRequested(Interrupted):
    code = "cancelled"


class StopRequested(Interrupted):
    code = "stopping"


class TurnOver(Interrupted):
    """``due_job_id`` is the job that is to be done first."""

    code = "turn_over"

    def __init__(self, due_job_id: int) -> None:
        super().__init__(f"job {due_job_id} of somebody who had less lately is due")
        self.due_job_id = due_job_id

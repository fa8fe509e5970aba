"""The web process with little patience and few threads, for tests that would take minutes with the real figures."""

from transcribify import wsgi
from transcribify.bodies import Patience
from transcribify.shell import Shell

application = Shell(
    wsgi.application,
    threads=4,
    upload_threads=2,
    patience=Patience(small_body_seconds=1.5, idle_seconds=1.5, min_bytes_per_second=4_000),
)

"""The Redis that ``./run serve`` starts for itself where ``REDIS_URL`` names none.

Its port is remembered in ``DATA_DIR/redis/port``, so that other commands of the same checkout find it.
"""

import os
import socket

from transcribify.settings.environment import DATA_DIR

FOLDER = DATA_DIR / "redis"
PORT_FILE = FOLDER / "port"

USUAL_PORT = 6390
"""Not 6379: that one belongs to a Redis of the system, which may start later."""


def is_wanted() -> bool:
    return not os.environ.get("REDIS_URL")


def url(port: int | str) -> str:
    return f"redis://127.0.0.1:{port}/0"


def choose_port() -> int:
    """A free port, the same as last time if it can be; remembered."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    remembered = PORT_FILE.read_text().strip() if PORT_FILE.is_file() else ""
    wanted = (int(remembered) if remembered.isdecimal() else USUAL_PORT, USUAL_PORT, 0)
    port = next(found for candidate in wanted if (found := _free_port(candidate)))
    PORT_FILE.write_text(f"{port}\n")
    return port


def use_if_wanted() -> None:
    """Point ``REDIS_URL`` at the Redis of this checkout's ``./run serve`` unless another is set."""
    if is_wanted() and PORT_FILE.is_file():
        os.environ["REDIS_URL"] = url(PORT_FILE.read_text().strip())


def _free_port(candidate: int) -> int | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", candidate))
        except OSError:
            return None
        return int(probe.getsockname()[1])

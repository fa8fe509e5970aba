"""What ``./run serve`` and ``./run flower`` need besides the application's own settings."""

from transcribify.settings.environment import DATA_DIR, env

# Address that the web process listens on. 0.0.0.0: reachable from other machines (name them in ALLOWED_HOSTS).
HOST = env.str("HOST", default="127.0.0.1")

# Port of the web process.
PORT = env.int("PORT", default=8000)

# Recordings that the speech worker of ./run serve works on at the same time, each in a process with its own model.
WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", default=1)

# How long a worker of ./run serve may take to let go of its recording when told to stop, in seconds; then it is killed,
# and the recording goes on elsewhere when its lease is over.
STOP_SECONDS = env.int("STOP_SECONDS", default=60)

# Address and port of Flower.
FLOWER_ADDRESS = env.str("FLOWER_ADDRESS", default="127.0.0.1")
FLOWER_PORT = env.int("FLOWER_PORT", default=5555)

# Password of Flower's user admin. Empty: a random one is made and kept in DATA_DIR/flower_password.
FLOWER_PASSWORD = env.str("FLOWER_PASSWORD", default="")

FLOWER_PASSWORD_FILE = DATA_DIR / "flower_password"
SERVE_LOCK = DATA_DIR / "serve.lock"
"""Held while ``./run serve`` runs: two of them on one folder would open one Redis journal twice."""

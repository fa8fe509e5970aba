"""Where settings come from: the process environment first, then ``.env``."""

import os
import secrets
from pathlib import Path
from typing import Any

import environ

BASE_DIR = Path(__file__).resolve().parents[2]

# Variables that are read by ./run, compose, a library or the production settings alone.
READ_ELSEWHERE = {
    "BENCHMARK_DIR", "BENCHMARK_OUTPUT", "DJANGO_SETTINGS_MODULE", "FLOWER_ADDRESS", "FLOWER_PASSWORD", "FLOWER_PORT",
    "HF_HOME", "HF_TOKEN", "HOST", "HTTPS", "PORT", "POSTGRES_PASSWORD", "STOP_SECONDS", "WORKER_CONCURRENCY",
}  # fmt: skip


class RecordingEnv(environ.Env):
    """django-environ, remembering which names were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get_value(self, var: str, *args: Any, **kwargs: Any) -> Any:
        self.names.add(var)
        return super().get_value(var, *args, **kwargs)


env = RecordingEnv()

ENV_FILE = Path(os.environ.get("ENV_FILE", BASE_DIR / ".env"))
"""Another file than ``.env`` can be named by the variable ``ENV_FILE``."""

if ENV_FILE.is_file():
    env.read_env(str(ENV_FILE))

# Where everything lies that the service writes: database, recordings, work files, models, the development key.
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()


def keys_of_file(path: Path) -> set[str]:
    """The names that an ``.env`` file sets."""
    if not path.is_file():
        return set()
    lines = (line.strip().removeprefix("export ") for line in path.read_text().splitlines())
    return {line.partition("=")[0].strip() for line in lines if "=" in line and not line.startswith("#")}


def key_from_file(path: Path) -> str:
    """The secret key kept in ``path``, made at the first start and readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        key = secrets.token_urlsafe(64)
        file.write(key)
    return key

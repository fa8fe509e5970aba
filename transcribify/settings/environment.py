"""Where settings come from: the process environment first, then ``.env``."""

import os
import secrets
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parents[2]

env = environ.Env()

ENV_FILE = Path(os.environ.get("ENV_FILE", BASE_DIR / ".env"))
"""Another file than ``.env`` can be named by the variable ``ENV_FILE``."""

if ENV_FILE.is_file():
    env.read_env(str(ENV_FILE))

# Where everything lies that the service writes: database, recordings, work files, models, the development key.
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()


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

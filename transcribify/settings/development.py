"""A laptop, a small server, ``./run serve``: works with no setting at all."""

from transcribify.settings.base import *  # noqa: F403
from transcribify.settings.base import STATIC_ROOT
from transcribify.settings.celery import *  # noqa: F403
from transcribify.settings.environment import DATA_DIR, env, key_from_file
from transcribify.settings.jobs import *  # noqa: F403
from transcribify.settings.logs import *  # noqa: F403
from transcribify.settings.storage import *  # noqa: F403

# Signs sessions and tokens. Empty: a random one is made at the first start and kept in DATA_DIR/secret_key.
SECRET_KEY = env.str("SECRET_KEY", default="") or key_from_file(DATA_DIR / "secret_key")

# Serve the admin's and the browsable API's files without a collectstatic step.
WHITENOISE_USE_FINDERS = True
STATIC_ROOT.mkdir(parents=True, exist_ok=True)

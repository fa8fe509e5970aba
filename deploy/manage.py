"""``./run manage …``: Django's commands, on the Redis of this checkout's ``./run serve`` where no other is set."""

import os
import sys

from deploy import own_redis
from transcribify.settings.environment import BASE_DIR

if __name__ == "__main__":
    own_redis.use_if_wanted()
    os.execv(sys.executable, [sys.executable, str(BASE_DIR / "manage.py"), *sys.argv[1:]])  # nosec B606 # noqa: S606

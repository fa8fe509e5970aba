"""``./run flower``: Celery's monitor on the service's broker, behind a password."""

import os
import sys

from deploy import own_redis
from deploy.settings import FLOWER_ADDRESS, FLOWER_PASSWORD, FLOWER_PASSWORD_FILE, FLOWER_PORT
from transcribify.settings.environment import BASE_DIR, key_from_file

USER = "admin"


def main() -> None:
    os.chdir(BASE_DIR)
    own_redis.use_if_wanted()
    password = FLOWER_PASSWORD or key_from_file(FLOWER_PASSWORD_FILE)
    where = "from FLOWER_PASSWORD" if FLOWER_PASSWORD else f"{password}  (kept in {FLOWER_PASSWORD_FILE})"
    print(f"Flower: http://{FLOWER_ADDRESS}:{FLOWER_PORT}  user: {USER}  password: {where}", flush=True)
    # By the environment: a command line can be read by everybody on the machine.
    os.environ["FLOWER_BASIC_AUTH"] = f"{USER}:{password}"
    options = [f"--address={FLOWER_ADDRESS}", f"--port={FLOWER_PORT}"]
    os.execv(sys.executable, [sys.executable, "-m", "celery", "-q", "-A", "celery_app", "flower", *options])  # nosec B606 # noqa: S606


if __name__ == "__main__":
    main()

"""``python -m deploy.healthcheck``: exit code 0 when the web process in this container answers."""

import http.client
import sys

from transcribify.settings.environment import env


def main() -> int:
    # Django answers only to names that it knows.
    host = env.list("ALLOWED_HOSTS", default=["localhost"])[0].lstrip(".")
    connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=5)
    connection.request("GET", "/healthz", headers={"Host": host})
    return 0 if connection.getresponse().status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())

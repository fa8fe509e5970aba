"""``./run demo``: the whole service on free ports in a folder that is removed afterwards, and a client that uses it."""

import os
import signal
import socket
import subprocess  # nosec B404 # it starts programs of ours
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.parent import end_with_parent
from samples import demo as client

BASE_DIR = Path(__file__).resolve().parents[1]

START_SECONDS = 120
STOP_SECONDS = 90
LOG_TAIL_LINES = 40

KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL")
"""Of the caller's environment. Keys, databases and engines that are set up here are left out of a demonstration."""


def main() -> int:
    # However it is ended, the service is stopped and the folder removed. Ctrl-C is ignored where a script started this.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="transcribify-demo-") as folder, service(Path(folder)) as url:
            print(f"the service runs at {url} after {time.monotonic() - started:.1f} s")
            if client.main(url) != 0:
                sys.exit("the demo did not come to its end; the service's log is above")
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 128 + signal.SIGINT
    print(f"\nDone in {time.monotonic() - started:.1f} s. With your own recordings: ./run serve")
    return 0


@contextmanager
def service(folder: Path) -> Iterator[str]:
    """The service while the block runs; its address. Prints the end of its log when the block fails."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = folder / "service.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # nosec B603 # a command of ours
            [sys.executable, "-m", "deploy.serve", "--skip-checks"],
            cwd=BASE_DIR, env=variables(folder, port), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            process_group=0, preexec_fn=end_with_parent,
        )  # fmt: skip
    try:
        wait_for(url, process)
        yield url
    except BaseException as error:
        if not isinstance(error, KeyboardInterrupt):
            print_tail(log)
        raise
    finally:
        stop(process)


def variables(folder: Path, port: int) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
        "ENV_FILE": os.devnull,
        "DATA_DIR": str(folder / "data"),
        "TMPDIR": str(folder),
        "PORT": str(port),
        # What needs no key and no download, whatever this machine can reach.
        "TRANSCRIPTION_ENGINE": "pocketsphinx",
        "REPORT_WRITER": "extractive",
        # Nothing is in hand any more when it stops, and its folder goes away.
        "STOP_SECONDS": "0",
    }


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers(f"{url}/healthz"):
        if process.poll() is not None:
            sys.exit("the service did not start; its log is above")
        if time.monotonic() > deadline:
            sys.exit(f"the service does not answer after {START_SECONDS} s; its log is above")
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # nosec B310 # noqa: S310 - an address of ours
            return True
    except (OSError, urllib.error.URLError):
        return False


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # Its children end with it: see deploy/parent.py.
        process.kill()
        process.wait()


def print_tail(log: Path) -> None:
    lines = log.read_text(errors="replace").splitlines()
    print("\n".join(["--- the end of the service's log ---", *lines[-LOG_TAIL_LINES:]]), file=sys.stderr)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())

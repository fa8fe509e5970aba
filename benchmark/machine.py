"""On what a benchmark ran: hardware, versions, time."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("faster-whisper", "ctranslate2", "onnxruntime", "numpy", "django", "celery")


def describe() -> dict[str, object]:
    """``machine``, ``versions`` and ``measured_at``, to stand beside figures."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="minutes"),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "memory_gigabytes": round(psutil.virtual_memory().total / 1e9),
            "system": _system(),
        },
        "versions": {
            "commit": _first_line(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]),
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
            "ffmpeg": _ffmpeg(),
        },
    }


def _processor() -> str:
    if platform.system() == "Darwin":
        return _first_line(["sysctl", "-n", "machdep.cpu.brand_string"])
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _system() -> str:
    if platform.system() == "Darwin":
        return f"macOS {platform.mac_ver()[0]}"
    return platform.freedesktop_os_release()["PRETTY_NAME"]


def _ffmpeg() -> str:
    words = _first_line(["ffmpeg", "-version"]).split()
    return words[2] if len(words) > 2 else "unknown"


def _first_line(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout.splitlines() or ["unknown"])[0]

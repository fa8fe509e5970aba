"""Configuration that is unsafe, misspelt or impossible is said before the service starts."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from transcribify.tests.live_service import ROOT

GOOD_KEY = "k9v2-Qm7x-Lp4z-Rt8w-Ys1b-Dn6c-Fg3h-Jk5m-0123456789-abcdef"


def start(
    tmp_path: Path, mode: str = "production", command: Sequence[str] = ("manage.py", "check"), **variables: str
) -> subprocess.CompletedProcess[str]:
    """``manage.py check``, or another command, with nothing but these variables set."""
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "ENV_FILE": os.devnull, **variables}
    environment["DJANGO_SETTINGS_MODULE"] = f"transcribify.settings.{mode}"
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30
    )


def test_production_starts_with_a_good_key_and_named_hosts(tmp_path):
    done = start(tmp_path, SECRET_KEY=GOOD_KEY, ALLOWED_HOSTS="transcribe.example.org")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"SECRET_KEY": "a" * 60}, "SECRET_KEY"),
        ({"SECRET_KEY": "change-me-" + GOOD_KEY}, "SECRET_KEY"),
        ({"SECRET_KEY": GOOD_KEY, "DEBUG": "on"}, "DEBUG"),
        ({"SECRET_KEY": GOOD_KEY, "ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
    ],
)
def test_production_refuses_what_is_unsafe_and_names_it(tmp_path, variables, named):
    done = start(tmp_path, **variables)
    assert done.returncode != 0
    assert named in done.stderr.splitlines()[-1]


PROCESSES = {
    "web": ["-m", "uvicorn", "transcribify.asgi:application", "--port", "0"],
    "worker": ["-m", "celery", "-A", "celery_app", "worker", "-l", "INFO"],
    "reconciler": ["manage.py", "reconcile"],
}


@pytest.mark.parametrize("command", PROCESSES.values(), ids=PROCESSES)
@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "SECRET_KEY"),
        ({"SECRET_KEY": "django-insecure-" + GOOD_KEY}, "SECRET_KEY"),
        ({"SECRET_KEY": GOOD_KEY, "DEBUG": "true"}, "DEBUG"),
        ({"SECRET_KEY": GOOD_KEY, "ALLOWED_HOSTS": "localhost,*"}, "ALLOWED_HOSTS"),
    ],
    ids=["no key", "default key", "DEBUG", "any host"],
)
def test_no_process_starts_in_production_with_what_is_unsafe(tmp_path, command, variables, named):
    done = start(tmp_path, command=command, **variables)
    assert done.returncode != 0
    assert named in done.stderr.strip().splitlines()[-1]
    assert GOOD_KEY not in done.stdout + done.stderr


def test_development_makes_a_key_that_only_its_owner_can_read(tmp_path):
    assert start(tmp_path, "development").returncode == 0
    key = tmp_path / "secret_key"
    assert len(key.read_text()) > 50
    assert key.stat().st_mode & 0o777 == 0o600
    before = key.read_text()
    start(tmp_path, "development")
    assert key.read_text() == before


def test_a_misspelt_name_in_the_env_file_is_named(tmp_path):
    file = tmp_path / "env"
    file.write_text("AUDIO_LIMIT_SECOND=60\nPORT=8001\n# LOG_LEVELS=x\nLOG_LEVEL=INFO\n")
    done = start(tmp_path, "development", ENV_FILE=str(file))
    assert done.returncode == 0
    assert "AUDIO_LIMIT_SECOND" in done.stderr
    assert done.stderr.count("which nothing reads") == 1


def test_an_engine_that_does_not_exist_is_an_error(tmp_path):
    done = start(tmp_path, "development", TRANSCRIPTION_ENGINE="wisper")
    assert done.returncode == 1
    assert "TRANSCRIPTION_ENGINE=wisper" in done.stderr


@pytest.mark.parametrize("value", ["-1", "40000"])
def test_a_retention_that_no_calendar_knows_is_an_error(tmp_path, value):
    done = start(tmp_path, "development", RETENTION_DAYS=value)
    assert done.returncode == 1
    assert f"RETENTION_DAYS={float(value)}" in done.stderr


def test_json_logs_on_request(tmp_path):
    code = "import django; django.setup(); import logging; logging.getLogger('jobs').warning('hello')"
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "ENV_FILE": os.devnull}
    environment |= {"DJANGO_SETTINGS_MODULE": "transcribify.settings.development", "LOG_FILE": str(tmp_path / "log")}
    run = [sys.executable, "-c", code]
    text = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True).stdout
    as_json = subprocess.run(
        run, cwd=ROOT, env=environment | {"LOG_FORMAT": "json"}, capture_output=True, text=True
    ).stdout
    assert " | WARNING | " in text
    assert text.rstrip().endswith(" | hello")
    assert '"message": "hello"' in as_json
    assert (tmp_path / "log").read_text() == text + as_json


def test_every_line_of_the_example_file_is_read_by_something(tmp_path):
    file = tmp_path / "env"
    example = (ROOT / ".env.example").read_text()
    file.write_text(re.sub(r"^#([A-Z0-9_]+=)", r"\1", example, flags=re.MULTILINE))
    done = start(tmp_path, "development", ENV_FILE=str(file), DATA_DIR=str(tmp_path), SECRET_KEY=GOOD_KEY)
    assert done.returncode == 0, done.stderr
    assert "which nothing reads" not in done.stderr

"""./run says what it can do and what is missing, before it changes anything."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

TOOLS = ("bash", "env", "id", "dirname", "cat", "cmp", "cp", "rm", "find", "sort", "sed", "basename")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the script alone: nothing is installed in it."""
    folder = tmp_path / "a checkout"
    (folder / "requirements").mkdir(parents=True)
    shutil.copy(ROOT / "run", folder / "run")
    return folder


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder for ``PATH`` with what every system has, and apt-get: no ffmpeg, no Redis, no Python, no sudo."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    write_program(folder / "uname", "echo Linux")
    write_program(folder / "apt-get", "echo apt-get was called >&2; exit 1")
    return folder


def write_program(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/bash\n{body}\n")
    path.chmod(0o755)


def be_a_user_without_sudo(programs: Path) -> None:
    (programs / "id").unlink()
    write_program(programs / "id", "echo 1000")


def have_python(programs: Path, version: str) -> None:
    """A Python that answers which version it is; it has venv and ensurepip."""
    answer = "exit 0" if tuple(map(int, version.split("."))) >= (3, 11) else "exit 1"
    write_program(
        programs / "python3", f'case "$2" in *version_info*) {answer} ;; *python_version*) echo {version} ;; esac'
    )


def run(checkout: Path, *arguments: str, programs: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The script, called from another folder and by a terminal that answers nothing."""
    path = str(programs) if programs else os.environ["PATH"]
    return subprocess.run(
        [str(checkout / "run"), *arguments],
        cwd="/", env={"PATH": path, "HOME": "/nonexistent"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def contents(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def commands_of_the_script() -> set[str]:
    """The names between ``case $command in`` and its end."""
    cases = (ROOT / "run").read_text().partition("case $command in")[2]
    labels = re.findall(r"^  ([a-z| -]+)\)", cases, re.MULTILINE)
    return {name.strip() for label in labels for name in label.split("|")} - {"-h", "--help"}


def test_help_lists_every_command() -> None:
    helped = run(ROOT, "help")
    listed = set(re.findall(r"^  ([a-z]+)  ", helped.stdout, re.MULTILINE))
    assert helped.returncode == 0
    assert listed == commands_of_the_script()
    assert {"demo", "test", "serve", "check", "bench", "flower", "help"} <= listed


def test_without_a_command_it_helps() -> None:
    assert run(ROOT).stdout == run(ROOT, "help").stdout


def test_an_unknown_command_is_refused_with_the_known_ones() -> None:
    refused = run(ROOT, "dmeo")
    assert refused.returncode == 2
    assert "there is no command 'dmeo'" in refused.stderr
    assert commands_of_the_script() <= set(refused.stderr.split())


def test_without_root_it_prints_the_one_line_that_installs_what_is_missing(checkout: Path, programs: Path) -> None:
    be_a_user_without_sudo(programs)
    before = contents(checkout)
    refused = run(checkout, "demo", programs=programs)
    assert refused.returncode == 2
    assert "  apt-get install -y ffmpeg redis-server python3 python3-venv\n" in refused.stderr
    assert contents(checkout) == before


def test_only_what_is_missing_is_named(checkout: Path, programs: Path) -> None:
    be_a_user_without_sudo(programs)
    have_python(programs, "3.11.2")
    for name in ("ffmpeg", "ffprobe"):
        write_program(programs / name, "")
    refused = run(checkout, "serve", programs=programs)
    assert refused.returncode == 2
    assert "  apt-get install -y redis-server\n" in refused.stderr
    assert "apt-get was called" not in refused.stderr


def test_the_tests_need_curl_besides(checkout: Path, programs: Path) -> None:
    be_a_user_without_sudo(programs)
    have_python(programs, "3.11.2")
    refused = run(checkout, "test", programs=programs)
    assert refused.returncode == 2
    assert "  apt-get install -y ffmpeg redis-server curl\n" in refused.stderr


def test_on_a_mac_without_homebrew_it_says_where_to_get_it(checkout: Path, programs: Path) -> None:
    have_python(programs, "3.12.1")
    write_program(programs / "uname", "echo Darwin")
    refused = run(checkout, "serve", programs=programs)
    assert refused.returncode == 2
    assert "https://brew.sh" in refused.stderr
    assert "ffmpeg redis" in refused.stderr
    assert contents(checkout) == ["requirements", "run"]


def test_an_old_python_is_refused_in_one_line_before_anything_is_installed(checkout: Path, programs: Path) -> None:
    have_python(programs, "3.9.2")
    refused = run(checkout, "test", programs=programs)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "Python 3.11 or newer is needed" in refused.stderr
    assert "3.9.2" in refused.stderr
    assert contents(checkout) == ["requirements", "run"]


def test_root_installs_what_is_missing_and_sees_why_that_failed(checkout: Path, programs: Path) -> None:
    (programs / "id").unlink()
    write_program(programs / "id", "echo 0")
    failed = run(checkout, "demo", programs=programs)
    assert failed.returncode == 2
    assert "installing: ffmpeg redis-server python3 python3-venv" in failed.stderr
    assert "apt-get was called" in failed.stderr
    assert "this failed: env apt-get update" in failed.stderr

"""The list of jobs and its search on PostgreSQL: the same tests as on SQLite, in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from transcribify.tests.postgres import PostgresServer, may_run

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("job_list", "job_search", "search_index", "renderers", "questions_by_index")
FILES = [f"jobs/tests/test_{name}.py" for name in NAMES]
ONE_PAGE_SIZE = "not TestPages or 7"


def test_lists_and_search_are_the_same_on_postgresql():
    if not may_run():
        assert not os.environ.get("REQUIRE_POSTGRES"), "PostgreSQL is not installed: apt-get install postgresql"
        pytest.skip("NOT TESTED ON POSTGRESQL: it is not installed (apt-get install postgresql)")
    server = PostgresServer()
    try:
        environment = {name: value for name, value in os.environ.items() if name != "DATA_DIR"}
        environment["DATABASE_URL"] = server.new_database()
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", ONE_PAGE_SIZE, *FILES]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    finally:
        server.stop()
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout

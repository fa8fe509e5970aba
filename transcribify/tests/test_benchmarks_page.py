"""The page about the benchmarks is made from figures: whoever writes into it by hand loses it at the next run."""

from benchmark.page import HEAD, render
from transcribify.tests.live_service import ROOT

FROM = {
    "measured_at": "2026-11-21T20:00+00:00",
    "machine": {"processor": "A processor", "cores": 2, "memory_gigabytes": 8, "system": "Debian"},
    "versions": {"commit": "abc", "python": "3.11.7"},
    "given": [],
}
ROWS = {"sqlite": {"list": {"ms_few": 1.2, "ms_many": 1.3, "ratio": 1.083, "required": True}}}


def test_the_page_in_docs_begins_as_it_is_made() -> None:
    assert (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8").startswith(HEAD)


def test_a_page_shows_the_figures_that_there_are_and_where_they_come_from() -> None:
    page = render({"rows": {"figures": ROWS, **FROM}})
    assert "| list | 1.2 | 1.3 | 1.08 | ≤ 1.5 |" in page
    assert "A processor, 2 cores, 8 GB, Debian; python 3.11.7." in page
    assert "2026-11-21, commit abc." in page
    assert "What the service costs" not in page.replace(HEAD, "")

"""GET /jobs?q=…: words in file names and transcripts."""

import pytest
from django.db import connection

from jobs import search, services
from jobs.models import Job, Status, TranscriptPart
from jobs.submission import stored_name

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["indexed", "unindexed"])
def way(request, monkeypatch):
    """With the database's index, and as it is where SQLite has no FTS5."""
    if request.param == "unindexed":
        if connection.vendor != "sqlite":
            pytest.skip("PostgreSQL always has its index")
        monkeypatch.setattr(search, "_is_indexed", lambda alias: False)


@pytest.fixture
def found(as_alice):
    def ask(query):
        answer = as_alice.get("/jobs", {"q": query})
        assert answer.status_code == 200, answer.json()
        return {job["id"] for job in answer.json()["results"]}

    return ask


@pytest.fixture
def said(make_job):
    """Makes a job with these parts of a transcript."""

    def make(*texts, filename="a.mp3", **fields):
        job = make_job(1, filename=filename, **fields)
        for position, text in enumerate(texts):
            segment = {"id": position, "start": position, "end": position + 0.5, "text": text}
            TranscriptPart.objects.create(job=job, position=position, text=text, segments=[segment])
        return job

    return make


@pytest.mark.usefixtures("way")
class TestWords:
    def test_all_of_them_must_occur_in_any_place(self, found, said):
        job = said("We met on Monday.", "The harvest was good.", filename="turnips.mp3").pk
        said("We met on Monday.")
        assert found("monday harvest turnips") == {job}
        assert found("monday harvest beans") == set()

    def test_a_beginning_of_a_word_finds_it_and_its_middle_does_not(self, found, said):
        job = said("Interesting harvests").pk
        assert found("harv") == found("inter") == {job}
        assert found("arvest") == set()

    def test_a_file_name_is_split_at_what_is_neither_letter_nor_digit(self, found, said):
        job = said(filename="2026-03-01_team-meeting(final).v2.mp3").pk
        for query in ("meet", "team", "final", "2026", "mp3", "v2", "team-meeting", "team_meeting.mp3", "2026-03-01"):
            assert found(query) == {job}, query

    @pytest.mark.parametrize(
        ("text", "query"),
        [
            ("Урожай РЕПЫ", "репы"),
            ("урожай репы", "УРОЖ"),
            ("Всё ещё зелёный", "все еще"),
            ("ЁЛКА", "елка"),
            ("елка", "Ёлка"),
            ("Über die Brücke", "über BRÜCKE"),
            ("он сказал: «Репа».", "репа"),
            ("co-operation — well", "operation well"),
            ("don't", "don't"),
            ("e-mail ann@example.org now", "example"),
            ("see https://example.org/turnips?x=1", "turnips"),
            ("it costs 3.50 or -5", "50 5"),
            ("1e5 volts", "1e5"),
        ],
    )
    def test_capitals_yo_and_punctuation_do_not_matter(self, found, said, text, query):
        job = said(text).pk
        said("something else")
        assert found(query) == {job}

    @pytest.mark.parametrize(
        "query",
        [
            '"turnips"', "turnips*", "*turnips", "turnips OR nothing", "NOT turnips", "NEAR(turnips)", "-turnips",
            "words:turnips", "{words}:turnips", "^turnips", "turnips & !beans", "turnips | beans", "turnips:*",
            "(turnips", "'turnips'", "turnips\\", "turnips <-> beans", "%turnips%", "turnips'; DROP TABLE jobs_job; --",
            '"', "turnips\u200d\ufffd", "turnips 🥕", "turnips²", "%(turnips)s", "[turnips", "turnips +",
        ],
    )  # fmt: skip
    def test_nothing_in_a_query_is_syntax(self, as_alice, said, query):
        said("seven turnips")
        assert as_alice.get("/jobs", {"q": query}).status_code == (400 if query == '"' else 200)
        plain = [word for word in ("or", "not", "near", "words", "beans", "drop") if word in query.lower()]
        if not plain and query not in {'"', "turnips²", "%(turnips)s"}:
            assert len(as_alice.get("/jobs", {"q": query}).json()["results"]) == 1

    def test_operators_are_words(self, found, said):
        job = said("neither or not near and").pk
        said("neither")
        assert found("OR") == found("NOT NEAR") == found("AND or") == {job}

    def test_only_ones_own_words_count(self, found, said, charlie):
        said("turnips", filename="turnips.mp3", owner=charlie)
        said("beans")
        assert found("turnips") == set()
        mine = said("turnips").pk
        assert found("turnips") == {mine}

    def test_one_word_of_mine_and_one_of_anothers_make_no_match(self, found, said, charlie):
        said("turnips")
        said("beans", owner=charlie)
        assert found("turnips beans") == set()

    def test_a_long_word_of_a_recogniser_gone_mad_does_no_harm(self, found, said):
        job = said("a" * 3000 + " " + "ха" * 60_000, "turnips").pk
        assert found("turnips") == {job}


class TestTheIndexFollows:
    def test_a_part_that_is_saved_again(self, found, said):
        job = said("first words")
        TranscriptPart.objects.update_or_create(job=job, position=0, defaults={"text": "second words"})
        assert (found("first"), found("second")) == (set(), {job.pk})

    def test_a_running_job(self, found, said):
        assert found("turnips") == set()
        job = said("turnips", status=Status.PROCESSING)
        assert found("turnips") == {job.pk}

    def test_a_job_that_runs_again(self, found, said):
        job = said("turnips")
        Job.objects.update(status=Status.FAILED, stage=None)
        services.retry_job(job=job)
        assert (found("turnips"), found("mp3")) == (set(), {job.pk})

    def test_results_that_are_removed(self, found, said):
        job = said("turnips", "beans")
        job.parts.all().delete()
        assert (found("turnips"), found("mp3")) == (set(), {job.pk})

    def test_a_job_that_is_deleted_with_its_words(self, found, said):
        job, other = said("turnips"), said("turnips")
        services.delete_job(job=job)
        assert found("turnips") == {other.pk}

    def test_an_owner_who_is_deleted(self, found, said, charlie):
        said("turnips", owner=charlie)
        charlie.delete()
        assert found("turnips") == set()

    def test_a_job_whose_name_is_changed(self, found, said):
        job = said("turnips", filename="old.mp3")
        job.filename = "new.mp3"
        job.save()
        assert (found("old"), found("new")) == (set(), {job.pk})


def test_a_name_from_macos_is_stored_with_its_accents_in_their_letters(found, said):
    job = said(filename=stored_name("и\u0306од.mp3")).pk
    assert found("йод") == found("и\u0306од") == {job}

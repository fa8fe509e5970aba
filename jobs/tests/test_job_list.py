"""GET /jobs: filters, orderings and pages."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from django.db.models.functions import Now

from jobs.api.pages import ORDERINGS, Cursor
from jobs.models import Job, JobTag, Status

pytestmark = pytest.mark.django_db

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=1)


@pytest.fixture
def listed(as_alice):
    """Asks for the list; the ids, or the whole answer where it is a refusal."""

    def ask(query=""):
        answer = as_alice.get(f"/jobs?{query}")
        assert answer.status_code == 200, answer.json()
        return {job["id"] for job in answer.json()["results"]}

    return ask


def made_at(job, moment):
    Job.objects.filter(pk=job.pk).update(created_at=moment)
    return job.pk


def tag(job, *names):
    JobTag.objects.bulk_create(JobTag(job=job, owner=job.owner, name=name) for name in names)
    return job.pk


class TestFilters:
    def test_one_status_or_several(self, listed, make_job):
        jobs = {status: make_job(1, status=status).pk for status in Status}
        assert listed("status=done") == {jobs["done"]}
        assert listed("status=done&status=failed") == {jobs["done"], jobs["failed"]}
        assert listed("status=done,failed") == {jobs["done"], jobs["failed"]}

    def test_a_date_is_its_beginning(self, listed, make_job):
        eve, day, next_day = (
            made_at(make_job(1), moment)
            for moment in (NEW_YEAR - timedelta(microseconds=1), NEW_YEAR, NEW_YEAR + timedelta(days=1))
        )
        assert listed("created_after=2026-01-01") == {day, next_day}
        assert listed("created_before=2026-01-01") == {eve}
        assert listed("created_after=2026-01-01&created_before=2026-01-02") == {day}

    def test_a_time_may_have_an_offset(self, listed, make_job):
        job = made_at(make_job(1), NEW_YEAR + timedelta(hours=12))
        assert listed(f"created_after={quote('2026-01-01T15:00:00+03:00')}") == {job}
        assert listed("created_after=2026-01-01T12:00:01") == set()

    def test_the_moment_that_a_job_shows_is_the_one_it_is_found_by(self, as_alice, listed, make_job):
        job = make_job(1).pk
        shown = as_alice.get(f"/jobs/{job}").json()["created_at"]
        assert listed(f"created_after={shown}") == {job}
        assert listed(f"created_before={shown}") == set()

    def test_the_language_that_was_spoken(self, listed, make_job):
        russian = make_job(1, language="ru").pk
        make_job(1, language="en")
        make_job(1)
        assert listed("language=ru") == listed("language=RU") == {russian}

    def test_all_of_the_tags_must_hold(self, listed, make_job):
        both, one = tag(make_job(1), "team", "week 7"), tag(make_job(1), "team")
        make_job(1)
        assert listed("tag=team") == {both, one}
        assert listed("tag=team&tag=week%207") == listed("tag=team,week%207") == {both}
        assert listed("tag=tea") == set()

    def test_filters_add_up(self, listed, make_job):
        wanted = tag(make_job(1, status="done", language="en"), "team")
        tag(make_job(1, status="failed", language="en"), "team")
        tag(make_job(1, status="done", language="ru"), "team")
        assert listed("status=done&language=en&tag=team&q=talk") == {wanted}

    def test_anothers_job_is_never_shown(self, listed, make_job, charlie):
        tag(make_job(1, status="done", owner=charlie, language="en"), "team")
        for query in ("", "status=done", "language=en", "tag=team", "q=talk", "created_after=2020-01-01"):
            assert listed(query) == set()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("status=finished", "status_invalid_choice"),
        ("status=", "status_blank"),
        ("created_after=yesterday", "created_after_invalid"),
        ("created_after=2026-02-30", "created_after_invalid"),
        ("created_after=", "created_after_blank"),
        ("created_after=0001-01-01T00:00:00%2B10:00", "created_after_overflow"),
        ("created_before=1700000000", "created_before_invalid"),
        ("created_after=2026-02-01&created_before=2026-01-01", "created_before_bad_range"),
        ("created_after=2026-01-01&created_after=2026-01-02", "given_twice"),
        ("language=klingon", "unknown_language"),
        ("language=", "language_blank"),
        ("tag=", "tag_blank"),
        ("tag=,", "tag_empty"),
        ("tag=" + "x" * 41, "tag_too_long"),
        ("q=", "q_blank"),
        ("q=%F0%9F%8E%89%20-%20!", "q_no_words"),
        ("q=" + "x" * 201, "q_max_length"),
        ("q=" + "+".join(map(str, range(11))), "q_too_many_words"),
        ("q=a%00b", "q_null_characters_not_allowed"),
        ("ordering=id", "ordering_invalid_choice"),
        ("ordering=-created_at,id", "ordering_invalid_choice"),
        ("page_size=0", "page_size_min_value"),
        ("page_size=201", "page_size_max_value"),
        ("page_size=ten", "page_size_invalid"),
        ("cursor=", "cursor_blank"),
        ("cursor=a%00b", "cursor_null_characters_not_allowed"),
        ("colour=red", "unknown_option"),
        ("tag[0]=red", "unknown_option"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(as_alice, make_job, query, code):
    make_job(1)
    answer = as_alice.get(f"/jobs?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, code), answer.json()
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "Y3JlYXRlZA==",
        "ё",
        "x" * 10_000,
        str(Cursor("created_at", False, 1, "2026-01-01 00:00:00")),
        str(Cursor("-created_at", False, 1, "2026-13-01 00:00:00")),
        str(Cursor("-created_at", False, 1, "2026-01-01 00:00:00+23:59")),
        str(Cursor("-created_at", False, 1, "now")),
        str(Cursor("-created_at", False, 10**20, "2026-01-01 00:00:00")),
    ],
)
def test_a_cursor_that_no_list_gave_out_is_refused(as_alice, make_job, cursor):
    make_job(1)
    answer = as_alice.get(f"/jobs?cursor={quote(cursor)}")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


def test_the_largest_numbers_make_a_cursor(as_alice, make_job):
    make_job(1)
    cursor = Cursor("-duration_seconds", False, 2**63 - 1, str(2**63 - 1))
    assert as_alice.get(f"/jobs?ordering=-duration_seconds&cursor={cursor}").status_code == 200


class TestPages:
    """Jobs of which most are alike in all that they can be sorted by, and many have nothing to be sorted by."""

    COUNT = 240

    @pytest.fixture
    def jobs(self, alice, charlie):
        made = Job.objects.bulk_create(
            Job(owner=alice, filename="talk.mp3", duration_ms=[None, 5000, 5000, 7000, 10 * index][index % 5])
            for index in range(self.COUNT)
        )
        Job.objects.bulk_create(Job(owner=charlie, filename="hers.mp3", duration_ms=5000) for _ in range(20))
        for index, job in enumerate(made):
            # The others keep the moment as the database wrote it: SQLite does that with fewer digits than Django.
            if index % 3:
                created, finished = NEW_YEAR + STEP * (index // 40), None if index % 4 else NEW_YEAR + STEP * 7
                Job.objects.filter(pk=job.pk).update(created_at=created, finished_at=finished)
        Job.objects.filter(pk__in=[job.pk for job in made[::12]]).update(finished_at=Now())
        return {job.pk: job for job in Job.objects.filter(owner=alice)}

    def expected(self, jobs, ordering):
        name = ordering.removeprefix("-")
        descending = name != ordering
        known = [job for job in jobs.values() if getattr(job, name) is not None]
        unknown = [job for job in jobs.values() if getattr(job, name) is None]
        known.sort(key=lambda job: (getattr(job, name), job.pk), reverse=descending)
        unknown.sort(key=lambda job: job.pk, reverse=descending)
        return [job.pk for job in known + unknown]

    def walk(self, client, address, way="next"):
        pages = []
        while address:
            page = client.get(address).json()
            pages.append([job["id"] for job in page["results"]])
            address, last = page[way], address
            assert len(pages) <= self.COUNT + 1
        return pages, last

    @pytest.mark.parametrize("size", [1, 7, 50])
    @pytest.mark.parametrize("ordering", ORDERINGS)
    def test_there_and_back_every_job_is_seen_once(self, as_alice, jobs, ordering, size):
        there, end = self.walk(as_alice, f"/jobs?ordering={ordering}&page_size={size}")
        back, _ = self.walk(as_alice, end, "previous")
        assert there == back[::-1]
        assert [pk for page in there for pk in page] == self.expected(jobs, ordering)

    def test_filters_stay_on_the_following_pages(self, as_alice, jobs):
        short, _ = self.walk(as_alice, "/jobs?q=talk&status=pending&ordering=duration_seconds&page_size=100")
        assert sum(map(len, short)) == self.COUNT
        assert self.walk(as_alice, "/jobs?q=nothing&page_size=1")[0] == [[]]

    def test_a_page_goes_on_where_its_last_row_was_though_that_is_gone(self, as_alice, jobs):
        first = as_alice.get("/jobs?page_size=10").json()
        Job.objects.filter(pk=first["results"][-1]["id"]).delete()
        second = as_alice.get(first["next"]).json()
        assert [job["id"] for job in second["results"]] == self.expected(jobs, "-created_at")[10:20]

    def test_new_jobs_move_no_page(self, as_alice, jobs, make_job):
        first = as_alice.get("/jobs?page_size=10").json()
        make_job(1)
        second = as_alice.get(first["next"]).json()
        assert [job["id"] for job in second["results"]] == self.expected(jobs, "-created_at")[10:20]


def test_a_page_costs_as_many_queries_however_many_rows_it_shows(as_alice, make_job, django_assert_max_num_queries):
    for _ in range(30):
        tag(make_job(1), "team")
    with django_assert_max_num_queries(1):
        as_alice.get("/jobs?tag=team&status=pending&page_size=30")
    with django_assert_max_num_queries(2):  # those that have an end, and those that have none
        assert len(as_alice.get("/jobs?tag=team&ordering=-finished_at&page_size=30").json()["results"]) == 30
    with django_assert_max_num_queries(2):
        assert len(as_alice.get("/jobs?q=talk mp3&page_size=30").json()["results"]) == 30


def test_the_page_of_a_browser_shows_the_filtered_list_and_the_way_on(client, alice, make_job):
    client.force_login(alice)
    for _ in range(3):
        make_job(1, filename="turnips.mp3")
    make_job(1, filename="beans.mp3")
    answer = client.get("/jobs?q=turnips&page_size=2&format=api", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "turnips" in text
    assert "beans" not in text
    assert "cursor=" in text

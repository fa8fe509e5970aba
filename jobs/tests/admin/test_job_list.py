"""The list of jobs: never counted, quick at any depth, searched and filtered."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from jobs.admin import search
from jobs.models import Job, TranscriptPart, WorkerSlot
from jobs.tests.admin.pages import JOBS, listed

pytestmark = pytest.mark.django_db


class TestTheList:
    def test_its_cost_does_not_grow_with_the_rows(self, admin_client, make_job, charlie, django_assert_num_queries):
        for count in (5, 45):
            for number in range(count):
                make_job(reserved_ms=1, **({"owner": charlie} if number % 2 else {}))
            with django_assert_num_queries(4) as captured:  # session, person, ids, rows
                shown = listed(admin_client)
            assert len(shown) == Job.objects.count()
            assert not [query["sql"] for query in captured if "COUNT(" in query["sql"]]
        assert Job.objects.count() == 50

    def test_paging_reaches_every_job_once_and_leads_back(self, admin_client, make_job):
        ids = [make_job(reserved_ms=1).pk for _ in range(120)][::-1]
        shown, address = [], ""
        while True:
            page = admin_client.get(JOBS + address).context["cl"]
            shown += [job.pk for job in page.result_list]
            if not page.older_page:
                break
            address = page.older_page
        assert shown == ids
        newer = admin_client.get(JOBS + page.newer_page).context["cl"]
        assert [job.pk for job in newer.result_list] == ids[50:100]
        assert [job.pk for job in admin_client.get(JOBS + newer.newer_page).context["cl"].result_list] == ids[:50]

    def test_paging_keeps_the_filter(self, admin_client, make_job):
        ids = [make_job(reserved_ms=1, status="done" if number % 2 else "pending").pk for number in range(110)]
        page = admin_client.get(f"{JOBS}?status__exact=done").context["cl"]
        older = admin_client.get(JOBS + page.older_page).context["cl"]
        assert [job.pk for job in (*page.result_list, *older.result_list)] == ids[1::2][::-1]

    def test_it_reads_no_long_columns(self, admin_client, make_job, django_assert_num_queries):
        make_job()
        with django_assert_num_queries(4) as captured:
            listed(admin_client)
        assert not {"warnings", "options", "password"} & set(captured[-1]["sql"].replace('"', " ").split())

    @pytest.mark.parametrize(
        ("question", "wanted"),
        [
            ("status__exact=failed", [1]),
            ("engine=openai", [2]),
            ("engine=-", [1, 0]),
            ("owner__id__exact={charlie}", [2]),
            ("owner__id__exact={charlie}&status__exact=failed", []),
            ("q={id}", [0]),
            ("q=%23{id}", [0]),
            ("q={uid}", [0]),
            ("q=INTERVIEW", [1]),
            ("q=.mp3", [2, 0]),
            ("q=charlie%40example.org", [2]),
            ("q=%40example", [2, 1, 0]),
            ("q=text:budget", [2]),
            ("q=text:", []),
            ("q=budget", []),
            ("q=999999999999999999999999999", []),
        ],
    )
    def test_it_is_filtered_and_searched(self, admin_client, make_job, charlie, question, wanted):
        jobs = [
            make_job(),
            make_job(status="failed"),
            make_job(engine="openai", owner=charlie),
        ]
        Job.objects.filter(pk=jobs[1].pk).update(filename="interview.ogg")
        TranscriptPart.objects.create(job=jobs[2], position=0, text="About the Budget.", segments=[])
        question = question.format(id=jobs[0].pk, uid=jobs[0].uid, charlie=charlie.pk)
        assert listed(admin_client, question) == [jobs[number].pk for number in wanted]

    def test_it_is_filtered_by_the_day_it_came_in(self, admin_client, make_job):
        old, new = make_job(), make_job()
        Job.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=40))
        since = (timezone.now() - timedelta(days=7)).isoformat().replace("+", "%2B")
        assert listed(admin_client, f"created_at__gte={since}") == [new.pk]

    def test_transcripts_are_searched_among_the_newest_jobs_only(self, admin_client, make_job, monkeypatch):
        monkeypatch.setattr(search, "NEWEST_SEARCHED", 1)
        jobs = [make_job(), make_job()]
        for job in jobs:
            TranscriptPart.objects.create(job=job, position=0, text="budget", segments=[])
        assert listed(admin_client, "q=text:budget") == [jobs[1].pk]

    def test_a_secret_of_the_owner_is_no_filter(self, admin_client, make_job):
        make_job()
        assert admin_client.get(f"{JOBS}?owner__password__startswith=m").status_code == 400

    def test_the_filter_by_user_does_not_list_the_users(self, admin_client, make_job, charlie):
        make_job()
        page = admin_client.get(JOBS).text
        assert "charlie@example.org" not in page
        assert 'name="owner__id__exact"' in page

    def test_users_are_offered_while_typing_and_not_counted(self, admin_client, make_job, django_assert_num_queries):
        for number in range(25):
            User.objects.create_user(f"typed{number}@example.org")
        address = "/admin/autocomplete/?app_label=jobs&model_name=job&field_name=owner&term=typed&page={}"
        with django_assert_num_queries(3) as captured:
            first = admin_client.get(address.format(1)).json()
        assert not [query["sql"] for query in captured if "COUNT(" in query["sql"]]
        second = admin_client.get(address.format(2)).json()
        assert (len(first["results"]), first["pagination"]) == (20, {"more": True})
        assert (len(second["results"]), second["pagination"]) == (5, {"more": False})


class TestWorkerSlots:
    def test_they_are_shown_and_nobody_edits_them(self, admin_client, db):
        slot = WorkerSlot.objects.create(name="host:1:2", queues="speech", engine="pocketsphinx")
        WorkerSlot.objects.create(name="host:1:3", queues="light", seen_at=timezone.now() - timedelta(hours=1))
        page = admin_client.get("/admin/jobs/workerslot/")
        assert {row.name: row.alive for row in page.context["cl"].result_list} == {"host:1:2": True, "host:1:3": False}
        for action in ("change", "delete"):
            answer = admin_client.post(f"/admin/jobs/workerslot/{slot.pk}/{action}/", {"name": "x", "post": "yes"})
            assert answer.status_code == 403
        assert admin_client.get("/admin/jobs/workerslot/add/").status_code == 403
        assert WorkerSlot.objects.get(pk=slot.pk).name == "host:1:2"

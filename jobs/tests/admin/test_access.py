"""Who may do what in the admin of jobs. A denial also leaves everything as it was."""

import pytest
from django.test import Client

from jobs.models import Job
from jobs.tests.admin.pages import JOBS, facts, page_of, press, run_action

BUTTONS = ["requeue", "cancel"]
ACTIONS = ["requeue_selected", "cancel_selected", "delete_selected"]

pytestmark = pytest.mark.django_db


class TestWhoMay:
    @pytest.mark.parametrize("button", BUTTONS)
    def test_who_is_not_staff_is_sent_to_the_login(self, client, alice, failed, button):
        client.force_login(alice)
        before = facts()
        for answer in (client.get(JOBS), client.get(page_of(failed)), press(client, button, failed)):
            address = answer.redirect_chain[0][0] if hasattr(answer, "redirect_chain") else answer["Location"]
            assert address.startswith("/admin/login/?next=")
        assert facts() == before

    def test_who_may_only_look_is_offered_no_move(self, staff, failed):
        client = staff("view_job")
        page = client.get(page_of(failed))
        assert page.status_code == 200
        assert page.context["ledger"] is None
        assert "/requeue/" not in page.text
        assert "requeue_selected" not in client.get(JOBS).text

    @pytest.mark.parametrize("action", ACTIONS)
    def test_who_may_only_look_cannot_run_an_action(self, staff, failed, make_job, action):
        client, waiting = staff("view_job"), make_job()
        before = facts()
        run_action(client, action, failed, waiting, post="yes")
        assert facts() == before

    @pytest.mark.parametrize("button", [*BUTTONS, "delete"])
    def test_who_may_only_look_cannot_press_a_button(self, staff, failed, button):
        client = staff("view_job")
        before = facts()
        assert client.post(f"{JOBS}{failed.pk}/{button}/", {"post": "yes"}).status_code == 403
        assert facts() == before

    def test_who_may_change_jobs_may_move_them_and_not_delete_them(self, staff, failed):
        client = staff("view_job", "change_job")
        press(client, "requeue", failed)
        failed.refresh_from_db()
        assert failed.run == 2
        assert client.post(f"{JOBS}{failed.pk}/delete/", {"post": "yes"}).status_code == 403
        assert Job.objects.exists()

    @pytest.mark.parametrize("button", BUTTONS)
    def test_a_link_moves_nothing(self, admin_client, failed, button):
        before = facts()
        assert admin_client.get(f"{JOBS}{failed.pk}/{button}/").status_code == 405
        assert facts() == before

    @pytest.mark.parametrize("button", BUTTONS)
    def test_another_sites_form_moves_nothing(self, admin_user, failed, button):
        client = Client(enforce_csrf_checks=True)
        client.force_login(admin_user)
        before = facts()
        assert client.post(f"{JOBS}{failed.pk}/{button}/").status_code == 403
        assert client.post(JOBS, {"action": f"{button}_selected", "_selected_action": failed.pk}).status_code == 403
        assert facts() == before

    @pytest.mark.parametrize("button", BUTTONS)
    def test_a_job_that_is_gone_is_not_found(self, admin_client, button):
        assert admin_client.post(f"{JOBS}41/{button}/").status_code == 404

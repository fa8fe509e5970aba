"""The admin of accounts: users with their budget on one page, and a ledger that nobody edits."""

import pytest
from django.urls import reverse
from rest_framework_simplejwt.tokens import RefreshToken

from accounts import quota
from accounts.models import LedgerEntry, QuotaAccount, User

pytestmark = pytest.mark.django_db

USERS = "/admin/accounts/user/"
LEDGER = "/admin/accounts/ledgerentry/"


def page_of(user):
    return reverse("admin:accounts_user_change", args=[user.pk])


def form_of(response):
    """What a browser would send back from the page, hidden initial values included."""
    data = {}
    for field in response.context["adminform"].form:
        value = field.value()
        if value is not None and value is not False and field.name != "password":
            data[field.html_name] = value
        if field.field.show_hidden_initial:
            data[field.html_initial_name] = "" if field.initial is None else field.initial
    return data


def save(client, user, **changes):
    """Open the user's page, change some fields, press Save."""
    return client.post(page_of(user), {**form_of(client.get(page_of(user))), **changes})


def budget(user):
    return QuotaAccount.objects.values_list("limit_ms", "used_ms", "reserved_ms").get(pk=user.pk)


class TestWhoMayComeIn:
    @pytest.mark.parametrize("path", ["", "accounts/user/", "accounts/user/add/", "accounts/ledgerentry/"])
    def test_who_is_not_staff_is_sent_to_the_login(self, client, alice, path):
        for person in (None, alice):
            if person:
                client.force_login(person)
            answer = client.get(f"/admin/{path}")
            assert answer.status_code == 302
            assert answer["Location"].startswith("/admin/login/?next=")

    def test_who_is_not_staff_changes_nobody(self, client, alice, charlie):
        client.force_login(charlie)
        client.post(page_of(alice), {"email": "taken@example.org", "grant_seconds": "60"})
        alice.refresh_from_db()
        assert alice.email == "alice@example.org"
        assert not LedgerEntry.objects.exists()

    def test_staff_without_a_permission_see_no_users(self, staff, alice):
        client = staff()
        assert client.get(USERS).status_code == 403
        assert client.get(page_of(alice)).status_code == 403

    def test_who_may_only_look_can_open_the_page_and_change_nothing(self, staff, alice):
        client = staff("view_user", "view_ledgerentry")
        page = client.get(page_of(alice))
        assert page.status_code == 200
        assert "limit_seconds" not in page.text
        before = budget(alice)
        answer = client.post(page_of(alice), {"email": "x@example.org", "limit_seconds": "1", "grant_seconds": "60"})
        assert answer.status_code == 403
        alice.refresh_from_db()
        assert (alice.email, budget(alice)) == ("alice@example.org", before)

    def test_who_may_change_users_cannot_make_itself_or_others_staff(self, staff, alice):
        client = staff("view_user", "change_user")
        assert save(client, alice, is_staff="on", is_superuser="on").status_code == 302
        alice.refresh_from_db()
        assert not alice.is_staff
        assert not alice.is_superuser

    @pytest.mark.parametrize("page", ["change", "password"])
    def test_only_a_superuser_touches_accounts_of_staff(self, staff, admin_user, page):
        client = staff("view_user", "change_user", "delete_user")
        before = admin_user.password
        answer = client.post(
            f"{USERS}{admin_user.pk}/{page}/",
            {"email": "mine@example.org", "password1": "my own password", "password2": "my own password"},
        )
        assert answer.status_code == 403
        assert client.post(f"{USERS}{admin_user.pk}/delete/", {"post": "yes"}).status_code == 403
        admin_user.refresh_from_db()
        assert (admin_user.email, admin_user.password) == ("admin@example.com", before)

    @pytest.mark.parametrize("model", ["outstandingtoken", "blacklistedtoken"])
    def test_no_page_shows_tokens(self, admin_client, alice, model):
        refresh = str(RefreshToken.for_user(alice))
        assert admin_client.get(f"/admin/token_blacklist/{model}/").status_code == 404
        for page in ("/admin/", page_of(alice)):
            assert refresh not in admin_client.get(page).text
        assert "token_blacklist" not in admin_client.get("/admin/").text


class TestAddingAUser:
    def test_it_comes_with_a_budget_and_can_log_in(self, admin_client, client, settings):
        fields = {"email": "New@Example.org ", "password1": "long enough 1", "password2": "long enough 1"}
        answer = admin_client.post(f"{USERS}add/", fields)
        user = User.objects.get(email="new@example.org")
        assert answer["Location"] == page_of(user)
        assert budget(user) == (settings.AUDIO_LIMIT_SECONDS * 1000, 0, 0)
        assert client.login(username="new@example.org", password="long enough 1")

    @pytest.mark.parametrize(
        "changes",
        [{"email": "ALICE@example.org"}, {"password2": "something else"}, {"password1": "short", "password2": "short"}],
    )
    def test_it_is_refused_with_nothing_made(self, admin_client, alice, changes):
        fields = {"email": "new@example.org", "password1": "long enough 1", "password2": "long enough 1", **changes}
        before = User.objects.count()
        page = admin_client.post(f"{USERS}add/", fields)
        assert page.context["errors"]
        assert User.objects.count() == QuotaAccount.objects.count() == before


class TestChangingAUser:
    def test_the_limit_is_given_in_seconds(self, admin_client, alice):
        assert save(admin_client, alice, limit_seconds="90").status_code == 302
        assert budget(alice)[0] == 90_000

    def test_an_empty_limit_means_unlimited(self, admin_client, alice):
        save(admin_client, alice, limit_seconds="")
        assert budget(alice)[0] is None
        assert "unlimited" in admin_client.get(page_of(alice)).text

    def test_saving_keeps_what_a_worker_booked_meanwhile(self, admin_client, alice):
        page = form_of(admin_client.get(page_of(alice)))
        quota.reserve(account_id=alice.pk, job_id=7, run=1, duration_ms=5_000)
        quota.reserve(account_id=alice.pk, job_id=8, run=1, duration_ms=3_000)
        quota.settle(account_id=alice.pk, job_id=8, run=1, duration_ms=2_500)
        admin_client.post(page_of(alice), {**page, "limit_seconds": "60"})
        assert budget(alice) == (60_000, 2_500, 5_000)

    def test_saving_keeps_a_limit_that_a_colleague_set_meanwhile(self, admin_client, alice):
        page = form_of(admin_client.get(page_of(alice)))
        QuotaAccount.objects.filter(pk=alice.pk).update(limit_ms=1_000)
        admin_client.post(page_of(alice), {**page, "email": "a@example.org"})
        alice.refresh_from_db()
        assert (alice.email, budget(alice)[0]) == ("a@example.org", 1_000)

    def test_saving_keeps_the_columns_that_were_not_edited(self, admin_client, alice, monkeypatch):
        page = form_of(admin_client.get(page_of(alice)))

        def set_password_meanwhile(self, *args, original=User.save, **kwargs):
            User.objects.filter(pk=self.pk).update(password="changed meanwhile")
            original(self, *args, **kwargs)

        monkeypatch.setattr(User, "save", set_password_meanwhile)
        admin_client.post(page_of(alice), {**page, "email": "a@example.org"})
        alice.refresh_from_db()
        assert (alice.email, alice.password) == ("a@example.org", "changed meanwhile")

    @pytest.mark.parametrize("limit", ["-1", "1.5", "many", "1" * 30])
    def test_a_limit_that_is_no_number_of_seconds_is_refused(self, admin_client, alice, limit):
        before = budget(alice)
        page = save(admin_client, alice, limit_seconds=limit)
        assert page.context["adminform"].form.errors.keys() == {"limit_seconds"}
        assert budget(alice) == before

    def test_the_address_of_somebody_else_is_refused(self, admin_client, alice, charlie):
        page = save(admin_client, alice, email="Charlie@Example.org")
        assert page.context["adminform"].form.errors.keys() == {"email"}
        alice.refresh_from_db()
        assert alice.email == "alice@example.org"

    def test_the_password_can_be_set(self, admin_client, client, alice):
        fields = {"password1": "another 12345", "password2": "another 12345", "usable_password": "true"}
        assert admin_client.post(f"{USERS}{alice.pk}/password/", fields).status_code == 302
        assert client.login(username=alice.email, password="another 12345")

    def test_the_page_shows_usage_and_the_newest_twenty_entries(self, admin_client, alice, charlie):
        quota.reserve(account_id=alice.pk, job_id=1, run=1, duration_ms=61_000)
        for job_id in range(2, 26):
            quota.reserve(account_id=alice.pk, job_id=job_id, run=1, duration_ms=1_000)
        quota.settle(account_id=alice.pk, job_id=1, run=1, duration_ms=61_000)
        quota.reserve(account_id=charlie.pk, job_id=99, run=1, duration_ms=1)
        page = admin_client.get(page_of(alice))
        assert [entry.job_id for entry in page.context["ledger"]] == [1, *range(25, 6, -1)]
        for figure in ("0:01:01", "0:00:24", "0:28:35"):  # used, reserved, remaining of 1800 s
            assert figure in page.text
        for link in (f"{LEDGER}?account_id__exact={alice.pk}", f"/admin/jobs/job/?owner__id__exact={alice.pk}"):
            assert link in page.text
            assert admin_client.get(link).status_code == 200

    def test_the_history_of_a_user_opens(self, admin_client, alice):
        save(admin_client, alice, limit_seconds="5")
        assert "Limit, seconds" in admin_client.get(f"{USERS}{alice.pk}/history/").text


class TestGrantingSeconds:
    @pytest.mark.parametrize(("seconds", "used_ms"), [("600", -600_000), ("-30", 30_000)])
    def test_it_is_booked_through_the_ledger_with_its_reason(self, admin_client, alice, seconds, used_ms):
        answer = save(admin_client, alice, grant_seconds=seconds, grant_reason="asked by phone")
        assert answer.status_code == 302
        entry = LedgerEntry.objects.get()
        assert (entry.account_id, entry.kind, entry.ms, entry.tag) == (alice.pk, "adjust", used_ms, "asked by phone")
        assert budget(alice)[1] == used_ms

    @pytest.mark.parametrize("seconds", ["0", "1.5", "a lot", "9" * 30])
    def test_what_is_no_number_of_seconds_is_refused(self, admin_client, alice, seconds):
        page = save(admin_client, alice, grant_seconds=seconds, limit_seconds="5")
        assert page.context["adminform"].form.errors.keys() == {"grant_seconds"}
        assert not LedgerEntry.objects.exists()
        assert budget(alice) == (1_800_000, 0, 0)

    def test_the_same_page_sent_twice_is_booked_once(self, admin_client, alice):
        page = {**form_of(admin_client.get(page_of(alice))), "grant_seconds": "60"}
        assert admin_client.post(page_of(alice), page).status_code == 302
        again = admin_client.post(page_of(alice), page)
        assert "Another grant was booked" in again.text
        assert budget(alice)[1] == -60_000
        assert LedgerEntry.objects.count() == 1

    def test_saving_without_one_books_nothing(self, admin_client, alice):
        save(admin_client, alice, is_active="on")
        assert not LedgerEntry.objects.exists()


class TestTheLedger:
    @pytest.fixture
    def entry(self, alice):
        quota.reserve(account_id=alice.pk, job_id=41, run=1, duration_ms=1_500)
        return LedgerEntry.objects.get()

    def test_not_even_a_superuser_changes_it(self, admin_client, entry):
        page = f"{LEDGER}{entry.pk}/change/"
        assert admin_client.get(page).status_code == 200
        assert admin_client.get(f"{LEDGER}add/").status_code == 403
        assert admin_client.post(page, {"ms": "1"}).status_code == 403
        assert admin_client.post(f"{LEDGER}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
        admin_client.post(LEDGER, {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"})
        assert list(LedgerEntry.objects.values_list("pk", "ms")) == [(entry.pk, 1_500)]

    @pytest.mark.parametrize("question", ["q=41", "q=alice%40example.org", "q={account}", "kind__exact=reserve"])
    def test_it_is_searched_by_account_and_by_job(self, admin_client, alice, charlie, entry, question):
        quota.grant(user=charlie, duration_ms=1_000)
        page = admin_client.get(f"{LEDGER}?{question.format(account=alice.pk)}")
        assert [row.pk for row in page.context["cl"].result_list] == [entry.pk]

    def test_it_outlives_its_account(self, admin_client, alice, entry):
        account_id = alice.pk
        assert "alice@example.org" in admin_client.get(LEDGER).text
        alice.delete()
        assert f"{account_id} (deleted)" in admin_client.get(LEDGER).text

"""What a login tells, to whom, and what it costs: the same for whoever is not let in."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from conftest import PASSWORD

pytestmark = pytest.mark.django_db

FORMS = ["/admin/login/", "/api-auth/login/"]
DOORS = ["/auth/login", *FORMS]
VARYING = {"Set-Cookie", "Expires"}


class TestEqualAnswers:
    @pytest.mark.parametrize("door", DOORS)
    def test_unknown_wrong_and_inactive_look_and_cost_the_same(self, knock, hasher, door):
        for name in ("known", "inactive"):
            User.objects.create_user(f"{name}@example.org", PASSWORD, is_staff=True, is_active=name == "known")
        unusable = User.objects.create_user("unusable@example.org", None, is_staff=True)
        assert not unusable.has_usable_password()
        seen = set()
        for name, password in [("unknown", "x"), ("known", "x"), ("inactive", "x"), ("inactive", PASSWORD),
                               ("unusable", "x")]:  # fmt: skip
            hasher.runs = 0
            answer = knock(door, email=f"{name}@example.org", password=password)
            headers = {key: value for key, value in answer.headers.items() if key not in VARYING}
            text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.text.replace(f"{name}@example.org", ""))
            if door in FORMS:
                headers.pop("Content-Length", None)
            seen.add((answer.status_code, text, str(headers), hasher.runs))
        assert len(seen) == 1, sorted(seen)
        assert seen.pop()[3] == 1


class TestTheForms:
    @pytest.mark.parametrize("door", FORMS)
    def test_they_let_the_right_person_in_under_a_new_session(self, admin_user, door):
        client = Client()
        session = client.session
        session["planted"] = "by somebody else"
        session.save()
        planted = session.session_key
        client.cookies["sessionid"] = planted
        answer = client.post(door, {"username": "ADMIN@example.com", "password": "password"})
        assert answer.status_code == 302
        assert client.cookies["sessionid"].value != planted
        stranger = Client()
        stranger.cookies["sessionid"] = planted
        assert stranger.get("/admin/").status_code == 302
        assert client.get("/admin/").status_code == 200

    def test_no_page_shows_a_part_of_a_password_hash(self, admin_client, staff, alice):
        digest, salt = alice.password.split("$")[2], alice.password.split("$")[1]
        for client in (admin_client, staff("view_user"), staff("view_user", "change_user")):
            page = client.get(reverse("admin:accounts_user_change", args=[alice.pk])).text
            assert "A password is set." in page
            assert digest[:6] not in page
            assert salt[:6] not in page

    @pytest.mark.parametrize("page", ["accounts/user/", "accounts/apikey/", "jobs/job/", "accounts/ledgerentry/"])
    @pytest.mark.parametrize("lookup", ["password__startswith", "owner__password__startswith"])
    def test_no_list_can_be_asked_for_the_beginning_of_a_hash(self, admin_client, alice, page, lookup):
        answer = admin_client.get(f"/admin/{page}?{lookup}=md5")
        assert answer.status_code in {302, 400}
        if answer.status_code == 302:
            assert answer["Location"].endswith("?e=1")

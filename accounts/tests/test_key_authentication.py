"""API keys in the Authorization header, and at POST /auth/token."""

import logging
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts.authentication import BearerAuthentication, key_id_of
from accounts.keys import revoke_key
from accounts.models import ApiKey, User
from accounts.tokens import issue_pair
from conftest import PASSWORD

pytestmark = pytest.mark.django_db


def trade(api, text):
    return api.post("/auth/token", {"api_key": text})


def refresh(api, tokens):
    return api.post("/auth/refresh", {"refresh_token": tokens["refresh_token"]})


def end(key, how, expire):
    """Make the key useless; the code that tells so."""
    if how == "revoked":
        revoke_key(key=key)
        return "api_key_revoked"
    if how == "expired":
        expire(key)
        return "api_key_expired"
    if how == "inactive":
        User.objects.update(is_active=False)
        return "user_inactive"
    User.objects.all().delete()
    return "invalid_api_key"


ENDS = ["revoked", "expired", "inactive", "deleted"]


class TestTheHeader:
    @pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
    def test_a_key_opens_what_a_login_opens(self, api, key, scheme):
        answer = api.get("/jobs", headers={"Authorization": f"{scheme} {key.text}"})
        assert answer.status_code == 200

    def test_it_stands_for_its_owner(self, bearing, key, charlie):
        results = bearing(key.text).get("/me/keys").json()["results"]
        assert [row["id"] for row in results] == [key.key.pk]

    @pytest.mark.parametrize("how", ENDS)
    def test_one_that_ended_is_401_and_says_why(self, bearing, key, expire, how):
        code = end(key.key, how, expire)
        answer = bearing(key.text).get("/jobs")
        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert len(answer.json()["detail"]) > 20
        assert not ApiKey.objects.exclude(last_used_at=None).exists()

    @pytest.mark.parametrize(
        "change", ["tk_", "tk_x", "tk_" + "A" * 43, "tk_\xff", "whole", "shorter", "longer", "case"]
    )
    def test_a_wrong_one_is_401(self, bearing, key, change):
        wrong = {
            "whole": key.key.key_sha256,
            "shorter": key.text[:-1],
            "longer": key.text + "A",
            "case": "tk_" + key.text[3:].swapcase(),
        }.get(change, change)
        answer = bearing(wrong).get("/me/usage")
        assert answer.status_code == 401
        assert answer.json()["code"] == ("token_not_valid" if change == "whole" else "invalid_api_key")

    def test_a_key_in_two_pieces_is_401(self, bearing, key):
        assert bearing(f"{key.text} {key.text}").get("/me/usage").status_code == 401

    def test_a_key_outlives_a_change_of_password(self, bearing, key, alice):
        alice.set_password("another password")
        alice.save()
        assert bearing(key.text).get("/me/usage").status_code == 200

    def test_no_log_tells_it(self, bearing, key, caplog):
        with caplog.at_level(logging.DEBUG):
            bearing(key.text).get("/me/usage")
            bearing(key.text[:-1]).get("/me/usage")
        assert key.text[10:-1] not in caplog.text


class TestWhenItWasUsed:
    def test_the_first_use_is_noted(self, bearing, key):
        bearing(key.text).get("/me/usage")
        assert timezone.now() - ApiKey.objects.get().last_used_at < timedelta(minutes=1)

    @pytest.mark.parametrize(("seconds", "noted"), [(55, False), (61, True)])
    def test_it_is_written_once_a_minute(self, bearing, key, seconds, noted):
        before = timezone.now() - timedelta(seconds=seconds)
        ApiKey.objects.update(last_used_at=before)
        bearing(key.text).get("/me/usage")
        assert (ApiKey.objects.get().last_used_at != before) is noted

    def test_a_request_within_the_minute_writes_nothing(self, bearing, key, django_assert_num_queries):
        client = bearing(key.text)
        client.get("/me/usage")
        with django_assert_num_queries(2) as asked:  # the key with its owner, the budget
            client.get("/me/usage")
        assert all(query["sql"].startswith("SELECT") for query in asked)

    def test_a_token_made_from_it_counts_as_its_use(self, bearing, api, key):
        token = trade(api, key.text).json()["access_token"]
        ApiKey.objects.update(last_used_at=None)
        bearing(token).get("/me/usage")
        assert ApiKey.objects.get().last_used_at


class TestTradingItForTokens:
    def test_the_answer_is_that_of_a_login(self, bearing, api, key):
        answer = trade(api, key.text)
        assert answer.status_code == 200
        assert set(answer.json()) == {"access_token", "token_type", "refresh_token"}
        assert answer.json()["token_type"] == "bearer"
        assert bearing(answer.json()["access_token"]).get("/jobs").status_code == 200

    def test_the_pair_can_be_refreshed_again_and_again(self, bearing, api, key):
        tokens = trade(api, key.text).json()
        for _ in range(3):
            tokens = refresh(api, tokens).json()
        assert bearing(tokens["access_token"]).get("/jobs").status_code == 200

    @pytest.mark.parametrize("how", ENDS)
    def test_its_tokens_die_with_the_key_also_the_refreshed_ones(self, bearing, api, key, expire, how):
        first = trade(api, key.text).json()
        second = refresh(api, trade(api, key.text).json()).json()
        end(key.key, how, expire)
        for tokens in (first, second):
            assert bearing(tokens["access_token"]).get("/jobs").status_code == 401
            assert refresh(api, tokens).status_code == 401

    @pytest.mark.parametrize("how", ["revoked", "expired"])
    def test_the_refusal_of_its_tokens_names_the_key_as_the_reason(self, bearing, api, key, expire, how):
        tokens = trade(api, key.text).json()
        code = end(key.key, how, expire)
        assert bearing(tokens["access_token"]).get("/jobs").json()["code"] == code
        assert refresh(api, tokens).json()["code"] == code

    def test_tokens_of_a_login_and_of_another_key_live_on(self, bearing, api, as_alice, key):
        login = api.post("/auth/login", {"email": "alice@example.org", "password": PASSWORD}).json()
        other = trade(api, as_alice.post("/me/keys", {"name": "other"}).json()["key"]).json()
        revoke_key(key=key.key)
        for tokens in (login, other):
            assert bearing(tokens["access_token"]).get("/jobs").status_code == 200
            assert refresh(api, tokens).status_code == 200

    @pytest.mark.parametrize("how", ENDS)
    def test_a_key_that_ended_is_401(self, api, key, expire, how):
        code = end(key.key, how, expire)
        answer = trade(api, key.text)
        assert (answer.status_code, answer.json()["code"]) == (401, code)

    def test_all_wrong_ones_look_the_same(self, api, key):
        wrong = [
            "x",
            "tk_",
            key.text[:-1],
            key.key.key_sha256,
            "tk_" + "A" * 43,
            issue_pair(user=key.key.owner).access_token,
        ]
        answers = [trade(api, text) for text in wrong]
        assert {answer.status_code for answer in answers} == {401}
        assert len({answer.content for answer in answers}) == 1
        assert answers[0].json()["code"] == "invalid_api_key"

    @pytest.mark.parametrize("text", ["", None, 5.5, ["tk_"], "tk_\0", "tk_" + "x" * 2000])
    def test_what_can_be_no_key_is_refused(self, api, db, text):
        assert trade(api, text).status_code in {400, 401}

    def test_half_a_character_is_400(self, api, db):
        answer = api.post("/auth/token", r'{"api_key": "tk_\ud800"}', content_type="application/json")
        assert answer.status_code == 400

    def test_wrong_ones_lock_nobody_out(self, api, key):
        assert {trade(api, "tk_wrong").status_code for _ in range(60)} == {401}
        assert trade(api, key.text).status_code == 200


class TestWhichKeyItWas:
    def asked(self, text):
        request = Request(
            APIRequestFactory().get("/", headers={"Authorization": f"Bearer {text}"}),
            authenticators=[BearerAuthentication()],
        )
        assert request.user.is_authenticated
        return request

    def test_a_key_and_its_tokens_name_it(self, api, key):
        tokens = trade(api, key.text).json()
        again = refresh(api, tokens).json()
        for text in (key.text, tokens["access_token"], again["access_token"]):
            assert key_id_of(self.asked(text)) == key.key.pk

    def test_a_login_names_none(self, alice):
        assert key_id_of(self.asked(issue_pair(user=alice).access_token)) is None

    def test_a_session_names_none(self, alice):
        request = APIRequestFactory().get("/")
        request.user = alice
        assert key_id_of(request) is None
        assert key_id_of(Request(request)) is None

    def test_a_token_that_names_anothers_key_is_refused(self, bearing, key, charlie):
        token = RefreshToken.for_user(charlie)
        token["api_key_id"] = key.key.pk
        assert isinstance(token.access_token, AccessToken)
        assert bearing(str(token.access_token)).get("/jobs").json()["code"] == "invalid_api_key"

"""POST /auth/login and /auth/refresh, and what the tokens open."""

import pytest
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from conftest import PASSWORD

pytestmark = pytest.mark.django_db


def login(api: APIClient, email: str = "alice@example.org", password: str = PASSWORD):
    return api.post("/auth/login", {"email": email, "password": password})


def usage(api: APIClient, token: str):
    return api.get("/me/usage", headers={"Authorization": f"Bearer {token}"})


def refresh(api: APIClient, token: str):
    return api.post("/auth/refresh", {"refresh_token": token})


def test_login_gives_a_bearer_token_that_works(api, alice):
    answer = login(api)
    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "token_type", "refresh_token"}
    assert answer.json()["token_type"] == "bearer"
    assert usage(api, answer.json()["access_token"]).status_code == 200


def test_the_address_is_taken_in_any_spelling(api, alice):
    assert login(api, email="Alice@EXAMPLE.org").status_code == 200


def test_wrong_password_and_unknown_user_look_the_same(api, alice):
    wrong, unknown = login(api, password="wrong password"), login(api, email="nobody@example.org")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong.json()["code"] == "wrong_credentials"


def test_an_inactive_user_cannot_log_in(api, alice):
    alice.is_active = False
    alice.save()
    assert login(api).status_code == 401


@pytest.mark.parametrize("header", [None, "Bearer abc", "Bearer", "Basic YWJjOmRlZg==", "Bearer a b"])
def test_a_missing_or_wrong_token_is_401_and_says_how_to_authenticate(api, header):
    response = api.get("/me/usage", headers={"Authorization": header} if header else {})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert response.json()["code"] in {"not_authenticated", "token_not_valid"}
    assert "/auth/login" in response.json()["detail"] or "Log in again" in response.json()["detail"]


def test_a_deleted_users_token_is_401(api, alice):
    tokens = login(api).json()
    alice.delete()
    assert usage(api, tokens["access_token"]).status_code == 401
    assert refresh(api, tokens["refresh_token"]).status_code == 401


def test_a_password_change_revokes_both_tokens(api, alice):
    tokens = login(api).json()
    alice.set_password("another password")
    alice.save()
    assert usage(api, tokens["access_token"]).status_code == 401
    assert refresh(api, tokens["refresh_token"]).status_code == 401


def test_a_refresh_token_works_once(api, alice):
    first = login(api).json()
    second = refresh(api, first["refresh_token"])
    assert second.status_code == 200
    assert usage(api, second.json()["access_token"]).status_code == 200
    again = refresh(api, first["refresh_token"])
    assert (again.status_code, again.json()["code"]) == (401, "token_not_valid")


def test_a_second_request_of_the_same_client_revokes_nothing(api, alice):
    first = login(api).json()
    second = refresh(api, first["refresh_token"]).json()
    assert refresh(api, first["refresh_token"]).status_code == 401
    assert refresh(api, second["refresh_token"]).status_code == 200


def test_the_database_holds_no_token_that_works(api, alice):
    tokens = login(api).json()
    tokens |= {"rotated": refresh(api, tokens["refresh_token"]).json()["refresh_token"]}
    kept = str(list(OutstandingToken.objects.values()))
    assert not [name for name, token in tokens.items() if token in kept]


def test_an_access_token_is_no_refresh_token(api, alice):
    assert refresh(api, login(api).json()["access_token"]).status_code == 401

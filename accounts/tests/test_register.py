"""POST /auth/register"""

import pytest

from accounts.models import QuotaAccount, User

pytestmark = pytest.mark.django_db


def register(api, **fields):
    return api.post("/auth/register", fields)


def test_it_creates_an_account_with_a_budget(api, settings):
    settings.AUDIO_LIMIT_SECONDS = 90
    response = register(api, email="Ann@Example.org", password="12345678")
    assert response.status_code == 201
    user = User.objects.get()
    assert response.json() == {"id": user.pk, "email": "ann@example.org"}
    assert QuotaAccount.objects.get(user=user).limit_ms == 90_000


def test_a_taken_address_is_a_conflict_whatever_its_spelling(api, alice):
    response = register(api, email="ALICE@example.org", password="another password")
    assert response.status_code == 409
    assert response.json()["code"] == "email_taken"
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"email": "ann@example.org", "password": "1234567"}, "password_min_length"),
        ({"email": "ann@example.org"}, "password_required"),
        ({"email": "not an address", "password": "12345678"}, "email_invalid"),
        ({"password": "12345678"}, "email_required"),
        ({}, "validation_error"),
        ({"email": ["ann@example.org"], "password": "12345678"}, "email_invalid"),
    ],
)
def test_bad_input_says_which_field_and_changes_nothing(api, fields, code):
    response = register(api, **fields)
    assert response.status_code == 400
    assert response.json()["code"] == code
    assert not User.objects.exists()


def test_a_number_is_no_password(api):
    answer = api.post("/auth/register", {"email": "nina@example.org", "password": 1234567890})
    assert (answer.status_code, answer.json()["code"]) == (400, "password_invalid")
    assert not User.objects.filter(email="nina@example.org").exists()


def test_eight_characters_is_the_only_password_rule(api):
    assert register(api, email="ann@example.org", password="password").status_code == 201


def test_malformed_json_is_named(api):
    response = api.post("/auth/register", '{"email', content_type="application/json")
    assert response.status_code == 400
    assert response.json()["code"] == "parse_error"
    assert not User.objects.exists()


def test_closed_registration_refuses(api, settings):
    settings.REGISTRATION = "closed"
    response = register(api, email="ann@example.org", password="12345678")
    assert (response.status_code, response.json()["code"]) == (403, "registration_closed")
    assert not User.objects.exists()

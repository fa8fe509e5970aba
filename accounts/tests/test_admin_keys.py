"""The admin of API keys: found and revoked, never made or edited."""

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from accounts.keys import create_key
from accounts.models import ApiKey, User

pytestmark = pytest.mark.django_db

KEYS = "/admin/accounts/apikey/"


def revoke(client, *keys):
    return client.post(KEYS, {"action": "revoke_selected", "_selected_action": [key.pk for key in keys]})


def found(client, question=""):
    return [row.name for row in client.get(f"{KEYS}?q={question}").context["cl"].result_list]


@pytest.fixture
def other(charlie):
    return create_key(owner=charlie, name="charlie's phone")


def test_the_list_shows_owner_name_and_prefix_and_neither_text_nor_hash(admin_client, key):
    for page in (KEYS, f"{KEYS}{key.key.pk}/change/"):
        text = admin_client.get(page).text
        for shown in ("alice@example.org", "backup server", key.key.prefix):
            assert shown in text
        assert key.text[:11] not in text
        assert key.key.key_sha256[:8] not in text


def test_they_are_found_by_owner_and_by_prefix(admin_client, key, other):
    assert found(admin_client) == ["charlie's phone", "backup server"]
    assert found(admin_client, "alice") == ["backup server"]
    assert found(admin_client, other.key.prefix) == ["charlie's phone"]
    assert found(admin_client, "nobody") == []


@pytest.mark.parametrize("start", ["0", "f"])
def test_the_list_cannot_be_asked_for_the_beginning_of_a_hash(admin_client, key, start):
    answer = admin_client.get(f"{KEYS}?key_sha256__startswith={start}")
    assert answer.status_code in {302, 400}


def test_the_selected_are_revoked_and_the_history_says_so(admin_client, key, other, bearing):
    assert revoke(admin_client, key.key).status_code == 302
    assert bearing(key.text).get("/me/usage").json()["code"] == "api_key_revoked"
    assert bearing(other.text).get("/me/usage").status_code == 200
    assert LogEntry.objects.get().object_id == str(key.key.pk)
    assert "Revoked" in admin_client.get(f"{KEYS}{key.key.pk}/history/").text


def test_a_second_time_changes_nothing(admin_client, key):
    revoke(admin_client, key.key)
    first = ApiKey.objects.get().revoked_at
    revoke(admin_client, key.key)
    assert ApiKey.objects.get().revoked_at == first
    assert LogEntry.objects.count() == 1


def test_who_may_only_look_revokes_nothing(staff, key):
    client = staff("view_apikey")
    assert client.get(KEYS).status_code == 200
    revoke(client, key.key)
    assert ApiKey.objects.get().revoked_at is None


def test_who_may_change_keys_revokes_but_edits_nothing(staff, key):
    client = staff("view_apikey", "change_apikey", "add_apikey", "delete_apikey")
    page = f"{KEYS}{key.key.pk}/change/"
    assert client.get(page).status_code == 200
    assert client.post(page, {"name": "mine"}).status_code == 403
    assert client.get(f"{KEYS}add/").status_code == 403
    assert client.post(f"{KEYS}{key.key.pk}/delete/", {"post": "yes"}).status_code == 403
    assert ApiKey.objects.values_list("name", "revoked_at").get() == ("backup server", None)
    revoke(client, key.key)
    assert ApiKey.objects.get().revoked_at


def test_a_user_with_keys_can_be_deleted_and_they_go_along(admin_client, alice, key, other):
    page = reverse("admin:accounts_user_delete", args=[alice.pk])
    assert admin_client.post(page, {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=alice.pk).exists()
    assert ApiKey.objects.get() == other.key

"""POST, GET /me/keys and DELETE /me/keys/{id}."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from accounts.errors import TooManyKeys
from accounts.keys import MAX_LIVE_KEYS, create_key, revoke_key
from accounts.models import ApiKey

pytestmark = pytest.mark.django_db

SHOWN = {"id", "name", "prefix", "created_at", "expires_at", "last_used_at", "revoked_at"}


def create(client, **fields):
    return client.post("/me/keys", {"name": "backup server", **fields})


def fill(owner, count):
    rows = [ApiKey(owner=owner, name=str(n), prefix="tk_", key_sha256=f"{owner.pk}-{n}") for n in range(count)]
    ApiKey.objects.bulk_create(rows)


class TestCreating:
    def test_the_text_is_shown_once_and_works(self, as_alice, bearing):
        answer = create(as_alice)
        made = answer.json()
        assert answer.status_code == 201
        assert set(made) == SHOWN | {"key"}
        assert re.fullmatch(r"tk_[\w-]{43}", made["key"])
        assert made["key"].startswith(made["prefix"])
        assert made["name"] == "backup server"
        assert made["expires_at"] is made["last_used_at"] is made["revoked_at"] is None
        assert answer.headers["Cache-Control"] == "no-store"
        assert bearing(made["key"]).get("/me/usage").status_code == 200
        assert [set(key) for key in as_alice.get("/me/keys").json()["results"]] == [SHOWN]

    def test_its_text_is_nowhere_in_the_database(self, as_alice, bearing):
        text = create(as_alice).json()["key"]
        bearing(text).get("/me/usage")
        bearing(text).post("/auth/token", {"api_key": text})
        rows = str([list(model._base_manager.values()) for model in apps.get_models()])
        assert text[:10] in rows
        assert text[:11] not in rows
        assert text[10:] not in rows

    def test_no_two_are_alike(self, as_alice):
        assert len({create(as_alice).json()["key"] for _ in range(5)}) == 5

    @pytest.mark.parametrize(
        ("given", "ends"),
        [
            ("2190-01-01T00:00:00Z", datetime(2190, 1, 1, tzinfo=UTC)),
            ("2190-01-01T00:00:00", datetime(2190, 1, 1, tzinfo=UTC)),
            ("2190-01-01T03:00:00+03:00", datetime(2190, 1, 1, tzinfo=UTC)),
            (None, None),
        ],
    )
    def test_it_can_expire_at_a_moment(self, as_alice, settings, given, ends):
        settings.TIME_ZONE = "Asia/Tokyo"
        assert create(as_alice, expires_at=given).status_code == 201
        assert ApiKey.objects.get().expires_at == ends

    def test_it_can_expire_in_days(self, as_alice):
        assert create(as_alice, expires_in_days=90).status_code == 201
        lifetime = ApiKey.objects.get().expires_at - timezone.now()
        assert timedelta(days=90) - timedelta(minutes=1) < lifetime <= timedelta(days=90)

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"name": ""}, "name_blank"),
            ({"name": "  "}, "name_blank"),
            ({"name": "x" * 101}, "name_max_length"),
            ({"name": "two\nlines"}, "name_invalid"),
            ({"name": "nu\0l"}, None),
            ({"name": {"a": 1}}, "name_invalid"),
            ({"expires_at": "2020-01-01T00:00:00Z"}, "expiry_in_past"),
            ({"expires_at": "0001-01-01T00:00:00+14:00"}, None),
            ({"expires_at": "9999-12-31T23:59:59-14:00"}, None),
            ({"expires_at": "tomorrow"}, "expires_at_invalid"),
            ({"expires_in_days": 0}, "expires_in_days_min_value"),
            ({"expires_in_days": -1}, "expires_in_days_min_value"),
            ({"expires_in_days": 10**30}, "expires_in_days_max_value"),
            ({"expires_in_days": "soon"}, "expires_in_days_invalid"),
            ({"expires_in_days": 1, "expires_at": "2190-01-01T00:00:00Z"}, "given_twice"),
            ({"expires": "2190-01-01T00:00:00Z"}, "unknown_option"),
        ],
    )
    def test_what_makes_no_sense_is_refused_with_nothing_made(self, as_alice, fields, code):
        answer = create(as_alice, **fields)
        assert answer.status_code == 400
        assert code in (None, answer.json()["code"])
        assert answer.json()["detail"]
        assert not ApiKey.objects.exists()

    @pytest.mark.parametrize("body", ["[]", '["name"]', "null", '"name"', "{}", r'{"name": "\ud800"}'])
    def test_a_body_that_is_no_key_is_400(self, as_alice, body):
        assert as_alice.post("/me/keys", body, content_type="application/json").status_code == 400
        assert not ApiKey.objects.exists()

    @pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "<script>", "'; DROP TABLE", "ключ 🔑", "x" * 100])
    def test_a_name_is_kept_as_it_is(self, as_alice, name):
        assert create(as_alice, name=name).json()["name"] == name
        assert as_alice.get("/me/keys").json()["results"][0]["name"] == name

    def test_nobody_creates_one_without_a_token(self, api):
        assert create(api).status_code == 401
        assert not ApiKey.objects.exists()


class TestHowMany:
    def test_the_cap_is_refused_with_a_word_what_to_do(self, as_alice, alice):
        fill(alice, MAX_LIVE_KEYS)
        answer = create(as_alice)
        assert (answer.status_code, answer.json()["code"]) == (409, "too_many_keys")
        assert "Revoke one" in answer.json()["detail"]
        assert ApiKey.objects.count() == MAX_LIVE_KEYS

    def test_revoked_expired_and_others_keys_do_not_count(self, as_alice, alice, charlie, expire):
        fill(charlie, MAX_LIVE_KEYS)
        fill(alice, MAX_LIVE_KEYS)
        revoked, expired = ApiKey.objects.filter(owner=alice)[:2]
        revoke_key(key=revoked)
        expire(expired)
        assert [create(as_alice).status_code for _ in range(3)] == [201, 201, 409]

    @pytest.mark.django_db(transaction=True)
    def test_racing_clients_get_exactly_what_is_left(self, alice):
        fill(alice, MAX_LIVE_KEYS - 3)

        def one(_):
            try:
                create_key(owner=alice, name="x")
            except TooManyKeys:
                return "refused"
            else:
                return "made"
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(one, range(8)))
        assert (outcomes.count("made"), outcomes.count("refused")) == (3, 5)
        assert ApiKey.objects.count() == MAX_LIVE_KEYS


class TestAKeyThatCreatesKeys:
    def test_it_may(self, bearing, key):
        assert create(bearing(key.text), expires_in_days=5).status_code == 201

    @pytest.mark.parametrize("by_token", [False, True])
    def test_none_outlives_it(self, bearing, api, alice, by_token):
        soon = timezone.now() + timedelta(days=2)
        text = create_key(owner=alice, name="short", expires_at=soon).text
        if by_token:
            text = api.post("/auth/token", {"api_key": text}).json()["access_token"]
        client = bearing(text)
        for fields in ({}, {"expires_at": None}, {"expires_in_days": 3}):
            answer = create(client, **fields)
            assert (answer.status_code, answer.json()["code"]) == (400, "expiry_too_late")
        assert ApiKey.objects.count() == 1
        assert create(client, expires_in_days=1).status_code == 201
        assert create(client, expires_at=soon.isoformat()).status_code == 201

    def test_a_login_is_not_bound_by_it(self, as_alice, alice):
        create_key(owner=alice, name="short", expires_at=timezone.now() + timedelta(days=2))
        assert create(as_alice).status_code == 201


class TestListing:
    def test_pages_show_each_of_ones_own_once_the_newest_first(self, as_alice, alice, charlie):
        fill(charlie, 2)
        fill(alice, 5)
        seen, page = [], as_alice.get("/me/keys?page_size=2").json()
        while True:
            seen += [row["id"] for row in page["results"]]
            if not page["next"]:
                break
            page = as_alice.get(page["next"]).json()
        assert seen == sorted(ApiKey.objects.filter(owner=alice).values_list("pk", flat=True), reverse=True)

    @pytest.mark.parametrize("cursor", ["x", "cD1hYmM=", "cD0tNQ==", "bz0tMQ==", "cD3CsjI=", "cD3ZoQ=="])
    def test_a_cursor_that_is_none_is_400(self, as_alice, key, cursor):
        answer = as_alice.get(f"/me/keys?cursor={cursor}")
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid_cursor")

    def test_a_cursor_beyond_every_id_is_harmless(self, as_alice, key):
        assert as_alice.get("/me/keys?cursor=cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk=").status_code == 200

    def test_revoked_ones_stay_in_the_list(self, as_alice, key):
        revoke_key(key=key.key)
        assert as_alice.get("/me/keys").json()["results"][0]["revoked_at"]


class TestRevoking:
    def test_it_ends_at_once_and_the_row_stays(self, as_alice, bearing, key):
        answer = as_alice.delete(f"/me/keys/{key.key.pk}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert bearing(key.text).get("/me/usage").json()["code"] == "api_key_revoked"
        assert ApiKey.objects.get().revoked_at

    def test_a_second_time_changes_nothing(self, as_alice, key):
        as_alice.delete(f"/me/keys/{key.key.pk}")
        first = ApiKey.objects.get().revoked_at
        assert as_alice.delete(f"/me/keys/{key.key.pk}").status_code == 204
        assert ApiKey.objects.get().revoked_at == first

    @pytest.mark.parametrize("which", ["somebody else's", "none", "beyond every id"])
    def test_what_is_not_yours_is_not_there(self, as_charlie, key, which):
        key_id = {"somebody else's": key.key.pk, "none": 999_999, "beyond every id": 9**40}[which]
        answer = as_charlie.delete(f"/me/keys/{key_id}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert ApiKey.objects.get().revoked_at is None

    def test_a_key_can_revoke_itself(self, bearing, key):
        client = bearing(key.text)
        assert client.delete(f"/me/keys/{key.key.pk}").status_code == 204
        assert client.get("/me/usage").status_code == 401

    @pytest.mark.django_db(transaction=True)
    def test_of_racing_requests_one_moment_counts_and_no_use_undoes_it(self, bearing, key):
        def revoke(_):
            try:
                return revoke_key(key=ApiKey.objects.get()).revoked_at
            finally:
                connection.close()

        def use(_):
            try:
                ApiKey.objects.update(last_used_at=None)  # so that each use has something to write
                return bearing(key.text).get("/me/usage").status_code
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            uses = [pool.submit(use, n) for n in range(12)]
            moments = set(pool.map(revoke, range(6)))
            uses += [pool.submit(use, n) for n in range(6)]
            codes = [done.result() for done in uses]
        assert moments == {ApiKey.objects.get().revoked_at}
        assert codes[-6:] == [401] * 6
        assert set(codes) <= {200, 401}

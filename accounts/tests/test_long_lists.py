"""Lists of any length: nothing is counted, pages lead there and back, and nothing is asked per row."""

import pytest

from accounts import quota
from accounts.models import LedgerEntry, User

pytestmark = pytest.mark.django_db

USERS = "/admin/accounts/user/"
LEDGER = "/admin/accounts/ledgerentry/"


@pytest.fixture
def many(db):
    users = [User.objects.create_user(f"user{number}@example.org") for number in range(60)]
    for user in users:
        quota.grant(user=user, duration_ms=1_000)
    return users


@pytest.mark.parametrize("path", [USERS, LEDGER])
def test_nothing_is_counted_and_nothing_asked_per_row(admin_client, alice, many, path, django_assert_num_queries):
    with django_assert_num_queries(4) as captured:  # session, person, ids, rows
        page = admin_client.get(path)
    assert len(page.context["cl"].result_list) == 50
    assert not [query["sql"] for query in captured if "COUNT(" in query["sql"]]


@pytest.mark.parametrize("path", [USERS, LEDGER])
def test_paging_there_and_back_shows_each_row_once(admin_client, many, path):
    first = admin_client.get(path).context["cl"]
    second = admin_client.get(path + first.older_page).context["cl"]
    back = admin_client.get(path + second.newer_page).context["cl"]
    ids = [row.pk for row in (*first.result_list, *second.result_list)]
    assert ids == sorted(set(ids), reverse=True)
    model = User if path == USERS else LedgerEntry
    assert len(ids) == model.objects.count()
    assert not second.older_page
    assert [row.pk for row in back.result_list] == ids[:50]


@pytest.mark.parametrize("page", ["2", "before-", "before-x", "sideways-3", "before--1"])
def test_a_page_that_does_not_exist_leads_to_the_first(admin_client, page):
    assert admin_client.get(f"{USERS}?p={page}")["Location"] == f"{USERS}?e=1"


def test_a_cursor_beyond_every_id_is_harmless(admin_client, alice):
    assert admin_client.get(f"{USERS}?p=before-{9**40}").status_code == 200
    assert admin_client.get(f"{USERS}?p=after-{9**40}").status_code == 200


def test_another_order_cannot_be_asked_for(admin_client, many):
    ids = [row.pk for row in admin_client.get(f"{USERS}?o=1").context["cl"].result_list]
    assert ids == sorted(ids, reverse=True)


def test_users_are_found_by_a_part_of_the_address(admin_client, many):
    page = admin_client.get(f"{USERS}?q=USER59")
    assert [user.email for user in page.context["cl"].result_list] == ["user59@example.org"]

"""How many passwords somebody may try, whatever door they try them at."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import aauthenticate
from django.db import connection
from django.utils import timezone

from accounts.errors import TooManyAttempts
from accounts.login_limits import count_attempt, delete_ended_windows
from accounts.models import LoginWindow
from conftest import PASSWORD

pytestmark = pytest.mark.django_db

DOORS = ["/auth/login", "/admin/login/", "/api-auth/login/"]


def let_windows_end(**which: str):
    LoginWindow.objects.filter(**which).update(ends_at=timezone.now() - timezone.timedelta(seconds=1))


def refused(answer) -> bool:
    if answer.status_code == 429:
        assert answer.json()["code"] == "too_many_attempts"
        return True
    assert answer.status_code in {200, 302, 401}
    return answer.status_code == 200 and "Too many failed attempts" in answer.text


class TestAnAccount:
    @pytest.mark.parametrize("email", ["alice@example.org", "nobody@example.org"])
    def test_it_takes_ten_wrong_passwords_and_refuses_the_eleventh(self, knock, hasher, alice, email):
        hasher.runs = 0
        assert [knock(email=email).status_code for _ in range(12)] == [401] * 10 + [429] * 2
        assert hasher.runs == 10

    def test_the_refusal_says_how_long_to_wait(self, knock, alice):
        answer = [knock() for _ in range(11)][-1]
        seconds = answer.json()["retry_after_seconds"]
        assert 880 <= seconds <= 900
        assert answer.headers["Retry-After"] == str(seconds)
        assert answer.json()["detail"] == "Too many failed attempts to log in. Wait 15 minutes, then try again."

    @pytest.mark.parametrize("door", DOORS)
    def test_the_right_password_is_refused_like_a_wrong_one(self, knock, admin_user, door):
        for _ in range(10):
            assert not refused(knock(door, email=admin_user.email))
        last_login = admin_user.last_login
        wrong, right = knock(door, admin_user.email), knock(door, admin_user.email, "password")
        assert refused(wrong)
        assert refused(right)
        if door == "/auth/login":
            assert wrong.json()["detail"] == right.json()["detail"]
        admin_user.refresh_from_db()
        assert admin_user.last_login == last_login
        assert "sessionid" not in right.cookies

    def test_all_doors_and_spellings_count_together(self, knock, alice):
        spellings = ["alice@example.org", " Alice@EXAMPLE.org", "ALICE@example.org "]
        answers = [knock(DOORS[number % 3], spellings[number // 3 % 3]) for number in range(14)]
        assert [refused(answer) for answer in answers] == [False] * 10 + [True] * 4

    def test_a_success_starts_it_afresh(self, knock, alice):
        for _ in range(3):
            assert {knock().status_code for _ in range(9)} == {401}
            assert knock(password=PASSWORD).status_code == 200

    def test_it_opens_again_when_the_window_is_over(self, knock, alice):
        assert [knock().status_code for _ in range(11)][-1] == 429
        let_windows_end()
        assert knock(password=PASSWORD).status_code == 200

    def test_refusals_do_not_make_the_wait_longer(self, knock, alice):
        waits = [knock().json().get("retry_after_seconds", 900) for _ in range(14)]
        assert waits == sorted(waits, reverse=True)

    def test_another_account_is_not_concerned(self, knock, alice, charlie):
        assert [knock().status_code for _ in range(11)][-1] == 429
        assert knock(email="charlie@example.org", password=PASSWORD).status_code == 200

    def test_a_limit_of_zero_is_none(self, knock, alice, settings):
        settings.LOGIN_ATTEMPTS_PER_ACCOUNT = settings.LOGIN_ATTEMPTS_PER_ADDRESS = 0
        assert {knock().status_code for _ in range(15)} == {401}
        assert not LoginWindow.objects.exists()

    @pytest.mark.parametrize("email", ["x" * 254, "\u202ealice@example.org", "ALİCE@example.org", "' OR 1=1 --"])
    def test_odd_names_are_counted_like_others(self, knock, db, email):
        assert [knock(email=email).status_code for _ in range(11)] == [401] * 10 + [429]


def test_asynchronous_code_passes_the_same_count(db, hasher, rf, settings):
    settings.LOGIN_ATTEMPTS_PER_ACCOUNT = 2
    log_in = async_to_sync(aauthenticate)
    for _ in range(2):
        assert log_in(rf.post("/"), username="alice@example.org", password="wrong") is None
    with pytest.raises(TooManyAttempts):
        log_in(rf.post("/"), username="alice@example.org", password="wrong")
    assert hasher.runs == 2


class TestAnAddress:
    @pytest.fixture
    def guess(self, knock):
        """Tries passwords, each for another account."""
        emails = (f"somebody{number}@example.org" for number in count())
        return lambda times, **where: [knock(email=next(emails), **where).status_code for _ in range(times)]

    def test_it_has_fifty_wrong_passwords_at_all_accounts_together(self, guess, knock, hasher, alice):
        hasher.runs = 0
        assert guess(52) == [401] * 50 + [429] * 2
        assert hasher.runs == 50
        assert knock(password=PASSWORD).status_code == 429
        assert knock(password=PASSWORD, address="192.0.2.2").status_code == 200

    def test_a_refused_address_does_not_lock_accounts(self, guess, knock, alice, settings):
        settings.LOGIN_ATTEMPTS_PER_ADDRESS = 2
        guess(2)
        assert {knock().status_code for _ in range(12)} == {429}
        assert knock(password=PASSWORD, address="192.0.2.2").status_code == 200

    def test_a_locked_account_does_not_lock_its_users_address(self, knock, alice, charlie, settings):
        settings.LOGIN_ATTEMPTS_PER_ADDRESS = 12
        assert [knock().status_code for _ in range(30)].count(429) == 20
        assert knock(email="charlie@example.org", password=PASSWORD).status_code == 200

    def test_an_account_of_ones_own_pays_for_no_guesses(self, guess, knock, alice, charlie, settings):
        settings.LOGIN_ATTEMPTS_PER_ADDRESS = 5
        for _ in range(5):
            assert guess(1) == [401]
            if LoginWindow.objects.get(key="address:192.0.2.1").attempts < 5:
                assert knock(email="charlie@example.org", password=PASSWORD).status_code == 200
        assert guess(1) == [429]

    def test_a_whole_ipv6_network_is_one_address(self, guess, db, settings):
        settings.LOGIN_ATTEMPTS_PER_ADDRESS = 5
        near = [guess(1, address=f"2001:db8:0:1:{n:x}::7")[0] for n in range(1, 8)]
        assert near == [401] * 5 + [429] * 2
        assert guess(1, address="2001:db8:0:2::7") == [401]

    def test_an_ipv4_address_inside_ipv6_is_itself(self, guess, db, settings):
        settings.LOGIN_ATTEMPTS_PER_ADDRESS = 1
        assert guess(1, address="::ffff:192.0.2.7") == [401]
        assert guess(1, address="192.0.2.7") == [429]
        assert guess(1, address="::ffff:192.0.2.8") == [401]


class TestForwardedFor:
    @pytest.mark.parametrize(
        ("proxies", "header"),
        [
            (0, "10.0.0.{n}"),
            (0, "10.0.0.{n}, 198.51.100.9"),
            (1, "10.0.0.{n}, 198.51.100.9"),
            (1, "garbage{n}, 198.51.100.9:4{n}"),
            (1, "garbage{n}"),
            (1, "10.0.0.{n}, "),
            (2, "10.0.0.{n}, 198.51.100.9, 198.51.100.10"),
        ],
    )
    def test_rotating_it_does_not_help(self, knock, db, settings, proxies, header):
        settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": proxies}
        settings.LOGIN_ATTEMPTS_PER_ADDRESS = 5
        codes = [knock(email=f"n{n}@example.org", forwarded=header.format(n=n)).status_code for n in range(10, 18)]
        assert codes == [401] * 5 + [429] * 3

    def test_clients_of_our_proxy_are_told_apart(self, knock, db, settings):
        settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
        settings.LOGIN_ATTEMPTS_PER_ADDRESS = 1
        headers = ["203.0.113.1", "203.0.113.2:5000", "[2001:db8::1]:5000", "2001:db8:1::1", "fe80::1%eth0"]
        codes = [
            knock(email=f"{n}@example.org", forwarded=f"6.6.6.6, {address}").status_code
            for n, address in enumerate(headers)
        ]
        assert codes == [401] * len(headers)

    @pytest.mark.parametrize("proxies", [0, 1, 3])
    @pytest.mark.parametrize(
        "header", ["", ",", ",,,,", "\x00", "::::", "[", "[]:", "1.2.3.4.5", "é" * 300, "%" * 9000]
    )
    def test_garbage_is_no_fault_of_ours(self, knock, alice, settings, proxies, header):
        settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": proxies}
        assert knock(forwarded=header).status_code == 401

    def test_who_has_no_address_is_counted_all_the_same(self, knock, db, settings):
        settings.LOGIN_ATTEMPTS_PER_ADDRESS = 2
        codes = [knock(email=f"{n}@example.org", address="").status_code for n in range(3)]
        assert codes == [401, 401, 429]


class TestForgetting:
    def test_it_deletes_what_is_over_and_nothing_else(self, db):
        for number in range(3):
            count_attempt(email=f"{number}@example.org", address="192.0.2.1")
        let_windows_end(key__startswith="account")
        assert delete_ended_windows(at_most=2) == 2
        assert delete_ended_windows() == 1
        assert delete_ended_windows() == 0
        assert [row.key for row in LoginWindow.objects.all()] == ["address:192.0.2.1"]

    def test_names_are_not_kept(self, db):
        count_attempt(email="my-password-by-mistake", address="192.0.2.1")
        assert "my-password" not in str(LoginWindow.objects.values_list())


@pytest.mark.django_db(transaction=True)
def test_of_two_hundred_guesses_at_once_ten_pass():
    def guess(number: int) -> bool:
        try:
            count_attempt(email="alice@example.org", address=f"10.0.0.{number}")
        except TooManyAttempts:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(32) as threads:
        passed = list(threads.map(guess, range(200)))
    print(f"\n200 guesses in 32 threads on {connection.vendor}: {sum(passed)} passed")
    assert sum(passed) == 10
    assert LoginWindow.objects.filter(key__startswith="address").count() == 10

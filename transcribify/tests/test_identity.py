"""Nobody is in who should not be: tokens and logins against a live service, over real HTTP (test T23)."""

import base64
import hashlib
import hmac
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from conftest import PASSWORD
from transcribify.tests.live_service import LiveService

SECRET_KEY = "a-key-of-a-live-service-that-nobody-else-uses-0123456789"
HTTP = httpx2.Client(timeout=60, limits=httpx2.Limits(max_keepalive_connections=0))
"""One for all, which keeps no connection: to make one takes longer than a request."""

NEW_PASSWORD = "a new and better password"


@pytest.fixture(scope="module")
def webs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[LiveService]]:
    """Two web processes on one database, as ``./run serve`` starts them; no worker is needed, and no Redis is there."""
    folder = tmp_path_factory.mktemp("identity")
    # uvicorn is not to put X-Forwarded-For in the client's place: that is decided by NUM_PROXIES.
    variables = {"SECRET_KEY": SECRET_KEY, "FORWARDED_ALLOW_IPS": "", "LOGIN_ATTEMPTS_PER_ADDRESS": "20"}
    started = [LiveService(folder, **variables) for _ in range(2)]
    try:
        started[0].migrate()
        for web in started:
            web.start_web()
        yield started
    finally:
        for web in started:
            web.stop()


@pytest.fixture(scope="module")
def web(webs: list[LiveService]) -> LiveService:
    return webs[0]


@pytest.fixture(scope="module")
def web_behind_proxy(webs: list[LiveService]) -> Iterator[LiveService]:
    """A web process that is told of one proxy in front of it."""
    started = LiveService(
        webs[0].folder, SECRET_KEY=SECRET_KEY, FORWARDED_ALLOW_IPS="", NUM_PROXIES="1", LOGIN_ATTEMPTS_PER_ADDRESS="3"
    )
    try:
        started.start_web()
        yield started
    finally:
        started.stop()


def new_pair(web: LiveService, email: str) -> dict[str, str]:
    """The tokens of a user who has just registered."""
    person = {"email": email, "password": PASSWORD}
    assert HTTP.post(f"{web.url}/auth/register", json=person).status_code == 201
    return HTTP.post(f"{web.url}/auth/login", json=person).json()


def use(web: LiveService, token: str) -> int:
    return HTTP.get(f"{web.url}/me/usage", headers={"Authorization": f"Bearer {token}"}).status_code


def refresh(web: LiveService, token: str) -> httpx2.Response:
    return HTTP.post(f"{web.url}/auth/refresh", json={"refresh_token": token})


def segment(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def opened(token: str) -> dict[str, Any]:
    """The claims of a token."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def forged(claims: dict[str, Any], *, algorithm: str = "HS256", key: str = SECRET_KEY) -> str:
    """A token made by hand, signed by HMAC with ``key`` whatever the algorithm it names."""
    head = segment(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
    body = f"{head}.{segment(json.dumps(claims).encode())}"
    return f"{body}.{segment(hmac.new(key.encode(), body.encode(), hashlib.sha256).digest()) if key else ''}"


def with_payload(token: str, **claims: Any) -> str:
    """A true token with other claims under its true signature."""
    head, _, signature = token.split(".")
    return f"{head}.{segment(json.dumps({**opened(token), **claims}).encode())}.{signature}"


def test_one_of_twelve_parallel_refreshes_wins(webs: list[LiveService]) -> None:
    token = new_pair(webs[0], "twelve@example.org")["refresh_token"]
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda number: refresh(webs[number % 2], token), range(12)))
    codes = Counter(answer.status_code for answer in answers)
    print(f"\n12 parallel refreshes of one token at two web processes: {dict(codes)}")
    assert codes == {200: 1, 401: 11}
    winner = next(answer.json() for answer in answers if answer.status_code == 200)
    assert use(webs[0], winner["access_token"]) == 200


def test_a_rotated_refresh_token_is_worth_nothing(web: LiveService) -> None:
    first = new_pair(web, "rotate@example.org")
    second = refresh(web, first["refresh_token"])
    assert second.status_code == 200
    again = refresh(web, first["refresh_token"])
    assert (again.status_code, again.json()["code"]) == (401, "token_not_valid")


def test_what_happens_to_a_user_happens_to_its_tokens(web: LiveService) -> None:
    names = ["password", "deleted", "inactive", "untouched"]
    pairs = {name: new_pair(web, f"{name}@example.org") for name in names}
    assert {use(web, pair["access_token"]) for pair in pairs.values()} == {200}
    web.manage(
        "shell", "-v0", "-c",
        "from accounts.models import User\n"
        "from jobs.admin.owner import delete_owner\n"
        f"user = User.objects.get(email='password@example.org'); user.set_password('{NEW_PASSWORD}'); user.save()\n"
        "delete_owner(owner=User.objects.get(email='deleted@example.org'))\n"
        "User.objects.filter(email='inactive@example.org').update(is_active=False)",
    )  # fmt: skip
    found = {
        name: (use(web, pair["access_token"]), refresh(web, pair["refresh_token"]).status_code)
        for name, pair in pairs.items()
    }
    print(f"\naccess and refresh token after a change of the user: {found}")
    assert found == dict.fromkeys(names[:-1], (401, 401)) | {"untouched": (200, 200)}


FORGERIES: dict[str, Callable[[dict[str, Any], str], str]] = {
    "alg none, no signature": lambda claims, token: forged(claims, algorithm="none", key=""),
    "alg None, the true signature": lambda claims, token: forged(claims, algorithm="None"),
    "HS256 with another key": lambda claims, token: forged(claims, key="another key that is at least thirty-two long"),
    "HS256 with an empty key": lambda claims, token: forged(claims, key="") + segment(b"x"),
    "RS256 named, HMAC with our key": lambda claims, token: forged(claims, algorithm="RS256"),
    "HS512 named, HMAC-SHA256 with our key": lambda claims, token: forged(claims, algorithm="HS512"),
    "another user's id under the true signature": lambda claims, token: with_payload(token, user_id="1"),
    "a longer life under the true signature": lambda claims, token: with_payload(token, exp=claims["exp"] + 9999),
    "expired": lambda claims, token: forged({**claims, "exp": int(time.time()) - 1}),
    "without an end": lambda claims, token: forged({key: claims[key] for key in claims if key != "exp"}),
    "without a user": lambda claims, token: forged({key: claims[key] for key in claims if key != "user_id"}),
    "a user id that is no number": lambda claims, token: forged({**claims, "user_id": "' OR 1=1"}),
    "a user id beyond any integer": lambda claims, token: forged({**claims, "user_id": "9" * 40}),
    "a user id of NUL": lambda claims, token: forged({**claims, "user_id": "\0"}),
    "a list for a user id": lambda claims, token: forged({**claims, "user_id": [1, 2]}),
    "a password mark that is none": lambda claims, token: forged({**claims, "hash_password": None}),
    "of a type that is not there": lambda claims, token: forged({**claims, "token_type": "sliding"}),
    "cut short": lambda claims, token: token[:-1],
    "not a token": lambda claims, token: "a.b.c",
}


def test_no_forged_token_opens_anything(web: LiveService) -> None:
    pair = new_pair(web, "forged@example.org")
    access, renewal = pair["access_token"], pair["refresh_token"]
    # What is made here by hand is taken when it is right: so the rest is refused for what is wrong with it.
    assert use(web, forged(opened(access))) == 200
    found = {name: use(web, make(opened(access), access)) for name, make in FORGERIES.items()}
    at_refresh = {name: refresh(web, make(opened(renewal), renewal)).status_code for name, make in FORGERIES.items()}
    found["a refresh token for an access token"] = use(web, renewal)
    at_refresh["an access token for a refresh token"] = refresh(web, access).status_code
    print(f"\n{len(found)} forged access tokens: {Counter(found.values())}; refresh: {Counter(at_refresh.values())}")
    assert {name: code for name, code in found.items() if code != 401} == {}
    assert {name: code for name, code in at_refresh.items() if code != 401} == {}
    assert refresh(web, renewal).status_code == 200


def test_of_two_hundred_logins_from_everywhere_ten_are_evaluated(webs: list[LiveService]) -> None:
    new_pair(webs[0], "target@example.org")

    def guess(number: int) -> httpx2.Response:
        headers = {"X-Forwarded-For": f"10.{number // 250}.{number % 250}.{number % 7}, 172.16.0.{number}"}
        body = {"email": "Target@example.org", "password": f"guess {number}"}
        return HTTP.post(f"{webs[number % 2].url}/auth/login", json=body, headers=headers)

    with ThreadPoolExecutor(16) as threads:
        at_once = list(threads.map(guess, range(100)))
    in_turn = [guess(number) for number in range(100, 200)]
    codes = Counter(answer.status_code for answer in at_once + in_turn)
    print(f"\n200 logins, X-Forwarded-For rotating, half of them in 16 threads, two web processes: {dict(codes)}")
    assert codes == {401: 10, 429: 190}
    assert all(int(answer.headers["Retry-After"]) <= 900 for answer in in_turn)
    right = {"email": "target@example.org", "password": PASSWORD}
    refused = HTTP.post(f"{webs[0].url}/auth/login", json=right)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")


def test_a_rotating_header_does_not_hide_an_address(webs: list[LiveService]) -> None:
    """One guess at each of many accounts: what remains of the address's twenty, and no more."""

    def guess(number: int) -> int:
        body = {"email": f"account{number}@example.org", "password": "Password1"}
        headers = {"X-Forwarded-For": f"10.1.1.{number}"}
        return HTTP.post(f"{webs[number % 2].url}/auth/login", json=body, headers=headers).status_code

    with ThreadPoolExecutor(16) as threads:
        codes = Counter(threads.map(guess, range(40)))
    print(f"\n40 accounts tried from one address: {dict(codes)}")
    assert set(codes) == {401, 429}
    assert codes[401] <= 20


@pytest.mark.parametrize(
    ("client", "lie"),
    [
        ("198.51.100.1", ("X-Forwarded-For", "10.1.1.{number}, 198.51.100.1")),
        ("198.51.100.2", ("X_Forwarded_For", "10.1.1.{number}")),
        ("198.51.100.3", ("x-forwarded_FOR", "10.1.1.{number}")),
    ],
)
def test_a_proxys_client_cannot_say_who_it_is(web_behind_proxy: LiveService, client: str, lie: tuple[str, str]) -> None:
    """Entries of its own before the proxy's, and headers that WSGI takes for the same."""
    codes = []
    for number in range(5):
        headers = [("X-Forwarded-For", client), (lie[0], lie[1].format(number=number))]
        body = {"email": f"proxied{number}{client}@example.org", "password": "Password1"}
        answer = HTTP.post(f"{web_behind_proxy.url}/auth/login", json=body, headers=headers)
        codes.append(answer.status_code)
    print(f"\n{lie[0]} rotating behind a proxy, 3 allowed: {codes}")
    assert codes == [401] * 3 + [429] * 2

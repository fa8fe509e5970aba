"""Every address of the service, asked for with every method by everybody who has no business there.

The addresses come from the URL resolver: a new one is walked without being named here. One that is open to the public
is named in ``PUBLIC``, one that shows all users the same in ``COMMON``, and a new kind of thing in an address is taught
to ``World``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, path, resolve
from django.utils.regex_helper import normalize

from accounts import quota
from accounts.keys import create_key
from accounts.models import User
from accounts.tokens import issue_pair
from jobs import files
from jobs.models import Job, JobEvent, Status, TranscriptPart, WorkerSlot
from reports.models import Report

pytestmark = pytest.mark.django_db

METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"]
PUBLIC = {
    "": "leads to /jobs",
    "admin": "leads to /admin/",
    "auth/register": "for who has no account yet",
    "auth/login": "for who has no token yet",
    "auth/refresh": "the token is in the body",
    "auth/token": "the key is in the body",
    "api-auth/login/": "a login",
    "api-auth/logout/": "ends the caller's own session",
    "admin/login/": "a login",
    "admin/logout/": "ends the caller's own session",
    "schema": "describes the API",
    "docs": "shows that description",
    "healthz": "for supervisors",
    "readyz": "for supervisors",
}
LEADING_NOWHERE = {"admin/r/<path:content_type_id>/<path:object_id>/", "admin/(?P<url>.*)$"}
"""The admin's own addresses that show no object to anybody, superusers included."""

COMMON = {"v1/models/<path:model_id>": "the installation's models: no user's, and shown to whoever is logged in"}

SECRETS = ["alice", "turnips", "5ec2e7"]
"""In her name, file name, transcript and report, and in the ids that nobody can guess."""

LOGINS = ("/admin/login/?next=", "/api-auth/login/?next=")


@dataclass
class Door:
    """One URL pattern with its whole route."""

    route: str
    pattern: URLPattern
    parts: list[Any] = field(repr=False)

    @property
    def is_admin(self) -> bool:
        return self.route.startswith("admin/")

    @property
    def parameters(self) -> set[str]:
        return {name for part in self.parts for name in part.regex.groupindex}

    @property
    def view_class(self) -> Any:
        callback = self.pattern.callback
        return getattr(callback, "cls", None) or getattr(callback, "view_class", None)

    def takes(self, method: str) -> bool:
        name = "get" if method == "HEAD" else method.lower()
        return self.view_class is None or hasattr(self.view_class, name)

    def address(self, values: dict[str, Any]) -> str:
        pieces = [normalize(part.regex.pattern.replace(r"\Z", ""))[0][0] for part in self.parts]
        return "/" + "".join(pieces) % values


def doors(resolver: URLResolver, route: str = "", parts: tuple[Any, ...] = ()) -> Iterator[Door]:
    for entry in resolver.url_patterns:
        deeper = (*parts, entry.pattern)
        # As Django writes the whole route, so that resolve() can be asked whether it ends here.
        whole = (route + str(entry.pattern)).replace("/^", "/")
        if isinstance(entry, URLResolver):
            yield from doors(entry, whole, deeper)
        else:
            yield Door(whole, entry, list(deeper))


class World:
    """Alice with a finished recording, and everybody else who will knock."""

    def __init__(self, client: Client, alice: User, charlie: User) -> None:
        self.alice, self.charlie = alice, charlie
        self.clerk = User.objects.create_user("clerk@example.org", "x", is_staff=True)
        self.chief = User.objects.create_superuser("chief@example.org", "x")
        self.key = create_key(owner=alice, name="for alice's turnips").key
        self.job = self._job()
        self.client = client
        Group.objects.create(name="clerks")
        WorkerSlot.objects.create(name="here:1:2", queues="speech")
        self.bearer = f"Bearer {issue_pair(user=charlie).access_token}"
        self.alices_bearer = f"Bearer {issue_pair(user=alice).access_token}"

    def _job(self) -> Job:
        job = Job.objects.create(
            owner=self.alice, filename="alice-about-turnips.mp3", uid="5ec2e7aa-0000-4000-8000-000000000000",
            status=Status.DONE, stage=None, duration_ms=1000, language="en",
        )  # fmt: skip
        job.source_key = default_storage.save(files.source_key(job.uid), ContentFile(b"turnips"))
        job.save()
        quota.reserve(account_id=self.alice.pk, job_id=job.pk, run=1, duration_ms=1000)
        quota.settle(account_id=self.alice.pk, job_id=job.pk, run=1, duration_ms=1000)
        segment = {"id": 0, "start": 0.0, "end": 1.0, "text": "Seven turnips."}
        TranscriptPart.objects.create(job=job, position=0, text="Seven turnips.", segments=[segment])
        Report.objects.create(job=job, summary="About turnips.", sentiment="neutral", writer="extractive")
        JobEvent.objects.create(job=job, kind="completed")
        return job

    def address(self, door: Door) -> str:
        return door.address({name: self._value(door, name) for name in door.parameters})

    def _value(self, door: Door, name: str) -> Any:
        """Which of alice's things a part of an address names."""
        parts = door.route.split("/")
        if door.is_admin and name in {"object_id", "id"} and parts[1] in apps.app_configs:
            model = apps.get_model(parts[1], parts[2])
            row = self.alice if model is User else model._default_manager.first()
            assert row, f"Give the world a {model.__name__}, for {door.route}"
            return row.pk
        known = {
            "job_id": self.job.pk,
            "format_name": "srt",
            "key_id": self.key.pk,
            "app_label": "jobs",
            "url": "nothing/here",
            "content_type_id": ContentType.objects.get_for_model(Job).pk,
            "object_id": self.job.pk,
            "model_id": "whisper-1",
        }
        assert name in known, f"Teach the world which of alice's things <{name}> is, for {door.route}"
        return known[name]

    def rows(self) -> dict[str, Any]:
        """All that a denied request must leave as it was. The walk's own logins move ``last_login`` and sessions."""
        models = [model for model in apps.get_models() if model._meta.label != "sessions.Session"]
        found: dict[str, Any] = {
            model._meta.label: list(model._base_manager.order_by("pk").values()) for model in models
        }
        for user in found["accounts.User"]:
            del user["last_login"]
        found["recording"] = default_storage.exists(self.job.source_key)
        return found

    def ask(self, who: str, method: str, address: str) -> HttpResponse:
        headers = {"bearer": {"Authorization": self.bearer}, "alice": {"Authorization": self.alices_bearer}}
        client = self.client
        client.cookies.clear()
        people = {"session": self.charlie, "clerk": self.clerk, "chief": self.chief}
        if who in people:
            client.force_login(people[who])
        # Agrees to whatever a page may ask back.
        body = {"post": "yes"} if method == "POST" else '{"post": "yes"}'
        sent = {} if method in {"GET", "HEAD", "TRACE"} else {"data": body}
        if method not in {"GET", "HEAD", "POST", "TRACE"}:
            sent["content_type"] = "application/json"
        return getattr(client, method.lower())(address, headers=headers.get(who, {}), **sent)


@pytest.fixture(scope="module")
def visitor() -> Client:
    """One for all: a new one would read the list of static files again."""
    return Client(raise_request_exception=False)


@pytest.fixture
def world(visitor: Client, alice: User, charlie: User) -> Iterator[World]:
    made = World(visitor, alice, charlie)
    yield made
    default_storage.delete(made.job.source_key)


def complaints(door: Door, world: World) -> list[str]:
    """What is wrong with a door; empty when it keeps everybody out who should not be in."""
    address = world.address(door)
    assert resolve(address).func is door.pattern.callback, f"{address} does not lead to {door.route}"
    before = world.rows()
    found = []
    for who in ["nobody", "session", "clerk" if door.is_admin else "bearer"]:
        for method in METHODS:
            answer = world.ask(who, method, address)
            where = f"{method} {address} as {who}: {answer.status_code} {answer.headers.get('Location', '')}"
            if not _is_refusal_enough(door, who, method, answer):
                found.append(where)
            content = b"".join(answer) if answer.streaming else answer.content
            text = (content.decode(errors="replace") + str(answer.headers)).lower()
            found += [f"{where} tells {secret}" for secret in SECRETS if secret in text]
    if world.rows() != before:
        found.append(f"{address} changed something")
    return found


def _is_refusal_enough(door: Door, who: str, method: str, answer: HttpResponse) -> bool:
    code = answer.status_code
    to_login = code == 302 and answer["Location"].startswith(LOGINS)
    if door.route in PUBLIC:
        return code < 500 or (code == 503 and door.route == "readyz")
    if who == "nobody":
        return code in {401, 403} or to_login
    if who == "session" and door.is_admin:
        return code == 403 or to_login
    if not door.parameters or door.route in COMMON:
        return code < 500
    if door.is_admin:
        # A clerk without a permission; the redirect leads from an object's short address to its page.
        return code in {302, 403, 404, 405}
    return code == 404 or (code == 405 and not door.takes(method)) or (code == 200 and method == "OPTIONS")


DOORS = list(doors(get_resolver()))


@pytest.mark.parametrize("door", DOORS, ids=[door.route or "/" for door in DOORS])
def test_nobody_gets_at_what_is_alices(world, door):
    assert complaints(door, world) == []


@pytest.mark.parametrize(
    "door",
    [door for door in DOORS if door.parameters and door.route not in LEADING_NOWHERE],
    ids=lambda door: door.route,
)
def test_the_walk_knocks_where_something_is(world, door):
    """The owner, or a superuser in the admin, does get there: else the denials above would prove nothing."""
    who = "chief" if door.is_admin else "alice"
    for method in ["GET"] if door.is_admin else [method for method in METHODS if door.takes(method)]:
        with transaction.atomic():
            answer = world.ask(who, method, world.address(door))
            answer.getvalue()  # a file is open until it is read
            transaction.set_rollback(True)
        assert answer.status_code not in {401, 404}, (method, door.route)


def test_no_public_door_is_listed_that_is_gone():
    assert set(PUBLIC) | set(COMMON) | LEADING_NOWHERE <= {door.route for door in DOORS}


def test_it_walks_more_than_the_api():
    print(f"\n{len(DOORS)} addresses, {len(METHODS)} methods, 3 callers each: {len(DOORS) * len(METHODS) * 3} requests")
    assert {"jobs/<int:job_id>", "admin/jobs/job/<path:object_id>/change/"} <= {door.route for door in DOORS}


def leaky(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    return HttpResponse(Job.objects.get(pk=kwargs["job_id"]).filename)


def careless(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    Job.objects.filter(pk=kwargs["job_id"]).update(progress=0.5)
    return HttpResponse(status=404)


urlpatterns = [
    path("leaky/<int:job_id>", leaky),
    path("careless/<int:job_id>", careless),
    path("unheard-of/<int:thing_id>", leaky),
]


@pytest.mark.urls(__name__)
def test_it_would_find_a_door_that_somebody_left_open(world):
    leaking, changing, unheard_of = doors(get_resolver(__name__))
    found = complaints(leaking, world)
    assert "GET /leaky/1 as nobody: 200 ".replace("1", str(world.job.pk)) in found
    assert any("tells turnips" in complaint for complaint in found)
    assert f"/careless/{world.job.pk} changed something" in complaints(changing, world)
    with pytest.raises(AssertionError, match="thing_id"):
        complaints(unheard_of, world)

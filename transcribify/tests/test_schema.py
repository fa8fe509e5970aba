"""The description of the API says what there is: every operation, with examples, refusals and groups."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver

from transcribify.schema.text import TAGS, VERSION
from transcribify.tests.test_access_walk import PUBLIC, doors

Operation = dict[str, Any]

OUTSIDE = ("admin", "api-auth/", "schema", "docs", "healthz", "readyz", "")
"""Addresses that are pages, or for supervisors."""


def whole_schema() -> dict[str, Any]:
    answer = Client(SERVER_NAME="localhost").get("/schema", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert answer.status_code == 200
    return json.loads(answer.content)


SCHEMA = whole_schema()


def operations() -> Iterator[tuple[str, Operation]]:
    for path, methods in SCHEMA["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


each_operation = pytest.mark.parametrize(
    ("name", "operation"), list(operations()), ids=[name for name, _ in operations()]
)


def test_it_is_valid_and_nothing_was_guessed(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(tmp_path / "schema.yml"))


def test_every_address_of_the_api_is_in_it():
    routes = {door.route for door in doors(get_resolver()) if not door.route.startswith("admin/")}
    expected = {route for route in routes if route not in OUTSIDE and not route.startswith("api-auth/")}
    plain = {path.lstrip("/").replace("{", "<").replace("}", ">") for path in SCHEMA["paths"]}
    assert {_without_converters(route) for route in expected} == plain


def _without_converters(route: str) -> str:
    for converter in ("int:", "str:", "path:"):
        route = route.replace(f"<{converter}", "<")
    return route


def test_it_is_openapi_3_1_of_this_version():
    assert SCHEMA["openapi"].startswith("3.1")
    assert SCHEMA["info"]["version"] == VERSION
    assert [tag["name"] for tag in SCHEMA["tags"]] == list(TAGS)


@pytest.mark.parametrize(
    ("address", "headers", "content_type"),
    [
        ("/schema", {}, "application/vnd.oai.openapi"),
        ("/schema?format=json", {}, "application/vnd.oai.openapi+json"),
        ("/schema", {"Accept": "application/json"}, "application/json"),
    ],
)
def test_it_comes_as_yaml_or_as_json(address, headers, content_type):
    answer = Client().get(address, headers=headers)
    assert answer.headers["Content-Type"].split(";")[0] == content_type
    read = json.loads if "json" in content_type else yaml.safe_load
    assert read(answer.content)["info"]["title"] == "Transcribify"


@each_operation
def test_an_operation_says_what_it_does_and_belongs_to_a_group(name, operation):
    assert operation["description"], name
    assert 8 < len(operation["summary"]) < 110, operation["summary"]
    assert operation["tags"][0] in TAGS


@each_operation
def test_an_operation_has_examples_of_request_and_answer(name, operation):
    """What carries nothing, in or out, shows an example of what is in its address."""
    carried = [content for media_type, content in _contents(operation) if "image" not in media_type]
    shown = [part for part in [*carried, *operation.get("parameters", ())] if "examples" in part or "example" in part]
    assert shown, name
    assert all("examples" in content for _, content in _contents_of(operation.get("requestBody", {})))
    for status, answer in operation["responses"].items():
        found = [media_type for media_type, content in _contents_of(answer) if "examples" in content]
        if "application/json" in answer.get("content", {}):
            assert "application/json" in found, (name, status)


@each_operation
def test_an_operation_says_that_it_refuses_who_did_not_log_in(name, operation):
    if name == "POST /auth/register":
        assert "401" not in operation["responses"]
    else:
        assert "application/json" in operation["responses"]["401"]["content"]
        assert "WWW-Authenticate" in operation["responses"]["401"]["headers"]
    assert ("security" in operation and {} not in operation["security"]) == (name.split("/", 1)[1] not in PUBLIC)


@each_operation
def test_refusals_have_one_form_here_and_openais_form_there(name, operation):
    form = "OpenAIError" if " /v1/" in name else "Error"
    for status, answer in operation["responses"].items():
        if status >= "400":
            assert answer["content"]["application/json"]["schema"] == {"$ref": f"#/components/schemas/{form}"}
            assert answer["description"], (name, status)


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("POST /jobs", {"202", "400", "401", "406", "408", "413", "415", "422", "429", "503", "507"}),
        ("GET /jobs/{job_id}/audio", {"200", "206", "302", "304", "401", "404", "410", "416", "503"}),
        ("POST /jobs/{job_id}/retry", {"202", "401", "404", "406", "409", "429", "503", "507"}),
        ("POST /auth/login", {"200", "400", "401", "406", "408", "413", "415", "429", "503", "507"}),
    ],
)
def test_an_operation_is_refused_by_what_it_has(name, statuses):
    assert set(dict(operations())[name]["responses"]) == statuses


def test_an_upload_is_described_as_a_form_with_a_file():
    content = dict(operations())["POST /jobs"]["requestBody"]["content"]
    assert set(content) == {"multipart/form-data"}
    form = SCHEMA["components"]["schemas"][content["multipart/form-data"]["schema"]["$ref"].rsplit("/", 1)[1]]
    assert form["required"] == ["file"]
    assert form["properties"]["file"]["format"] == "binary"


def test_headers_are_described():
    jobs = dict(operations())["POST /jobs"]
    assert {"Location", "Idempotent-Replayed"} <= set(jobs["responses"]["202"]["headers"])
    assert "Idempotency-Key" in [parameter["name"] for parameter in jobs["parameters"]]
    call = dict(operations())["POST /v1/audio/transcriptions"]
    assert {"X-Request-Id", "x-transcribify-job-id"} <= set(call["responses"]["200"]["headers"])
    assert "Retry-After" in jobs["responses"]["503"]["headers"]
    assert "ETag" in dict(operations())["GET /jobs/{job_id}/transcript"]["responses"]["200"]["headers"]


def _contents(operation: Operation) -> list[tuple[str, dict[str, Any]]]:
    parts = [operation.get("requestBody", {}), *operation["responses"].values()]
    return [pair for part in parts for pair in _contents_of(part)]


def _contents_of(part: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return list(part.get("content", {}).items())

"""What schemathesis found, asked again by name: requests that make no sense are told so, and by the right status."""

import pytest


@pytest.mark.parametrize("address", ["/jobs", "/me/keys"])
@pytest.mark.parametrize("size", ["0", "-1", "x", "", "1.5", "null&page_size=null"])
def test_a_page_size_that_is_none_is_refused(as_alice, address, size):
    answer = as_alice.get(f"{address}?page_size={size}")
    assert answer.status_code == 400
    assert "page_size" in answer.json()["errors"]


@pytest.mark.parametrize("address", ["/jobs", "/me/keys"])
def test_a_page_has_as_many_as_are_asked_for(as_alice, address):
    for size in ("1", "007", "200"):
        assert as_alice.get(f"{address}?page_size={size}").status_code == 200


@pytest.mark.parametrize("address", ["/jobs", "/me/keys"])
def test_a_cursor_that_is_none_is_refused_and_not_unknown(as_alice, address):
    answer = as_alice.get(f"{address}?cursor=x")
    assert (answer.status_code, "cursor" in answer.json()["code"]) == (400, True)


@pytest.mark.parametrize("address", ["/jobs", "/me/keys", "/me/usage"])
def test_a_format_that_there_is_not_is_406(as_alice, address):
    assert as_alice.get(f"{address}?format=pdf").status_code == 406
    assert as_alice.get(f"{address}?format=json").status_code == 200


def test_an_empty_format_is_none(as_alice):
    assert as_alice.get("/me/usage?format=").status_code == 406


@pytest.mark.parametrize("address", ["/v1/audio/transcriptions", "/v1/audio/translations"])
def test_a_call_without_a_body_is_told_what_it_lacks(as_alice, address):
    answer = as_alice.post(address)
    assert answer.status_code == 400
    assert (answer.json()["error"]["type"], answer.json()["error"]["param"]) == ("invalid_request_error", "file")

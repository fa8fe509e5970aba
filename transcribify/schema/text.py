"""What the description says before it comes to the operations."""

VERSION = "0.1.0"
"""Of the API and of the service: the only place where it stands."""

DESCRIPTION = """\
Recordings in, transcripts and structured reports out.

**Authenticate** each request with `Authorization: Bearer …`, and either

- an API key: `POST /me/keys` shows a new one once (`tk_…`); it works until it expires or is revoked; or
- an access token: `POST /auth/login` trades e-mail address and password for one, `POST /auth/refresh` renews it.

On this page, press *Authorize* and paste the key or the token.

**Errors** have one form, `{"detail": "what to do", "code": "stable_name", …}`; under `/v1` they have OpenAI's. A method
that an address does not have is answered with 405, an address that does not exist with 404.

**Times** are seconds from the beginning of the recording; moments are UTC. Lists come in pages: follow `next`.
"""

TAGS = {
    "Accounts": "Who you are, your API keys, your budget.",
    "Jobs": "Hand in recordings, watch, cancel, retry and delete them.",
    "Results": "What came of a recording: transcript, report, and the recording itself.",
    "OpenAI": "OpenAI's audio endpoints, for any client of theirs. A call is an ordinary job that is waited for.",
}

_BEGINNINGS = {"/auth/": "Accounts", "/me/": "Accounts", "/v1/": "OpenAI"}
_RESULTS = ("/audio", "/report", "/transcript", "/transcript.{format_name}")


def tag_of(path: str) -> str:
    """The group in which an address is shown."""
    for beginning, tag in _BEGINNINGS.items():
        if path.startswith(beginning):
            return tag
    return "Results" if path.endswith(_RESULTS) else "Jobs"

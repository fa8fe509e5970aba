"""Who reads a recording slowly keeps a thread waiting, and that thread is none that others need."""

import asyncio
from typing import Any

from transcribify.shell import ANSWER_PARTS, Shell

PART = bytes(4096)


class EndlessRecording:
    """A WSGI application that answers ``/quick`` at once, and everything else for as long as it is read."""

    def __init__(self) -> None:
        self.parts_made = 0
        self.given_up = False

    def __call__(self, environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        if environ["PATH_INFO"] == "/quick":
            return [b"here"]
        return self._parts()

    def _parts(self) -> Any:
        while not self.given_up:
            self.parts_made += 1
            yield PART


async def ask(shell: Shell, path: str, send: Any) -> None:
    scope = {
        "type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "http_version": "1.1",
    }  # fmt: skip
    await shell(scope, asyncio.Event().wait, send)


async def read_slowly_and_ask_for_something_else() -> tuple[int, bytes]:
    recording = EndlessRecording()
    shell = Shell(recording, threads=1, download_threads=2)
    reading = asyncio.Event()
    quick: list[dict[str, Any]] = []

    async def stall(message: dict[str, Any]) -> None:
        await reading.wait()

    async def note(message: dict[str, Any]) -> None:
        quick.append(message)

    readers = [asyncio.create_task(ask(shell, f"/jobs/{number}/audio", stall)) for number in (1, 2)]
    try:
        async with asyncio.timeout(20):
            while recording.parts_made < 2 * ANSWER_PARTS:
                await asyncio.sleep(0.01)
            await ask(shell, "/quick", note)
        await asyncio.sleep(0.2)
        made = recording.parts_made
    finally:
        recording.given_up = True
        reading.set()
        await asyncio.gather(*readers)
    return made, b"".join(message.get("body", b"") for message in quick)


def test_others_are_served_while_every_reader_is_slow_and_little_waits_for_these() -> None:
    made, answer = asyncio.run(read_slowly_and_ask_for_something_else())
    print(f"{made * len(PART) / 2e6:.1f} MB wait for each reader")
    assert answer == b"here"
    assert made <= 2 * (ANSWER_PARTS + 2)

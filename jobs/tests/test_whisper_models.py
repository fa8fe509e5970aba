"""Whisper's weights: where they are looked for, how they are fetched, how many stay loaded."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from jobs.engines import whisper_models
from jobs.engines.base import EngineConfig
from jobs.engines.faster_whisper import FasterWhisperEngine
from jobs.engines.whisper_models import LoadedModels, find_model
from jobs.errors import ConfigurationFault, TransientFault

WEIGHTS = Path(__file__).parent / "assets" / "whisper-micro"
NOBODY = "http://127.0.0.1:9"
TINY = "Systran/faster-whisper-tiny"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def _etag(body: bytes) -> str:
    return hashlib.sha1(body).hexdigest()


class HubHandler(BaseHTTPRequestHandler):
    """The part of the model hub's protocol that a download uses; it holds the test model as ``tiny``."""

    status = 200

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/":
            self._send(b"")
        elif self.status != 200:
            self._send(b"{}", status=self.status)
        elif path == f"/api/models/{TINY}/revision/main":
            self._send(json.dumps({"id": TINY, "sha": COMMIT}).encode())
        elif path == f"/api/models/{TINY}/tree/{COMMIT}":
            files = ((file.name, file.stat().st_size, _etag(file.read_bytes())) for file in WEIGHTS.iterdir())
            rows = [{"type": "file", "path": name, "size": size, "oid": oid} for name, size, oid in files]
            self._send(json.dumps(rows).encode())
        elif path.startswith(f"/{TINY}/resolve/{COMMIT}/"):
            self._send((WEIGHTS / path.rpartition("/")[2]).read_bytes())
        else:
            self._send(b"{}", status=404)

    def _send(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{_etag(body)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        if status == 404:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass


def point_to_hub(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """What HF_ENDPOINT does for a process that starts with it."""
    monkeypatch.setattr(whisper_models.hub, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(whisper_models.hub, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture
def hub(monkeypatch) -> Iterator[type[HubHandler]]:
    """A model hub on this machine; its handler's ``status`` makes it fail."""
    handler = type("OneTestsHubHandler", (HubHandler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    point_to_hub(monkeypatch, f"http://127.0.0.1:{server.server_port}")
    yield handler
    server.shutdown()
    server.server_close()


@pytest.fixture
def no_hub(monkeypatch) -> None:
    point_to_hub(monkeypatch, NOBODY)


def config(models_dir: Path, **options) -> EngineConfig:
    return EngineConfig(models_dir=models_dir, device="cpu", cpu_threads=1, **options)


def install(models_dir: Path, *names: str) -> None:
    for name in names:
        (models_dir / name).symlink_to(WEIGHTS)


@pytest.mark.parametrize("name", ["base", "no-such-model", "somebody/some-model"])
def test_a_missing_model_is_a_clear_and_quick_error(tmp_path, no_hub, name):
    install(tmp_path, "another-model")
    started = time.monotonic()
    with pytest.raises(ConfigurationFault) as missing:
        FasterWhisperEngine(config(tmp_path)).load(name)
    assert time.monotonic() - started < 5
    assert missing.value.code == "model_unavailable"
    assert f"'{name}'" in missing.value.message
    assert str(tmp_path / name) in missing.value.message
    assert "another-model" in missing.value.message
    assert "pocketsphinx" in missing.value.message


def test_a_path_without_weights_is_named_in_the_error(tmp_path, hub):
    with pytest.raises(ConfigurationFault, match=str(tmp_path / "nothing")) as missing:
        LoadedModels(config(tmp_path)).get(str(tmp_path / "nothing"))
    assert missing.value.code == "model_unavailable"


def test_a_model_is_downloaded_and_then_found_without_the_hub(tmp_path, hub, monkeypatch):
    LoadedModels(config(tmp_path)).get("tiny")
    folder = find_model("tiny", tmp_path)
    assert folder is not None
    assert folder.is_relative_to(tmp_path)
    point_to_hub(monkeypatch, NOBODY)
    LoadedModels(config(tmp_path)).get("tiny")


def test_half_a_download_is_not_taken_for_a_model(tmp_path, hub):
    LoadedModels(config(tmp_path)).get("tiny")
    folder = find_model("tiny", tmp_path)
    assert folder is not None
    (folder / "tokenizer.json").unlink()
    assert find_model("tiny", tmp_path) is None


def test_a_hub_that_does_not_give_the_model_out_is_for_the_operator(tmp_path, hub):
    hub.status = 404
    with pytest.raises(ConfigurationFault) as refused:
        LoadedModels(config(tmp_path)).get("tiny")
    assert refused.value.code == "model_unavailable"


def test_a_download_that_fails_may_be_tried_again(tmp_path, hub):
    hub.status = 500
    with pytest.raises(TransientFault) as failed:
        LoadedModels(config(tmp_path)).get("tiny")
    assert failed.value.code == "model_download_failed"
    hub.status = 200
    LoadedModels(config(tmp_path)).get("tiny")


def test_a_folder_may_have_the_hubs_name_for_the_model(tmp_path, no_hub):
    install(tmp_path, "faster-whisper-tiny")
    assert find_model("tiny", tmp_path) == tmp_path / "faster-whisper-tiny"
    LoadedModels(config(tmp_path)).get("tiny")


def test_a_model_may_be_a_path(tmp_path, no_hub):
    LoadedModels(config(tmp_path)).get(str(WEIGHTS))


@pytest.mark.parametrize("broken", ["model.bin", "config.json", "tokenizer.json", "vocabulary.json"])
def test_a_damaged_folder_is_named(tmp_path, no_hub, broken):
    folder = tmp_path / "damaged"
    folder.mkdir()
    for file in WEIGHTS.iterdir():
        if file.name != broken:
            (folder / file.name).symlink_to(file)
    (folder / broken).write_bytes(b"this is not what it should be")
    with pytest.raises(ConfigurationFault) as damaged:
        LoadedModels(config(tmp_path)).get("damaged")
    assert damaged.value.code == "model_damaged"
    assert str(folder) in damaged.value.message


def test_a_missing_tokenizer_is_not_fetched_from_the_hub(tmp_path, no_hub):
    folder = tmp_path / "incomplete"
    folder.mkdir()
    for file in WEIGHTS.iterdir():
        if file.name != "tokenizer.json":
            (folder / file.name).symlink_to(file)
    with pytest.raises(ConfigurationFault, match=r"tokenizer\.json is missing"):
        LoadedModels(config(tmp_path)).get("incomplete")


def test_no_more_models_stay_loaded_than_allowed(tmp_path, no_hub):
    install(tmp_path, "one", "two", "three")
    models = LoadedModels(config(tmp_path, max_loaded_models=2))
    for name in ("one", "two", "one", "three"):
        models.get(name)
    assert models.names() == ["one", "three"]


def test_a_model_that_is_missing_drives_out_none(tmp_path, no_hub):
    install(tmp_path, "one")
    models = LoadedModels(config(tmp_path))
    models.get("one")
    with pytest.raises(ConfigurationFault):
        models.get("two")
    assert models.names() == ["one"]


def test_a_loaded_model_is_loaded_once_even_for_many_threads(tmp_path, no_hub):
    install(tmp_path, "one")
    models = LoadedModels(config(tmp_path))
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(models.get("one"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({id(model) for model in found}) == 1

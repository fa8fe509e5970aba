"""Which engine, model and language a request meets."""

import socket
import threading
from pathlib import Path

import pytest

from jobs import recognition
from jobs.engines import catalog
from jobs.engines.base import EngineConfig
from jobs.engines.choice import choose_engine
from jobs.engines.registry import get_engine
from jobs.errors import ConfigurationFault, InputFault
from jobs.models import WorkerSlot


@pytest.fixture
def no_models(settings, tmp_path):
    settings.WHISPER_MODELS_DIR = tmp_path / "models"
    return settings


@pytest.fixture
def with_model(no_models):
    """An installation with weights of a model of its own."""
    folder = no_models.WHISPER_MODELS_DIR / "house-blend"
    folder.mkdir(parents=True)
    (folder / "model.bin").touch()
    return no_models


class TestChoice:
    @pytest.fixture
    def choose(self, tmp_path):
        def choose(**circumstances):
            usual = {
                "setting": "auto",
                "has_key": False,
                "models_dir": tmp_path,
                "default_model": "",
                "hub_url": NOBODY,
            }
            return choose_engine(**usual | circumstances).name

        return choose

    def test_a_setting_is_taken_literally(self, choose):
        assert choose(setting="pocketsphinx", has_key=True) == "pocketsphinx"

    def test_a_key_comes_first(self, choose, tmp_path):
        (tmp_path / "base").mkdir()
        (tmp_path / "base" / "model.bin").touch()
        assert choose(has_key=True) == "openai"

    def test_weights_on_disk_come_second(self, choose, tmp_path):
        (tmp_path / "models--x--base" / "snapshots" / "1").mkdir(parents=True)
        (tmp_path / "models--x--base" / "snapshots" / "1" / "model.bin").touch()
        assert choose() == "faster-whisper"

    def test_a_folder_as_default_model_counts_as_weights(self, choose, tmp_path):
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "model.bin").touch()
        assert choose(models_dir=Path("/nowhere"), default_model=str(tmp_path / "mine")) == "faster-whisper"

    def test_a_hub_that_answers_comes_third(self, choose):
        with http_server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") as address:
            assert choose(hub_url=address) == "faster-whisper"

    def test_what_is_built_in_comes_last(self, choose):
        assert choose() == "pocketsphinx"

    def test_a_hub_that_hangs_is_not_waited_for(self, choose, monkeypatch):
        monkeypatch.setattr("jobs.engines.choice.HUB_WAIT_SECONDS", 0.2)
        with http_server("") as address:
            assert choose(hub_url=address) == "pocketsphinx"


NOBODY = "http://127.0.0.1:1"


class http_server:  # noqa: N801 - reads as a function
    """Answers one connection with ``answer``, or leaves it hanging."""

    def __init__(self, answer: str) -> None:
        self.answer = answer

    def __enter__(self) -> str:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()
        self.listener.close()

    def serve(self) -> None:
        connection, _ = self.listener.accept()
        with connection:
            connection.recv(1000)
            if self.answer:
                connection.sendall(self.answer.encode())
            else:
                self.over.wait()


class TestModels:
    @pytest.mark.parametrize("name", ["", "whisper-1", "default"])
    def test_the_usual_names_mean_the_default(self, no_models, name):
        no_models.DEFAULT_MODEL = "small"
        assert recognition.resolve_model(name, engine="faster-whisper") == "small"

    def test_aliases_are_resolved(self, no_models):
        no_models.ALLOWED_MODELS = ["large-v3", "turbo"]
        assert recognition.resolve_model("large", engine="faster-whisper") == "large-v3"
        assert recognition.resolve_model("turbo", engine="faster-whisper") == "large-v3-turbo"

    def test_a_model_in_the_folder_may_be_asked_for(self, with_model):
        assert recognition.resolve_model("house-blend", engine="faster-whisper") == "house-blend"

    def test_allowed_models_are_the_whole_list(self, with_model):
        with_model.ALLOWED_MODELS = ["small"]
        with pytest.raises(InputFault) as refusal:
            recognition.resolve_model("house-blend", engine="faster-whisper")
        assert refusal.value.code == "unknown_model"

    def test_a_model_that_is_not_allowed_names_those_that_are(self, no_models):
        no_models.ALLOWED_MODELS = ["small"]
        with pytest.raises(InputFault, match="base, small") as refusal:
            recognition.resolve_model("large", engine="faster-whisper")
        assert refusal.value.code == "model_not_allowed"

    @pytest.mark.parametrize("name", ["../../etc", "/etc/passwd", "house-blend/../house-blend", "."])
    def test_a_path_is_no_model(self, with_model, name):
        with pytest.raises(InputFault) as refusal:
            recognition.resolve_model(name, engine="faster-whisper")
        assert refusal.value.code == "unknown_model"

    def test_pocketsphinx_has_one_model(self, no_models):
        assert recognition.resolve_model("whisper-1", engine="pocketsphinx") == "en-us"
        with pytest.raises(InputFault):
            recognition.resolve_model("base", engine="pocketsphinx")


class TestLanguages:
    def test_the_catalogue_is_faster_whispers_own(self):
        from faster_whisper.tokenizer import _LANGUAGE_CODES

        assert set(_LANGUAGE_CODES) == catalog.WHISPER_LANGUAGES

    def test_the_models_are_faster_whispers_own(self):
        from faster_whisper.utils import _MODELS

        assert set(_MODELS) == {*catalog.WHISPER_MODELS, *catalog.MODEL_ALIASES}
        for name, repository in _MODELS.items():
            assert catalog.canonical_name(repository) == catalog.canonical_name(name)

    @pytest.mark.django_db
    def test_the_web_process_knows_the_engine_from_the_live_workers(self):
        assert recognition.announced_engine() is None
        WorkerSlot.objects.create(name="a", queues="speech", engine="pocketsphinx")
        assert recognition.announced_engine() == "pocketsphinx"


def test_an_engine_that_cannot_be_loaded_says_what_to_write_instead():
    with pytest.raises(ConfigurationFault, match="faster-whisper"):
        get_engine("wisper.Engine", EngineConfig())

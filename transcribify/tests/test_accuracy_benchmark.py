"""``python -m benchmark.run`` on real recordings with the test model: its figures are those of jiwer alone."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import jiwer
import pytest

from benchmark.accuracy.recordings import find_recordings
from benchmark.accuracy.scores import Counts, Normalisation, Score, compare, pooled
from benchmark.run import main
from transcribify.tests.conftest import ASSETS

ROOT = Path(__file__).resolve().parents[2]
MICRO = ASSETS / "whisper-micro"
DONE = ("english-loud.flac", "misquoted.flac", "russian.flac")
"""The recordings of the run that have a reference and can be decoded."""


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setenv("WHISPER_CPU_THREADS", "1")


def run(*arguments) -> SimpleNamespace:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([str(argument) for argument in arguments])
    return SimpleNamespace(code=code, out=out.getvalue(), err=err.getvalue())


def said(name: str) -> str:
    return " ".join((ASSETS / f"{name}.txt").read_text().split())


REFERENCES = {
    "english-loud.flac": said("english"),
    "misquoted.flac": f"{said('english')} and not a word of this",
    "russian.flac": said("russian"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three recordings with references, one of them wrong; one without; one that is none."""
    folder = tmp_path_factory.mktemp("recordings")
    shutil.copy(ASSETS / "english.flac", folder / "english-loud.flac")
    (folder / "english.txt").write_text(said("english").upper().replace(" the ", " THE, ") + "!\n")
    shutil.copy(ASSETS / "english.flac", folder / "misquoted.flac")
    (folder / "misquoted.txt").write_text(REFERENCES["misquoted.flac"])
    shutil.copy(ASSETS / "russian.flac", folder / "russian.flac")
    (folder / "russian.txt").write_text(said("russian").replace("отчет", "отчёт"))
    shutil.copy(ASSETS / "russian.flac", folder / "unwritten.flac")
    (folder / "broken.mp3").write_text("no sound at all")
    return folder


@pytest.fixture(scope="module")
def damaged_model(tmp_path_factory) -> Path:
    model = tmp_path_factory.mktemp("models") / "damaged"
    model.mkdir()
    (model / "model.bin").write_bytes(b"")
    return model


@pytest.fixture(scope="module")
def done(folder, damaged_model, tmp_path_factory) -> SimpleNamespace:
    output = tmp_path_factory.mktemp("results") / "new"
    arguments = [folder, "--models", f"{MICRO},{damaged_model}", "--batch-size", "4", "--output", output]
    process = subprocess.run(
        [sys.executable, "-m", "benchmark.run", *arguments],
        cwd=ROOT, env=os.environ | {"WHISPER_CPU_THREADS": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    results = json.loads((output / "results.json").read_text())
    return SimpleNamespace(
        code=process.returncode, out=process.stdout, err=process.stderr,
        output=output, json=results, rows={row["name"]: row for row in results["models"][0]["recordings"]},
    )  # fmt: skip


def test_the_figures_are_those_of_jiwer_alone(done):
    heard = {name: done.rows[name]["text"] for name in DONE}
    for name in DONE:
        assert done.rows[name]["wer"] == pytest.approx(jiwer.wer(REFERENCES[name], heard[name]))
        assert done.rows[name]["cer"] == pytest.approx(jiwer.cer(REFERENCES[name], heard[name]))
    references, transcripts = list(REFERENCES.values()), [heard[name] for name in REFERENCES]
    model = done.json["models"][0]
    assert model["wer"] == pytest.approx(jiwer.wer(references, transcripts))
    assert model["cer"] == pytest.approx(jiwer.cer(references, transcripts))
    assert 0.05 < model["wer"] < 0.2


def test_the_total_is_pooled_and_no_mean_of_rates(done):
    model, rows = done.json["models"][0], [done.rows[name] for name in DONE]
    counted = [sum(row["words"][kind] for row in rows) for kind in ("hits", "substitutions", "deletions", "insertions")]
    assert list(model["words"].values()) == counted
    assert model["wer"] == sum(counted[1:]) / sum(counted[:3])
    assert model["wer"] != pytest.approx(sum(row["wer"] for row in rows) / len(rows))
    assert model["recordings_scored"] == 3


def test_speed_and_memory_are_measured(done):
    model, rows = done.json["models"][0], [row for row in done.rows.values() if not row["error"]]
    parts = ("decode_seconds", "speech_seconds", "recognition_seconds")
    for row in rows:
        assert all(row[part] > 0 for part in parts)
        assert row["rtf"] == pytest.approx(sum(row[part] for part in parts) / row["audio_seconds"])
    assert model["audio_seconds"] == pytest.approx(sum(row["audio_seconds"] for row in rows))
    assert min(row["rtf"] for row in rows) <= model["rtf"] <= max(row["rtf"] for row in rows)
    assert 50e6 < model["peak_memory_bytes"] < 2e9
    assert model["load_seconds"] > 0
    assert model["device"].startswith("cpu int8")


def test_a_recording_without_reference_has_its_speed_alone_and_that_is_said(done):
    row = done.rows["unwritten.flac"]
    assert (row["wer"], row["cer"], row["language"]) == (None, None, "ru")
    assert row["rtf"] > 0
    assert "- Without a reference, so that only their speed is known: unwritten.flac." in done.out


def test_a_broken_recording_fails_alone_and_says_why(done):
    assert done.code == 1
    assert done.rows["broken.mp3"]["error"].startswith("No sound could be decoded from this file.")
    assert [name for name, row in done.rows.items() if row["error"]] == ["broken.mp3"]


def test_a_broken_model_fails_alone_and_says_why(done, damaged_model):
    broken = done.json["models"][1]
    assert broken["error"].startswith(f"The model in {damaged_model} cannot be loaded: config.json, tokenizer.json")
    assert len(broken["recordings"]) == len(done.rows)
    assert (broken["wer"], broken["rtf"], broken["recordings_done"]) == (None, None, 0)
    assert f"- **damaged: {broken['error']}**" in done.out
    assert "not of the same recordings" in done.out


def test_the_table_is_printed_and_kept(done):
    model, page = done.json["models"][0], (done.output / "results.md").read_text()
    line = next(line for line in done.out.splitlines() if line.startswith("| whisper-micro | "))
    assert line in page
    assert f"| {model['wer']:.1%} | {model['cer']:.1%} |" in line
    assert f"| 3 of 5 | {model['rtf']:.3f} | {model['peak_memory_bytes'] / 1e6:.0f} MB |" in line
    assert "| russian.flac | whisper-micro | 12.4 s | 0.0% |" in page
    assert "ё is taken for е" in page
    assert "english-loud.flac: 13.9 s, WER 0.0%, RTF" in done.err


def test_each_recording_has_a_row_of_csv(done):
    rows = list(csv.DictReader(io.StringIO((done.output / "results.csv").read_text())))
    assert [(row["model"], row["recording"]) for row in rows[:5]] == [("whisper-micro", name) for name in done.rows]
    quoted = next(row for row in rows if row["recording"] == "misquoted.flac")
    assert (int(quoted["words"]), int(quoted["deletions"])) == (34, done.rows["misquoted.flac"]["words"]["deletions"])
    assert float(quoted["wer"]) == done.rows["misquoted.flac"]["wer"]


def test_the_plots_are_pictures_and_on_the_page(done):
    pictures = sorted(path.name for path in done.output.glob("*.png"))
    assert pictures == ["memory.png", "rtf.png", "rtf_against_wer.png", "wer.png", "wer_by_recording.png"]
    for name in pictures:
        content = (done.output / name).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) > 5000
        assert f"]({name})" in (done.output / "results.md").read_text()


def test_transcripts_and_differences_can_be_read(done):
    folder = done.output / "transcripts/whisper-micro"
    assert (folder / "russian.flac.txt").read_text().strip() == done.rows["russian.flac"]["text"]
    assert "and not a word of this" in " ".join((folder / "misquoted.flac.differences.txt").read_text().split())
    assert not (folder / "unwritten.flac.differences.txt").exists()


def test_without_any_reference_there_is_still_the_speed(folder, tmp_path):
    alone = tmp_path / "in"
    alone.mkdir()
    shutil.copy(folder / "russian.flac", alone)
    found = run(alone, "--models", MICRO, "--sequential", "--language", "ru", "--output", tmp_path / "out")
    assert found.code == 0
    assert "| whisper-micro | – | – | – | 0 of 1 | 0." in found.out
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == ["memory.png", "rtf.png"]


def test_what_was_measured_before_a_process_died_is_kept(folder, tmp_path):
    engine = "transcribify.tests.dying_engine.DyingEngine"
    found = run(folder, "--models", "mortal", "--engine", engine, "--output", tmp_path)
    rows = {row["name"]: row for row in json.loads((tmp_path / "results.json").read_text())["models"][0]["recordings"]}
    assert found.code == 1
    assert rows["english-loud.flac"]["text"] == "Hello, everyone!"
    killed = "Its process was killed, most likely for want of memory."
    assert all(rows[name]["error"].startswith(killed) for name in ("misquoted.flac", "russian.flac", "unwritten.flac"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{tmp}/nowhere"], "The folder {tmp}/nowhere does not exist: check the path."),
        (["{tmp}/file.txt"], "is a file: name the folder that it is in."),
        (["{tmp}/empty"], "There is no recording in {tmp}/empty. Put audio files"),
        (["{tmp}/latin"], "sample.txt is no UTF-8 text. Save it as UTF-8 text."),
        (["{folder}", "--models", "./nope"], "There is no folder ./nope. Check the path of the model."),
        (["{folder}", "--models", "{tmp}/empty"], "holds no model.bin. Put its files"),
        (["{folder}", "--models", "tiny"], "Model 'tiny' is not on this machine, and the model hub"),
        (["{folder}", "--engine", "pocketsphinx", "--models", "tiny"], "pocketsphinx has one model, en-us, and not"),
        (["{folder}", "--engine", "sphinx"], "There is no engine 'sphinx'. Use one of faster-whisper,"),
        (["{folder}", "--models", "en-us", "--language", "ru"], "recognises English only"),
        (["{folder}", "--models", "en-us", "--output", "{tmp}/file.txt"], "name another folder with --output."),
    ],
)
def test_wrong_input_is_refused_before_anything_is_measured(
    folder, tmp_path, settings, monkeypatch, arguments, message
):
    settings.WHISPER_MODELS_DIR = tmp_path / "models"
    settings.MODEL_HUB_URL = "http://127.0.0.1:9"
    monkeypatch.setattr("jobs.engines.whisper_models.hub_answers", lambda _url: False)
    monkeypatch.delenv("TRANSCRIBIFY_CHOSEN_ENGINE", raising=False)
    (tmp_path / "empty").mkdir()
    (tmp_path / "latin").mkdir()
    (tmp_path / "latin/sample.wav").touch()
    (tmp_path / "latin/sample.txt").write_bytes("Grüße".encode("latin-1"))
    (tmp_path / "file.txt").touch()
    names = {"tmp": tmp_path, "folder": folder}
    found = run(*(argument.format(**names) for argument in arguments))
    assert (found.code, found.out) == (2, "")
    assert message.format(**names) in found.err


def test_the_reference_is_the_text_with_the_longest_name_that_fits(tmp_path):
    for name in ("talk.txt", "talk-2.txt", "talk-2-loud.m4a", "talk-2.m4a", "talk-3-x-y.WAV", "other.m4a"):
        (tmp_path / name).write_text(name)
    (tmp_path / "more").mkdir()
    (tmp_path / "more/talk.m4a").touch()
    (tmp_path / ".hidden.m4a").touch()
    found = {item.name: item.reference for item in find_recordings(tmp_path, {"m4a", "wav"})}
    assert found == {
        "more/talk.m4a": None,
        "other.m4a": None,
        "talk-2-loud.m4a": "talk-2.txt",
        "talk-2.m4a": "talk-2.txt",
        "talk-3-x-y.WAV": "talk.txt",
    }


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  “Hello”, she said — it's 5 o’clock!\n", "hello she said it's 5 o'clock"),
        ("Ещё раз: «Ёлка», кое-что… №5", "еще раз елка кое что no5"),
        ("'quoted' dogs' tails", "quoted dogs tails"),
        ("नमस्ते, दुनिया।", "नमस्ते दुनिया"),
        ("ＡＢＣ１２３", "abc123"),
        ("—!?", ""),
    ],
)
def test_case_and_punctuation_do_not_count_in_any_script(text, normal):
    assert Normalisation().of(text) == normal


def test_yo_can_be_told_from_ye():
    assert Normalisation(yo_is_ye=False).of("Ещё") == "ещё"
    assert Normalisation(yo_is_ye=False).of("еще") == "еще"
    assert "two letters" in Normalisation(yo_is_ye=False).description


def test_words_where_nothing_was_said_count_as_errors_of_the_whole():
    empty, _ = compare("", "thank you")
    full, _ = compare("good morning all of you", "good morning all of you")
    assert (empty.wer, empty.words.insertions) == (None, 2)
    assert pooled([empty, full]).wer == 0.4
    assert pooled([]) is None
    assert Score(Counts(hits=3, insertions=3)).wer == 1.0

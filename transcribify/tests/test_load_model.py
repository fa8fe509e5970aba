"""The model of the benchmarks (benchmark/load_model.py) says its sentence in every window, whichever way it is run."""

from pathlib import Path

import numpy as np
import pytest
from faster_whisper import BatchedInferencePipeline, WhisperModel
from faster_whisper.audio import decode_audio

from benchmark.load_model import SENTENCE, SIZES, fill_spec, find_load_model

SETTINGS = {"beam_size": 5, "without_timestamps": False}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> WhisperModel:
    folder = find_load_model("tiny", tmp_path_factory.mktemp("models"))
    return WhisperModel(str(folder), device="cpu", compute_type="int8", local_files_only=True)


@pytest.fixture(scope="module")
def audio(model: WhisperModel) -> np.ndarray:
    """Two windows of the sample meeting."""
    return decode_audio(str(Path(__file__).parents[2] / "samples" / "meeting.flac"))[: 45 * 16_000]


def test_it_says_its_sentence_in_each_window_one_after_the_other(model: WhisperModel, audio: np.ndarray) -> None:
    segments, info = model.transcribe(audio, condition_on_previous_text=False, word_timestamps=True, **SETTINGS)
    found = list(segments)
    assert [segment.text for segment in found] == [SENTENCE] * 2
    assert info.language == "en"
    assert min(segment.avg_logprob for segment in found) > -0.01  # sure of itself: nothing is tried again
    assert "".join(word.word for word in found[0].words) == SENTENCE


def test_it_says_its_sentence_in_each_window_of_a_batch(model: WhisperModel, audio: np.ndarray) -> None:
    clips = [{"start": 0, "end": 30}, {"start": 30, "end": 45}]
    pipeline = BatchedInferencePipeline(model)
    segments, info = pipeline.transcribe(audio, batch_size=2, clip_timestamps=clips, **SETTINGS)
    assert [(segment.start, segment.end, segment.text) for segment in segments] == [
        (0, 29, SENTENCE),
        (30, 59, SENTENCE),
    ]
    assert info.language == "en"


@pytest.mark.parametrize(("size", "parameters"), [("tiny", 37_760_640), ("base", 72_593_920)])
def test_it_has_as_many_parameters_as_the_model_that_it_stands_for(size: str, parameters: int) -> None:
    variables = fill_spec(size).variables()
    del variables["decoder/projection/weight"]  # the embeddings once more
    # CTranslate2's format has a bias for keys, too: zeros.
    keys_biases = 3 * SIZES[size].layers * SIZES[size].width
    found = sum(variable.array.size for variable in variables.values() if not variable.is_scalar())
    assert found - keys_biases == parameters

"""What OpenAI's clients send beside the recording is understood, and ours can be added."""

import pytest
from openai import NotFoundError

from transcribify.tests.openai_caller import Caller


def test_our_own_options_are_taken_and_kept_with_the_job(caller: Caller, speech):
    ours = {"tags": ["board", "июль"], "hotwords": "Turnips", "beam_size": 3, "vad_filter": False}
    options = caller.job_of(speech.wav(), extra_body=ours)["options"]
    assert {name: options[name] for name in ours} == ours
    assert options["report"] is False


def test_a_report_is_written_where_it_is_asked_for(caller, speech):
    assert caller.job_of(speech.wav(), extra_body={"report": True})["options"]["report"] is True


def test_temperature_0_is_openais_word_for_raising_it_where_needed(caller, speech):
    assert caller.job_of(speech.wav(), temperature=0)["options"]["temperature"] is None
    assert caller.job_of(speech.wav(), temperature=0.4)["options"]["temperature"] == 0.4


def test_of_a_prompt_that_is_too_long_the_end_is_taken_as_whisper_does(caller, speech):
    prompt = " ".join(str(number) for number in range(2000))[:5000].strip()
    assert caller.job_of(speech.wav(), prompt=prompt)["options"]["prompt"] == prompt[-1000:]


def test_a_language_is_kept(caller, speech):
    assert caller.job_of(speech.wav(), language="ru")["options"]["language"] == "ru"


@pytest.mark.parametrize(
    "options",
    [
        {"chunking_strategy": "auto"},
        {"chunking_strategy": {"type": "server_vad", "threshold": 0.4, "silence_duration_ms": 300}},
        {"include": ["logprobs"]},
        {
            "known_speaker_names": ["agent", "guest"],
            "known_speaker_references": ["data:audio/wav;base64,AA==", "data:,"],
        },
        {"stream": False},
        {"language": ""},
        {"prompt": ""},
        {"extra_body": {"user": "somebody", "unheard_of": {"deep": [1, 2]}}},
        {"extra_body": {"languages": ["en", "ru"], "keywords": ["budget"]}},
    ],
    ids=lambda options: " ".join(options) + "=" + str(next(iter(options.values())))[:20],
)
def test_what_openai_takes_is_no_error_here(caller, speech, options):
    assert caller.ask(speech.wav(), **options).text == "word 0."


@pytest.mark.parametrize(
    "model", ["whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "base", "openai/whisper-base"]
)
def test_a_model_goes_by_each_of_its_names(caller, speech, model):
    assert caller.job_of(speech.wav(), model=model)["model"] == "base"
    assert caller.openai.models.retrieve(model).id == model


def test_the_models_are_listed_as_openai_lists_them(caller):
    models = list(caller.openai.models.list())
    assert [model.id for model in models] == ["whisper-1", "base"]
    assert {(model.object, model.created) for model in models} == {("model", 0)}
    assert all(model.owned_by for model in models)


@pytest.mark.parametrize("model", ["nothing", "Systran/faster-whisper-tiny", "../../etc/passwd", "large-v3"])
def test_a_model_that_is_not_here_is_404(caller, model):
    with pytest.raises(NotFoundError) as error:
        caller.openai.models.retrieve(model)
    assert (error.value.code, error.value.param) == ("model_not_found", "model")

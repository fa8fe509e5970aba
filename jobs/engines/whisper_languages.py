"""Which language a Whisper model hears, and what a model refuses to hear or to translate."""

import faster_whisper

from jobs.engines.base import SAMPLE_RATE, Audio, TranscriptionInfo, TranscriptionRequest
from jobs.engines.whisper_models import memory_faults
from jobs.engines.whisper_pieces import PIECE_SECONDS, Piece, first_samples, to_spans
from jobs.errors import InputFault

LANGUAGE_WINDOWS = 2
"""Windows of speech that are asked for their language, the second where the first is unsure. The library asks one; each
costs as much as half a window of recognition."""
LANGUAGE_SAMPLES = LANGUAGE_WINDOWS * round(PIECE_SECONDS * SAMPLE_RATE)


def find_language(model: faster_whisper.WhisperModel, audio: Audio, request: TranscriptionRequest) -> TranscriptionInfo:
    """The language that was asked for, if the model knows it, or the one that is heard in the speech."""
    if request.language is not None:
        _check_language(model, request)
        return TranscriptionInfo(request.language)
    if not model.model.is_multilingual:
        return TranscriptionInfo("en")
    spans = to_spans(audio, request.speech)
    if not spans:
        return TranscriptionInfo(None)
    speech = Piece(first_samples(spans, LANGUAGE_SAMPLES)).of(audio)
    with memory_faults():
        language, probability, _ = model.detect_language(speech, language_detection_segments=LANGUAGE_WINDOWS)
    return TranscriptionInfo(language, probability)


def _check_language(model: faster_whisper.WhisperModel, request: TranscriptionRequest) -> None:
    if not model.model.is_multilingual:
        known = request.language == "en"
    else:
        known = model.hf_tokenizer.token_to_id(f"<|{request.language}|>") is not None
    if not known:
        raise InputFault(
            f"Model '{request.model}' does not know the language '{request.language}'. Choose another model, "
            "or leave the language out.",
            code="language_not_supported",
        )


def check_task(model: faster_whisper.WhisperModel, request: TranscriptionRequest) -> None:
    if request.task == "translate" and not model.model.is_multilingual:
        raise InputFault(
            f"Model '{request.model}' knows English only and cannot translate. Choose a multilingual model (without "
            "'.en' in its name), or use the task 'transcribe' for a recording in English.",
            code="translation_not_supported",
        )

"""The ``openai`` engine: any OpenAI-compatible transcription server (OpenAI, Groq, a host of your own)."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import openai

from jobs.engines.base import Audio, Clip, EngineConfig, TranscriptionInfo, TranscriptionRequest
from jobs.engines.cutting import join_close, samples_of
from jobs.engines.openai_answer import TranscriptionAnswer
from jobs.engines.openai_client import Provider, ProviderError, RawAnswer
from jobs.engines.openai_upload import cut_pieces, encode_flac
from jobs.errors import ConfigurationFault, InputFault, TranscribifyError, TransientFault
from jobs.transcript import Segment

MAX_PIECE_SECONDS = 600.0
"""Hosts take about 25 MB; FLAC of 16 kHz mono is under 20 MB for ten minutes at the very worst (white noise)."""

KEY_SETTINGS = "OPENAI_API_KEY or GROQ_API_KEY"

NO_TIMESTAMPS = "The provider's model sends no timestamps: each segment is a whole stretch of up to {minutes:g} min."


class OpenAIEngine:
    """Uploads the recording in pieces. Retries are the job's business: each piece is sent once.

    ``batched`` has no counterpart here, and a translation has no words.
    ``config.timeout_seconds`` bounds one piece in all, from connecting to the last byte of the answer.
    """

    name = "openai"
    max_piece_seconds = MAX_PIECE_SECONDS

    def __init__(self, config: EngineConfig) -> None:
        self._provider = Provider(config.api_key, config.base_url, config.timeout_seconds)
        self._models_without_timestamps: set[str] = set()

    def load(self, model: str) -> None:
        """Nothing to load; refuses where the key to OpenAI is missing. A host of one's own may want none."""
        if not self._provider.api_key and not self._provider.base_url:
            raise ConfigurationFault(f"The openai engine needs a key: set {KEY_SETTINGS}.", code="provider_key_missing")

    def detect_language(self, audio: Audio, request: TranscriptionRequest) -> TranscriptionInfo:
        """Only the answer to the first piece says which language it is: here it is the one that was asked for."""
        return TranscriptionInfo(request.language)

    def transcribe(self, audio: Audio, request: TranscriptionRequest) -> tuple[TranscriptionInfo, Iterator[Segment]]:
        """See ``Engine.transcribe``. The first piece is sent at once: its answer says which language it is.

        Raises ``ConfigurationFault`` (key, model, quota), ``InputFault`` (``provider_rejected``) or
        ``TransientFault`` (busy, out of reach, too slow, an answer that makes no sense).
        """
        pieces = cut_pieces(audio, join_close(request.speech), self.max_piece_seconds)
        if not pieces:
            return TranscriptionInfo(language=request.language), iter(())
        first = self._recognise(audio, pieces[0], request, request.language)
        # Detected once per job, so that one recording does not change its language from piece to piece.
        # A translation's answer names English, whatever was spoken.
        language = request.language or (None if request.task == "translate" else first.language_code)
        warnings = () if first.segments or not first.text.strip() else (self._no_timestamps_warning(),)
        return TranscriptionInfo(language, warnings=warnings), self._segments(audio, pieces, first, request, language)

    def _segments(
        self,
        audio: Audio,
        pieces: Sequence[Clip],
        first: TranscriptionAnswer,
        request: TranscriptionRequest,
        language: str | None,
    ) -> Iterator[Segment]:
        yield from first.to_segments(pieces[0])
        for piece in pieces[1:]:
            yield from self._recognise(audio, piece, request, language).to_segments(piece)

    def _recognise(
        self, audio: Audio, piece: Clip, request: TranscriptionRequest, language: str | None
    ) -> TranscriptionAnswer:
        file = ("audio.flac", encode_flac(samples_of(audio, piece)), "audio/flac")
        fields = {"file": file, "model": request.model} | _wanted_fields(request, language)

        async def send(client: openai.AsyncOpenAI) -> RawAnswer:
            endpoint = client.audio.translations if request.task == "translate" else client.audio.transcriptions
            create = endpoint.with_raw_response.create
            if request.model not in self._models_without_timestamps:
                try:
                    return await create(**fields, **_timestamp_fields(request))
                except openai.BadRequestError as error:
                    if not _is_about_timestamps(error):
                        raise
                    self._models_without_timestamps.add(request.model)
            return await create(**fields, response_format="json")

        try:
            return asyncio.run(self._provider.call(send, TranscriptionAnswer))
        except ProviderError as error:
            raise _as_fault(error, request.model) from None

    def _no_timestamps_warning(self) -> str:
        return NO_TIMESTAMPS.format(minutes=self.max_piece_seconds / 60)


def _timestamp_fields(request: TranscriptionRequest) -> dict[str, Any]:
    if request.task == "translate":  # a translation has segments, but no words
        return {"response_format": "verbose_json"}
    granularities = ["segment", "word"] if request.word_timestamps else ["segment"]
    return {"response_format": "verbose_json", "timestamp_granularities": granularities}


def _wanted_fields(request: TranscriptionRequest, language: str | None) -> dict[str, Any]:
    wanted = {"prompt": _prompt(request), "temperature": request.temperature}
    if request.task != "translate":  # which finds the language out by itself
        wanted["language"] = language
    return {name: value for name, value in wanted.items() if value is not None}


def _prompt(request: TranscriptionRequest) -> str | None:
    """The prompt, then the hotwords in the form that OpenAI's guide to prompts has: Whisper reads the end of it."""
    glossary = f"Glossary: {request.hotwords}" if request.hotwords else ""
    return f"{request.prompt} {glossary}".strip() or None


def _is_about_timestamps(error: openai.BadRequestError) -> bool:
    """OpenAI's newer models answer 400 to ``verbose_json``: they know plain ``json`` only."""
    said = f"{error.param} {error.message}"
    return any(name in said for name in ("response_format", "verbose_json", "timestamp_granularities"))


def _as_fault(error: ProviderError, model: str) -> TranscribifyError:
    said = f" It said: {error.said}" if error.said else ""
    match error.kind:
        case "unauthorized":
            # What it said is left out: servers quote the key in it.
            return ConfigurationFault(
                f"The transcription provider refused the API key. Check {KEY_SETTINGS}, and OPENAI_BASE_URL.",
                code="provider_refused_key",
            )
        case "unknown_model":
            return ConfigurationFault(
                f"The transcription provider knows no model {model!r} at this address. Check "
                f"OPENAI_TRANSCRIPTION_MODEL and OPENAI_BASE_URL.{said}",
                code="provider_model_unknown",
            )
        case "quota":
            return ConfigurationFault(
                f"The account at the transcription provider has run out of credit. Top it up, or use another "
                f"engine (TRANSCRIPTION_ENGINE).{said}",
                code="provider_quota_exhausted",
            )
        case "rejected":
            return InputFault(
                f"The transcription provider rejected the recording or an option.{said}", code="provider_rejected"
            )
    return _as_transient_fault(error, said)


def _as_transient_fault(error: ProviderError, said: str) -> TransientFault:
    code, what = {
        "busy": ("provider_busy", "is busy or limits our requests"),
        "unreachable": ("provider_unreachable", "cannot be reached"),
        "timeout": ("provider_timeout", "did not answer in time"),
        "bad_answer": ("provider_bad_answer", "gave an answer that makes no sense"),
    }[error.kind]
    extra = {} if error.retry_after_seconds is None else {"retry_after_seconds": error.retry_after_seconds}
    return TransientFault(f"The transcription provider {what}; trying again later.{said}", code=code, **extra)

"""A folder of recordings, and which text says what is said in which of them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import InputFault


@dataclass(frozen=True, slots=True)
class Recording:
    """``name`` is its path inside the folder; ``reference`` what is said in it, None where nobody wrote that down."""

    name: str
    path: Path
    reference: str | None = None


def find_recordings(folder: Path, extensions: Collection[str]) -> list[Recording]:
    """The audio files in ``folder`` and the folders in it, by name. Raises ``InputFault``: see its message.

    ``extensions`` are in lower case and without a dot. Hidden files are none.
    """
    if not folder.is_dir():
        what = "is a file: name the folder that it is in" if folder.exists() else "does not exist: check the path"
        raise InputFault(f"The folder {folder} {what}.", code="no_such_folder")
    audio = [path for path in sorted(folder.rglob("*")) if _is_audio(path.relative_to(folder), extensions)]
    found = [Recording(str(path.relative_to(folder)), path, _read_reference(path)) for path in audio if path.is_file()]
    if not found:
        raise InputFault(
            f"There is no recording in {folder}. Put audio files (such as sample1.m4a) into it, and beside each the "
            f"text that is said in it (sample1.txt). Known endings: {', '.join(sorted(extensions))}.",
            code="no_recordings",
        )
    return found


def _is_audio(path: Path, extensions: Collection[str]) -> bool:
    is_hidden = any(part.startswith(".") for part in path.parts)
    return not is_hidden and path.suffix.lower().removeprefix(".") in extensions


def _read_reference(audio: Path) -> str | None:
    """What is said, from the text file beside ``audio``; the one with the longest name that fits."""
    path = next((path for path in _reference_paths(audio) if path.is_file()), None)
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputFault(f"{path} is no UTF-8 text. Save it as UTF-8 text.", code="reference_unreadable") from error
    except OSError as error:
        raise InputFault(f"{path} cannot be read: {error.strerror}.", code="reference_unreadable") from error


def _reference_paths(audio: Path) -> Iterator[Path]:
    """For ``talk-2-loud.m4a``: ``talk-2-loud.txt``, ``talk-2.txt``, ``talk.txt``."""
    stem = audio.stem
    while stem:
        yield audio.with_name(f"{stem}.txt")
        stem = stem.rpartition("-")[0]

"""Whisper's multilingual vocabulary as a ``tokenizer.json``, made from the files of the openai-whisper package (MIT).

The package's code is not imported (it would want more packages); its vocabulary and languages are read as files.
"""

import argparse
import ast
import base64
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

LANGUAGE_COUNT = 99
TIMESTAMP_COUNT = 1501
TIMESTAMP_SECONDS = 0.02
TASKS = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")


def byte_letters() -> dict[int, str]:
    """GPT-2's printable letter for each byte: itself where it is printable, else one from U+0100 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + index) for index, byte in enumerate(others)}


def read_ranks(path: Path) -> dict[bytes, int]:
    """The tokens of a tiktoken file with their ranks."""
    pairs = (line.split() for line in path.read_text().splitlines())
    return {base64.b64decode(pair[0]): int(pair[1]) for pair in pairs if len(pair) == 2}


def last_merge(token: bytes, ranks: dict[bytes, int]) -> tuple[bytes, bytes] | None:
    """The two tokens that byte pair encoding joins last to make ``token`` (tiktoken files do not say)."""
    parts = [token[index : index + 1] for index in range(len(token))]
    while len(parts) > 2:
        joined = [ranks.get(left + right, ranks[token]) for left, right in pairwise(parts)]
        best = min(range(len(joined)), key=joined.__getitem__)
        if joined[best] >= ranks[token]:
            return None
        parts[best : best + 2] = [parts[best] + parts[best + 1]]
    return (parts[0], parts[1]) if len(parts) == 2 else None


def read_languages(path: Path) -> list[str]:
    """The codes of the package's table ``LANGUAGES``, in the order of their tokens."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "LANGUAGES":
            return list(ast.literal_eval(node.value))[:LANGUAGE_COUNT]
    raise LookupError(f"{path} has no table LANGUAGES")


def build_tokenizer(package: Path) -> Tokenizer:
    """The tokenizer with its 51,865 entries. ``package`` is the folder of the package ``whisper``."""
    ranks = read_ranks(package / "assets" / "multilingual.tiktoken")
    letters = byte_letters()

    def spell(token: bytes) -> str:
        return "".join(letters[byte] for byte in token)

    in_order = sorted(ranks, key=ranks.__getitem__)
    found = (last_merge(token, ranks) for token in in_order if len(token) > 1)
    merges = [(spell(merge[0]), spell(merge[1])) for merge in found if merge]
    tokenizer = Tokenizer(models.BPE(vocab={spell(token): rank for token, rank in ranks.items()}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    names = ["endoftext", "startoftranscript", *read_languages(package / "tokenizer.py"), *TASKS]
    tokenizer.add_special_tokens([AddedToken(f"<|{name}|>", special=True) for name in names])
    times = [f"<|{index * TIMESTAMP_SECONDS:.2f}|>" for index in range(TIMESTAMP_COUNT)]
    tokenizer.add_tokens([AddedToken(time, special=False) for time in times])
    return tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, help="the file to write: work/tokenizer.json")
    options = parser.parse_args()
    package = find_spec("whisper")
    if package is None or package.origin is None:
        raise SystemExit("openai-whisper is not installed: pip install --no-deps openai-whisper")
    tokenizer = build_tokenizer(Path(package.origin).parent)
    options.path.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(options.path))
    print(f"{tokenizer.get_vocab_size()} entries")


if __name__ == "__main__":
    main()

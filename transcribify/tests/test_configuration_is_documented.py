"""Each environment variable is explained in docs/configuration.md and offered in .env.example, and none else is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

READ_BEFORE_ENV_FILE = {"ENV_FILE", "DJANGO_SETTINGS_MODULE"}
"""They say which file and which settings to read, so a file is no place for them."""


def variables_of_settings() -> set[str]:
    """Names in ``env.int("NAME")``, ``os.environ.get("NAME")`` and their like."""
    sources = [*ROOT.glob("transcribify/settings/*.py"), ROOT / "deploy/settings.py"]
    trees = [ast.parse(path.read_text()) for path in sources if path.name != "test.py"]
    return {name for tree in trees for node in ast.walk(tree) for name in names_read(node)}


def names_read(node: ast.AST) -> Iterator[str]:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
        return
    reader, name = ast.unparse(node.func.value), node.args[0]
    if reader in {"env", "os.environ", "os"} and isinstance(name, ast.Constant) and str(name.value).isupper():
        yield str(name.value)


def variables_of_compose() -> set[str]:
    return set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))


def documented_variables() -> list[str]:
    return re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE)


def offered_variables() -> list[str]:
    return re.findall(r"^#?([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)


def test_there_are_variables_to_document() -> None:
    assert {"SECRET_KEY", "DATA_DIR", "PORT", "AUDIO_LIMIT_SECONDS", "ENV_FILE"} <= variables_of_settings()
    assert "POSTGRES_PASSWORD" in variables_of_compose()


def test_every_variable_has_one_row_in_the_guide_and_every_row_a_variable() -> None:
    read = variables_of_settings() | variables_of_compose() | {"DJANGO_SETTINGS_MODULE"}
    assert sorted(documented_variables()) == sorted(read)


def test_every_variable_has_one_line_in_the_example_and_every_line_a_variable() -> None:
    read = variables_of_settings() | variables_of_compose()
    assert sorted(offered_variables()) == sorted(read - READ_BEFORE_ENV_FILE)


def test_the_example_changes_nothing_as_it_is() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []

"""The report writers by name: dotted paths, imported on first use, in a worker."""

from functools import cache
from importlib import import_module

from jobs.errors import ReportError
from reports.writers.base import Writer, WriterConfig

WRITERS = {
    "openai": "reports.writers.openai_api.OpenAIWriter",
    "extractive": "reports.writers.extractive.ExtractiveWriter",
}


def is_known(name: str) -> bool:
    """Whether ``name`` could be a writer: a registered one or a dotted path."""
    return name in WRITERS or "." in name


@cache
def get_writer(name: str, config: WriterConfig) -> Writer:
    """The one instance of this process for ``name``. Raises ``ReportError``."""
    module_name, _, class_name = WRITERS.get(name, name).rpartition(".")
    try:
        writer_class = getattr(import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError) as error:
        known = ", ".join(sorted(WRITERS))
        raise ReportError(f"REPORT_WRITER={name} cannot be loaded ({error}). Use auto or one of {known}.") from error
    writer: Writer = writer_class(config)
    return writer

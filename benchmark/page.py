"""docs/benchmarks.md, made from the figures of ``./run bench``."""

from collections.abc import Iterable
from typing import Any

Figures = dict[str, Any]

HEAD = """\
# Benchmarks

What the service costs over the library inside it, what a second worker brings, how much memory a long recording takes,
and whether answers slow down as jobs pile up. Made by `./run bench` from its figures: change them there, not here.

```console
./run bench                               # everything, about an hour; nothing else should run meanwhile
./run bench suite --only pipeline_cost    # one part; the others stay as they were
./run bench suite --quick                 # small: to see that it works. Its figures say nothing
./run bench help                          # every benchmark there is
```

No model is downloaded: `benchmark/load_model.py` writes one of exactly Whisper's architecture (int8 weights of the
same shapes, every layer computed) that hears the same sentence in every window. What it costs is real; what it says is
known. Recordings are made of the speech in this checkout (`benchmark/recordings.py`). Whatever is compared takes turns
on the same machine; figures are medians, ratios are medians of pairs. Bare means faster-whisper's own
`BatchedInferencePipeline` in a process with the model loaded, and with the same batch size, beam size and threads.
"""

Row = tuple[object, ...]


def render(figures: dict[str, Figures]) -> str:
    """The page. ``figures`` has, for each benchmark that was run, its ``figures`` and where they come from."""
    parts, shown = [HEAD], ""
    for name, section in SECTIONS.items():
        if name not in figures:
            continue
        machine = _machine(figures[name])
        if machine != shown:
            parts.append(machine)
            shown = machine
        parts.append(section(figures[name]["figures"]) + "\n" + _provenance(figures[name]))
    return "\n".join(parts)


def _pipeline_cost(found: Figures) -> str:
    goals = found["goals"]
    rows: list[Row] = [
        ("seconds from POST to done", found["service_wall_seconds"], found["bare_wall_seconds"],
         _ratio(found["wall_ratio"]), f"≤ {goals['wall_ratio']}"),
        ("processor seconds, all processes", found["service_cpu_seconds"], found["bare_cpu_seconds"],
         _ratio(found["cpu_ratio"]), f"≤ {goals['cpu_ratio']}"),
    ]  # fmt: skip
    return (
        f"## What the service costs\n\n{_minutes(found['audio_seconds'])} of audio, Whisper {found['model']}, batches "
        f"of {found['batch_size']}, beam size {found['beam_size']}, {found['threads']} threads, language "
        f"{found['language']}; {found['rounds']} pairs. Both decode the same file and find the speech in it.\n\n"
        + _table(("", "service", "bare", "ratio", "goal"), rows)
    )


def _speedup(found: Figures) -> str:
    rows: list[Row] = [
        ("one", found["service_one_worker_seconds"], found["bare_one_process_seconds"]),
        ("two", found["service_two_workers_seconds"], found["bare_two_processes_seconds"]),
        ("speed-up", _ratio(found["service_speedup"]), _ratio(found["bare_speedup"])),
    ]
    return (
        f"## What a second worker brings to one recording\n\n{_minutes(found['audio_seconds'])} of audio, Whisper "
        f"{found['model']}, one thread each; seconds from POST to done. Two bare processes have half of the recording "
        f"each.\n\n{_table(('workers or processes', 'service', 'bare'), rows)}\n"
        f"The service has {_ratio(found['ratio'])} of the bare speed-up (goal: ≥ {found['goal']}).\n"
    )


def _memory(found: Figures) -> str:
    short, long, goals = found["worker_short"], found["worker_long"], found["goals"]
    length = (_minutes(found["short_seconds"]), _minutes(found["long_seconds"]))
    worker: list[Row] = [
        ("all Python processes of the worker", short["worker_megabytes"], long["worker_megabytes"],
         found["worker_difference_megabytes"], f"≤ {goals['worker_difference_megabytes']}"),
        ("the largest of them", short["largest_process_megabytes"], long["largest_process_megabytes"],
         _minus(long["largest_process_megabytes"], short["largest_process_megabytes"]), ""),
        ("ffmpeg", short["ffmpeg_megabytes"], long["ffmpeg_megabytes"],
         _minus(long["ffmpeg_megabytes"], short["ffmpeg_megabytes"]), ""),
    ]  # fmt: skip
    web: list[Row] = [
        ("web process", found["web_before_megabytes"], found["web_highest_megabytes"],
         found["web_difference_megabytes"], f"± {goals['web_difference_megabytes']}"),
    ]  # fmt: skip
    return (
        f"## What a long recording takes in memory\n\nWhisper {found['model']}; peaks of resident memory in MB.\n\n"
        + _table(("", *length, "difference", "goal"), worker)
        + f"\nWhile a file of {found['upload_megabytes']:.0f} MB is uploaded:\n\n"
        + _table(("", "before", "highest", "difference", "goal"), web)
    )


def _rows(found: Figures) -> str:
    parts = [
        "## Whether answers slow down as jobs pile up\n\nMilliseconds with few and with many jobs in the tables; the "
        "goal is for what people wait for.\n"
    ]
    for database, answers in found.items():
        rows: list[Row] = [
            (name, each["ms_few"], each["ms_many"], _ratio(each["ratio"]), "≤ 1.5" if each["required"] else "")
            for name, each in answers.items()
        ]
        parts.append(f"{database}:\n\n" + _table(("answer", "few", "many", "ratio", "goal"), rows))
    return "\n".join(parts)


def _ceilings(found: Figures) -> str:
    rows: list[Row] = [
        (name, way["wall_seconds"], way["cpu_seconds"], way["rtf"], round(way["peak_rss_megabytes"]))
        for name, way in found["ways"].items()
    ]
    return (
        f"## How fast faster-whisper itself is here\n\n{_minutes(found['audio_seconds'])} of audio in "
        f"{found['windows']} windows, Whisper {found['model']}, {found['threads']} threads; decoding and finding the "
        "speech are not counted.\n\n" + _table(("way", "seconds", "processor seconds", "RTF", "memory, MB"), rows)
    )


SECTIONS = {
    "pipeline_cost": _pipeline_cost,
    "speedup": _speedup,
    "memory": _memory,
    "rows": _rows,
    "ceilings": _ceilings,
}


def _machine(found: Figures) -> str:
    machine = found["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in found["versions"].items() if name != "commit")
    return (
        f"What follows was measured on: {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gigabytes']} GB, {machine['system']}; {packages}.\n"
    )


def _provenance(found: Figures) -> str:
    given = "".join(f", with `{text}`" for text in found["given"])
    return f"{found['measured_at'][:10]}, commit {found['versions']['commit']}{given}.\n"


def _table(head: Row, rows: Iterable[Row]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def _ratio(number: float) -> str:
    return f"{number:.2f}"


def _minus(left: float, right: float) -> float:
    return round(left - right, 1)


def _minutes(seconds: float) -> str:
    if seconds >= 3600:
        return f"{seconds / 3600:g} h"
    return f"{seconds / 60:g} min"

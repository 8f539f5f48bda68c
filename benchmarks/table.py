"""Results as Markdown: what `make bench` prints and what is in docs/benchmarks.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.results import BASELINE, MB, ONE

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "docs" / "benchmarks.json"
STREAMING = ROOT / "benchmarks" / "streaming.json"
PAGE, README = ROOT / "docs" / "benchmarks.md", ROOT / "README.md"
SHORT_BEGIN, SHORT_END = "<!-- speed: written by `python -m benchmarks --page` -->", "<!-- end of speed -->"
FIRST_ROW, SHUFFLED_MEMORY = "first row after planning, sooner", "peak memory over imports, shuffled"
"""Figures of streaming that the README shows, by their names."""
BEGIN, END = "<!-- figures: written by `python -m benchmarks --page` -->", "<!-- end of figures -->"


def render(results: dict[str, Any]) -> str:
    """All tables of a run."""
    parts = [_machine(results["machine"])]
    for kind in ("sera", "views", "two_views", "filters", "swe_zero"):
        if kind in results:
            parts += [
                f"### {results[kind]['title']}",
                _state(results[kind]),
                _variants(results[kind]),
                _targets(results[kind]["targets"]),
            ]
            if "stages" in results[kind]:
                parts += [_stages(results[kind])]
            if "core_hours" in results[kind]:
                hours = results[kind]["core_hours"]
                parts += [f"The 12,290,800 rows of SWE-ZERO-12M take {hours:.1f} hours of one core."]
    if "startup" in results:
        parts += ["### Start", _state(results["startup"]), _targets(results["startup"]["targets"])]
    if "growth" in results:
        parts += [
            "### Growth",
            _state(results["growth"]),
            _growth(results["growth"]),
            _targets(results["growth"]["targets"]),
        ]
    return "\n\n".join(parts) + "\n"


def write_page(results: dict[str, Any]) -> None:
    """Put the tables between the marks of the page, and the few that matter most between those of the README."""
    streaming = json.loads(STREAMING.read_text(encoding="utf-8"))
    put(PAGE, BEGIN, render(results), END)
    put(README, SHORT_BEGIN, short(results, streaming), SHORT_END)


def short(results: dict[str, Any], streaming: dict[str, Any]) -> str:
    """The three figures of the README."""
    part = results["sera"]
    ours, plain = part["variants"][ONE], part["variants"][BASELINE]
    figures = {one["name"]: one["figure"] for one in streaming["targets"]}
    less = plain["cpu"] / ours["cpu"]
    converting = (
        f"{part['rows'] / ours['wall']:,.0f} rows/s; a script with `json` and `jsonschema` takes {less:.1f} times"
    )
    lines = [
        ["one process", "figure"],
        ["converting to Parquet", f"{converting} the processor time"],
        ["first row of a stream, after planning", f"{figures[FIRST_ROW]:.1f} times sooner than with `datasets` alone"],
        ["memory of a shuffled stream", f"{figures[SHUFFLED_MEMORY]:.0f} MB beside the imports"],
    ]
    return markdown(lines) + "\n"


def put(path: Path, begin: str, section: str, end: str) -> None:
    """Write a section anew between its marks on a page."""
    text = path.read_text(encoding="utf-8")
    before, after = text.split(begin)[0], text.split(end)[1]
    path.write_text(f"{before}{begin}\n\n{section}\n{end}{after}", encoding="utf-8")


def _machine(machine: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return f"{machine['cpus']} CPUs, Python {machine['python']}, {versions}."


def _state(part: dict[str, Any]) -> str:
    """How busy the machine was before and after a part was measured."""
    if "load" not in part:
        return "How busy the machine was is not recorded."
    load, at_hand = part["load"], part["at_hand"]
    return (
        f"Load average {load[0]:.1f} to {load[1]:.1f}; two processes that share nothing got {at_hand[0]:.2f} to "
        f"{at_hand[1]:.2f} CPUs, which is the most that two workers can gain."
    )


def _variants(part: dict[str, Any]) -> str:
    head = ["variant", "rows/s", "CPU per row", "memory", "whole process: rows/s", "CPU per row"]
    rows = part["rows"]
    lines = []
    for name, one in part["variants"].items():
        # Work in other processes is not seen from inside: only whole processes show what it took.
        inside = one["workers"] == 1
        lines.append(
            [
                name,
                f"{rows / one['wall']:,.0f}",
                f"{one['cpu'] / rows * 1e6:,.0f} us" if inside else "",
                f"{one['memory'] / MB:,.0f} MB" if inside else "",
                f"{rows / one['process_wall']:,.0f}",
                f"{one['process_cpu'] / rows * 1e6:,.0f} us",
            ]
        )
    return markdown([head, *lines])


def _stages(part: dict[str, Any]) -> str:
    rows = part["rows"]
    stages = {**part["stages"], "sum": sum(part["stages"].values())}
    section = markdown([["stage", "CPU per row"], *([name, f"{s / rows * 1e6:,.0f} us"] for name, s in stages.items())])
    checks = {**part["checks"], "sum": sum(part["checks"].values())}
    return (
        section
        + "\n\n"
        + markdown([["check", "CPU per row"], *([name, f"{s / rows * 1e6:,.1f} us"] for name, s in checks.items())])
    )


def _growth(part: dict[str, Any]) -> str:
    head = ["rows", "bytes per raw row", "CPU per row", "CPU per raw byte", "memory"]
    lines = [
        [
            f"{one['rows']:,.0f}",
            f"{one['row_bytes']:,.0f}",
            f"{one['us_per_row']:,.0f} us",
            f"{one['ns_per_byte']:.2f} ns",
            f"{one['memory'] / MB:,.0f} MB",
        ]
        for one in [*part["by_rows"], *part["by_bytes"]]
    ]
    return markdown([head, *lines])


def _targets(targets: list[dict[str, Any]]) -> str:
    head = ["target", "figure", "bound", ""]
    lines = [
        [
            one["name"],
            f"{one['figure']:.3g} {one['unit']}",
            f"{one['way']} {one['bound']:g} {one['unit']}",
            "met" if one["met"] else "**missed**",
        ]
        for one in targets
    ]
    return markdown([head, *lines])


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table, the header first, its columns lined up."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in [lines[0], rule, *lines[1:]]
    )

"""The README tells the truth: its example prints what it says, its tables name what there is."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path

import pytest

from benchmarks.table import BEGIN, END, PAGE, RESULTS, SHORT_BEGIN, SHORT_END, STREAMING, render, short
from sera_swezero.catalog import CONFIGS, DEFAULT
from sera_swezero.errors import REASONS
from sera_swezero.request.arguments import ARGUMENTS
from tests.request.test_arguments import CLASHES

HERE = Path(__file__).resolve().parent.parent
TEXT = (HERE / "README.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The cells of the first table behind a heading, without its two head lines."""
    lines = TEXT.split(f"## {heading}\n", 1)[1].splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


@pytest.mark.matrix
def test_the_first_example_prints_what_the_readme_shows() -> None:
    code, expected = re.findall(r"```(?:python|text)\n(.*?)```", TEXT, re.DOTALL)[:2]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert printed.getvalue() == expected


def test_the_config_table_is_the_config_table() -> None:
    for row, config in zip(table("Configs"), CONFIGS.values(), strict=True):
        name = f"`{config.name}`" + (" (default)" if config.name == DEFAULT else "")
        upstream = config.origins[0].repo if len(config.origins) == 1 else "the four above"
        licences = ", ".join(sorted({origin.license for origin in config.origins}))
        assert row == [name, upstream, f"{config.rows:,}", config.default_view, licences]


def test_the_table_of_arguments_is_their_declaration() -> None:
    declared = [[f"`{one.name}`", one.values, one.meaning] for one in ARGUMENTS.values()]
    assert table("Arguments") == declared


def test_every_clash_and_every_reason_is_named() -> None:
    pairs = TEXT.split("So does a pair that makes no sense:", 1)[1].split("## Rows", 1)[0]
    for pair in CLASHES:
        assert any(all(name in line for name in pair) for line in pairs.splitlines()), pair
    for reason in REASONS:
        assert f"`{reason}`" in TEXT


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT):
        assert (HERE / target).exists(), target


def test_the_statistics_are_those_of_the_page_that_is_held_to_the_command() -> None:
    page = (HERE / "docs/statistics.md").read_text(encoding="utf-8")
    expected = [
        line for line in TEXT.split("## What is in it", 1)[1].split("\n## ", 1)[0].splitlines() if line[:1] == "|"
    ]
    assert len(expected) == 24
    for line in expected:
        assert line in page


def test_the_speed_told_is_the_speed_measured() -> None:
    results, streaming = (json.loads(path.read_text(encoding="utf-8")) for path in (RESULTS, STREAMING))
    assert f"{SHORT_BEGIN}\n\n{short(results, streaming)}\n{SHORT_END}" in TEXT
    assert f"{BEGIN}\n\n{render(results)}\n{END}" in PAGE.read_text(encoding="utf-8")

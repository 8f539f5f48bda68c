"""Tables on a terminal and in a pipe: no name and no number is ever cut."""

from __future__ import annotations

import re

import pytest

from sera_swezero.display.table import Table, print_table

NAMES = [f"glm-4.5-air-full-t{number}-rectified" for number in (1, 2)]
TABLE = Table(
    title="What there is",
    header=["config", "records in", "rows", "rejected", "size", "tool calls: min / mean / max"],
    rows=[
        [name, "1,234,567", "1,234,560", "2 bad_arguments, 5 no_submission", "99.0 kB", "0 / 6.4 / 12"]
        for name in NAMES
    ],
    text_columns=(0, 3),
    note="A note " * 30,
)


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 200, None])
def test_names_and_numbers_are_whole_at_any_width(
    columns: int | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if columns is not None:
        monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal
    monkeypatch.setenv("COLUMNS", str(columns or 30))
    print_table(TABLE)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    text = "\n".join(lines)
    words = {word.strip(",") for line in lines for word in line.split()}
    assert {*NAMES, "1,234,567", "1,234,560", "bad_arguments", "no_submission", "kB"} <= words
    assert text.count("99.0 kB") == text.count("0 / 6.4 / 12") == 2
    if columns is not None and columns >= 60:
        assert max(map(len, lines[:-1])) <= columns
    if columns is None:
        assert len(lines) == 5, "a line of the table is a line in a pipe"

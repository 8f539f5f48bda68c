"""What hostile text does to a terminal: nothing."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from sera_swezero.cli import main
from sera_swezero.cli.row_printer import render
from sera_swezero.display.table import Table, print_table
from sera_swezero.views import VIEWS

HOSTILE = "a\x1b]0;x\x07b\x9b2Jc"


def harmless(printed: str) -> bool:
    return "\\x1b" in printed and all(char.isprintable() or char == "\n" for char in printed)


def test_names_and_texts_of_a_row_are_escaped() -> None:
    out = io.StringIO()
    call = {"function": {"name": HOSTILE, "arguments": {HOSTILE: HOSTILE}}}
    view = replace(VIEWS["native"], messages_columns=("dialogue",))
    render(
        {HOSTILE: HOSTILE, "dialogue": [{"role": HOSTILE, "tool_calls": [call]}]}, view, Console(file=out, width=200)
    )
    assert harmless(out.getvalue())
    assert "[0] tool_call" in out.getvalue()


def test_cells_of_a_table_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(Table(header=["name"], rows=[[HOSTILE]]))
    assert harmless(capsys.readouterr().out)


def test_an_error_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["show", HOSTILE])
    assert harmless(capsys.readouterr().err)

"""A row on a terminal: a header of its columns, then its messages, whatever the view."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sera_swezero.core.message_order import WRAPPERS

PAYLOADS = ("messages", "conversations")
"""Columns that hold the trajectory, as a list or as JSON text of one."""

_HEAD, _TAIL = 6, 4  # lines of a folded text that stay
_WIDEST = 400  # characters of a line that stay
_COLOURS = {
    "system": "dim",
    "user": "bold blue",
    "human": "bold blue",
    "reasoning": "magenta",
    "assistant": "magenta",
    "gpt": "magenta",
    "tool_call": "bold yellow",
    "function_call": "bold yellow",
    "tool_output": "cyan",
    "tool": "cyan",
    "observation": "cyan",
    "answer": "bold green",
}
_FOLDED = {"system", "tool_output", "tool", "observation"}


class Part(NamedTuple):
    """A piece of a message under one heading."""

    role: str
    text: str
    folds: bool


def render(row: dict[str, Any], console: Console, *, full: bool = False, most: int | None = None) -> None:
    """Print the row.

    Args:
        row: of any view, as it is yielded.
        console: where to; one that is no terminal gets plain text without colours or wrapping.
        full: whole texts; else long observations keep their first and last lines.
        most: how many messages to show, from the beginning and the end, all long texts folded; None for all of them.
    """
    payload = next((name for name in PAYLOADS if name in row), None)
    console.print(_header({name: value for name, value in row.items() if name != payload}))
    messages = row.get(payload) if payload else None
    leaves = json.loads(messages) if isinstance(messages, str) else messages or []
    shows = len(leaves) if most is None else most
    hidden = range(shows - shows // 2, len(leaves) - shows // 2)
    for number, leaf in enumerate(leaves):
        if number in hidden:
            if number == hidden.start:
                console.print(f"\n[dim]... {len(hidden)} messages hidden ...[/]")
            continue
        for part in parts(json.loads(leaf) if isinstance(leaf, str) else leaf, number):
            folds = (part.folds or most is not None) and not full
            _print(part._replace(folds=folds), number, console)


def _print(part: Part, number: int, console: Console) -> None:
    colour = _COLOURS.get(part.role.partition(" ")[0], "bold")
    console.print()
    console.print(Text(f"[{number}] {part.role}", style=f"{colour} reverse" if console.is_terminal else colour))
    body = shown(part.text, fold=part.folds)
    console.print(Text(body, style="dim" if part.role == "system" else ""), soft_wrap=not console.is_terminal)


def parts(message: dict[str, Any], number: int) -> Iterator[Part]:
    """What a message says, under headings: reasoning, text, tool calls."""
    role = str(message.get("role", message.get("from", "?")))
    if message.get("reasoning_content"):
        yield Part(f"{role} (reasoning)", str(message["reasoning_content"]), folds=False)
    content = message.get("content", message.get("value"))
    text = "".join(str(part.get("text", "")) for part in content) if isinstance(content, list) else str(content or "")
    # SWE-ZERO's own chat has observations as user messages; the first user message is the task.
    folds = role in _FOLDED or (role in ("user", "human") and number > 1)
    if role in WRAPPERS:
        opening, closing = WRAPPERS[role]
        text = text.removeprefix(opening).removesuffix(closing)
    if role in ("tool_call", "function_call"):
        yield _call(role, text)
    elif text or not message.get("tool_calls"):
        yield Part(role, text, folds)
    calls = message.get("tool_calls") or []
    for call in json.loads(calls) if isinstance(calls, str) else calls:
        yield _call("tool_call", call.get("function", call))


def _call(role: str, call: Any) -> Part:
    """A call as its tool's name and one argument after the other, text as text."""
    try:
        call = json.loads(call) if isinstance(call, str) else call
        given = call["arguments"]
        values = json.loads(given) if isinstance(given, str) else given or {}
        lines = [f"{name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in values.items()]
        return Part(f"{role} {call['name']}", "\n".join(lines), folds=False)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Part(role, call if isinstance(call, str) else json.dumps(call), folds=False)


def shown(text: str, *, fold: bool) -> str:
    """The text without what a terminal would act on, and folded: first and last lines, and how many are hidden."""
    lines = [
        "".join(char if char.isprintable() or char == "\t" else ascii(char)[1:-1] for char in line)
        for line in text.split("\n")
    ]
    if not fold:
        return "\n".join(lines)
    if len(lines) > _HEAD + _TAIL + 1:
        hidden = len(lines) - _HEAD - _TAIL
        lines = [*lines[:_HEAD], f"  ... {hidden} lines hidden (--full shows them) ...", *lines[-_TAIL:]]
    return "\n".join(
        line if len(line) <= _WIDEST else f"{line[:_WIDEST]} ... {len(line) - _WIDEST} characters hidden"
        for line in lines
    )


def _header(columns: dict[str, Any]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in columns.items():
        told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        table.add_row(name, Text(shown(told, fold=True)))
    return table

"""Prints a row of any view on a terminal: first its columns, then its messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sera_swezero.core.message_order import WRAPPERS
from sera_swezero.display.formatting import escaped
from sera_swezero.views import View

_HEAD, _TAIL = 6, 4
"""How many lines of a folded text are shown, at its beginning and its end."""
_WIDEST = 400
"""How many characters of a folded line are shown."""
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


class MessagePart(NamedTuple):
    """A piece of a message under one heading."""

    heading: str
    """The role, and whatever else distinguishes the pieces of a message."""
    text: str
    folds: bool
    """Whether only the first and last lines are to be shown."""


def render(row: dict[str, Any], view: View, console: Console, *, full: bool = False, most: int | None = None) -> None:
    """Print the row.

    Args:
        row: the row, as the view yields it.
        view: the view.
        console: where to print. Text for a file or a pipe gets neither colours nor line breaks from us.
        full: print whole texts; otherwise only the first and last lines of long observations are printed.
        most: how many messages to print, from the beginning and the end, with all long texts folded; None for all.
    """
    console.print(_header({name: value for name, value in row.items() if name not in view.messages_columns}))
    messages = view.messages(row)
    count = len(messages) if most is None else most
    hidden = range(count - count // 2, len(messages) - count // 2)
    for number, message in enumerate(messages):
        if number in hidden:
            if number == hidden.start:
                console.print(f"\n[dim]... {len(hidden)} messages hidden ...[/]")
            continue
        for part in parts(message, number):
            folds = (part.folds or most is not None) and not full
            _print(part._replace(folds=folds), number, console)


def _print(part: MessagePart, number: int, console: Console) -> None:
    colour = _COLOURS.get(part.heading.partition(" ")[0], "bold")
    console.print()
    console.print(
        Text(escaped(f"[{number}] {part.heading}"), style=f"{colour} reverse" if console.is_terminal else colour)
    )
    body = printable(part.text, fold=part.folds)
    console.print(Text(body, style="dim" if part.heading == "system" else ""), soft_wrap=not console.is_terminal)


def parts(message: dict[str, Any], number: int) -> Iterator[MessagePart]:
    """Split a message into its reasoning, its text and its tool calls, each under a heading."""
    role = str(message.get("role", message.get("from", "?")))
    if message.get("reasoning_content"):
        yield MessagePart(f"{role} (reasoning)", str(message["reasoning_content"]), folds=False)
    content = message.get("content", message.get("value"))
    text = "".join(str(part.get("text", "")) for part in content) if isinstance(content, list) else str(content or "")
    # In SWE-ZERO's own chat, observations are user messages. The first user message is the task.
    folds = role in _FOLDED or (role in ("user", "human") and number > 1)
    if role in WRAPPERS:
        opening, closing = WRAPPERS[role]
        text = text.removeprefix(opening).removesuffix(closing)
    if role in ("tool_call", "function_call"):
        yield _call(role, text)
    elif text or not message.get("tool_calls"):
        yield MessagePart(role, text, folds)
    calls = message.get("tool_calls") or []
    for call in json.loads(calls) if isinstance(calls, str) else calls:
        yield _call("tool_call", call.get("function", call))


def _call(role: str, call: Any) -> MessagePart:
    """Show a call as the name of its tool and its arguments, one per line, with text as it is."""
    try:
        call = json.loads(call) if isinstance(call, str) else call
        given = call["arguments"]
        values = json.loads(given) if isinstance(given, str) else given or {}
        lines = [f"{name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in values.items()]
        return MessagePart(f"{role} {call['name']}", "\n".join(lines), folds=False)
    except (ValueError, KeyError, TypeError, AttributeError):
        return MessagePart(role, call if isinstance(call, str) else json.dumps(call), folds=False)


def printable(text: str, *, fold: bool) -> str:
    """Return the text as it is printed: escaped, and if it is folded, only its first and last lines."""
    lines = [escaped(line) for line in text.split("\n")]
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
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        table.add_row(escaped(name), Text(printable(text, fold=True)))
    return table

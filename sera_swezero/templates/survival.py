"""What a chat template keeps of rows: a look before training, because templates silently drop what they do not know.

Every text of a row is put between two marks of its own before rendering, so that "found" means this very text, whole
and in the place where the template wrote it, and not one like it elsewhere.
"""

from __future__ import annotations

import json
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jinja2

from sera_swezero.errors import ConfigError
from sera_swezero.templates.chat_template import ChatTemplate
from sera_swezero.views import VIEWS, Row
from sera_swezero.views.token_limit import spans

KINDS = ("reasoning", "calls", "observations", "answers")
"""What is looked for: thinking, tool calls (name and every text argument), what came back, and visible text."""

Message = dict[str, Any]


@dataclass
class SurvivalCounts:
    """What a template did to rows."""

    rows: int = 0
    """Rows that were rendered."""
    failed: Counter[str] = field(default_factory=Counter)
    """Error -> rows that could not be rendered."""
    kept: Counter[str] = field(default_factory=Counter)
    """Texts that survived, by kind."""
    total: Counter[str] = field(default_factory=Counter)
    """Texts there were, by kind."""
    nulls: int = 0
    """Keys of messages and tools that hold null, which some reader put there."""
    argument_nulls: int = 0
    """Such keys inside arguments, which a model may have written."""
    characters: int = 0
    """Characters of the renderings."""
    tokens: int | None = None
    """Tokens of the renderings; None without a tokenizer."""
    trained: int | None = None
    """Tokens of the parts that are marked as the model's; None without a tokenizer or without marks."""
    turns: int = 0
    """Turns of the model in the renderings."""
    cut_turns: int = 0
    """Those of them that a trainer with the given limit would not see to their end."""

    @property
    def whole(self) -> bool:
        """Whether every row rendered, with all its texts, without a null and within the limit."""
        faults = self.failed or self.nulls or self.cut_turns
        return self.rows > 0 and not faults and self.kept == self.total

    def share(self, kind: str) -> float | None:
        """Share of the texts of a kind that was kept; None where the rows have none."""
        return self.kept[kind] / self.total[kind] if self.total[kind] else None


# What a template may raise, besides its own errors; Jinja runs it as Python.
_FAILURES = (jinja2.TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError)


def look(
    rows: Iterable[Row],
    view: str,
    template: ChatTemplate,
    tokenizer: str | None = None,
    max_length: int | None = None,
) -> SurvivalCounts:
    """Render rows, as `datasets` returns them, and count what survived.

    Args:
        rows: of the view.
        view: its name.
        template: what renders them.
        tokenizer: hub id, folder or file; counts tokens.
        max_length: tokens behind which a trainer cuts a rendering off; takes a tokenizer.

    Raises:
        ConfigError: the view has no chat; the tokenizer cannot be loaded.
    """
    shows = VIEWS[view]
    if shows.chat is None or shows.mark is None:
        chats = ", ".join(one.name for one in VIEWS.values() if one.chat)
        msg = f"the view {view!r} holds raw records and no chat; take one of {chats}"
        raise ConfigError(msg)
    found = SurvivalCounts()
    for row in rows:
        messages, tools = shows.chat(row)
        everywhere, inside = _nulls(messages) + _nulls(tools), _nulls(_arguments(messages))
        found.nulls += everywhere - inside
        found.argument_nulls += inside
        marks = _Marks()
        try:
            probed = template.render(list(marks.messages(messages, shows.mark)), tools).text
            rendered = template.render(messages, tools)
        except _FAILURES as error:
            found.failed[f"{type(error).__name__}: {error}"] += 1
            continue
        found.rows += 1
        marks.count(probed, found)
        found.characters += len(rendered.text)
        if tokenizer is not None:
            places = spans(tokenizer, rendered.text)
            found.tokens = (found.tokens or 0) + len(places)
            if template.marks:
                found.trained = (found.trained or 0) + _inside(places, rendered.trained)
            ends = marks.turn_ends(probed)
            found.turns += len(ends)
            if max_length is not None and len(places) > max_length:
                found.cut_turns += sum(end > places[max_length - 1][1] for end in ends)
    return found


class _Group(NamedTuple):
    """Texts that are kept or lost together: their kind, and the message that they are of."""

    kind: str
    message: int
    texts: list[str]


class _Marks:
    """Texts between marks, and which of them came through."""

    def __init__(self) -> None:
        self._salt = secrets.token_hex(8)  # cannot occur in a row
        self._groups: list[_Group] = []
        self._message = 0

    def messages(self, messages: Iterable[Message], mark: Callable[[Message, _Marks], Message]) -> Iterator[Message]:
        """The messages of a chat with their texts between marks."""
        for self._message, message in enumerate(messages):
            yield mark(message, self)

    def group(self, kind: str) -> None:
        """Begin a thing of `kind`, kept only if every text of it is."""
        self._groups.append(_Group(kind, self._message, []))

    def mark(self, text: str, kind: str | None = None) -> str:
        """Put marks around a text of the group that is open, or of one of its own; "" stays as it is."""
        if not text.strip():
            return text
        if kind is not None:
            self.group(kind)
        texts = self._groups[-1].texts
        texts.append(text)
        return "{}{}{}".format(*self._around(len(self._groups) - 1, len(texts) - 1, text))

    def values(self, value: Any) -> Any:
        """Mark every text of JSON values."""
        if isinstance(value, str):
            return self.mark(value)
        if isinstance(value, dict):
            return {key: self.values(item) for key, item in value.items()}
        return [self.values(item) for item in value] if isinstance(value, list) else value

    def count(self, rendered: str, found: SurvivalCounts) -> None:
        """Look for every group's texts in the rendering."""
        for number, (kind, _, texts) in enumerate(self._groups):
            found.total[kind] += 1
            found.kept[kind] += all(self._kept(rendered, number, index, text) for index, text in enumerate(texts))

    def turn_ends(self, rendered: str) -> list[int]:
        """Where each message of the model that came through ends, in characters of a rendering without marks."""
        ends: dict[int, int] = {}
        marks = 0
        for found in re.finditer(rf"\[{self._salt}\d+\.\d+>|<(\d+)\.\d+{self._salt}\]", rendered):
            if found[1] and (group := self._groups[int(found[1])]).kind != "observations":
                ends[group.message] = found.start() - marks
            marks += len(found[0])
        return list(ends.values())

    def _around(self, group: int, index: int, text: str) -> tuple[str, str, str]:
        return f"[{self._salt}{group}.{index}>", text, f"<{group}.{index}{self._salt}]"

    def _kept(self, rendered: str, group: int, index: int, text: str) -> bool:
        opening, _, closing = self._around(group, index, text)
        between = rendered.partition(opening)[2].partition(closing)
        if not between[1]:
            return False
        if between[0] in (text, repr(text)[1:-1]):  # as it is, or in a call written as Python
            return True
        try:
            return bool(json.loads(f'"{between[0]}"', strict=False) == text)  # a string inside JSON
        except ValueError:
            return False


def _arguments(messages: list[Message]) -> list[Any]:
    calls = (call for message in messages for call in message.get("tool_calls") or ())
    return [call["function"]["arguments"] for call in calls]


def _nulls(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(1 if item is None else _nulls(item) for item in value.values())
    return sum(map(_nulls, value)) if isinstance(value, list) else 0


def _inside(places: Iterable[tuple[int, int]], parts: list[tuple[int, int]]) -> int:
    """How many tokens lie in one of the parts, both in order."""
    count = at = 0
    for start, end in places:
        while at < len(parts) and parts[at][1] <= start:
            at += 1
        count += at < len(parts) and end > parts[at][0] and start < parts[at][1]
    return count

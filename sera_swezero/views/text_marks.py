"""Marks around the texts of a chat, by which each text is found again in what a template makes of the chat.

Each text has marks of its own, so an equal text in another place is never taken for it.
"""

from __future__ import annotations

import json
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple


class _Group(NamedTuple):
    """Texts that are kept or lost together: their kind, and the message that they are of."""

    kind: str
    message: int
    texts: list[str]


class MarkedText(NamedTuple):
    """A text that came through a template."""

    kind: str
    message: int
    start: int
    """In characters of the rendering without marks."""
    end: int


class Marks:
    """Texts between marks, and which of them came through."""

    def __init__(self) -> None:
        self._salt = secrets.token_hex(8)  # cannot occur in a row
        self._groups: list[_Group] = []
        self._message = 0

    def messages(
        self,
        messages: Iterable[dict[str, Any]],
        mark: Callable[[dict[str, Any], Marks], dict[str, Any]],
        first: int = 0,
    ) -> Iterator[dict[str, Any]]:
        """The messages of a chat with their texts between marks, from the message of this number on."""
        for self._message, message in enumerate(messages):
            yield mark(message, self) if self._message >= first else message

    def group(self, kind: str) -> None:
        """Begin a group of texts, such as a call, that counts as kept only if all of its texts are."""
        self._groups.append(_Group(kind, self._message, []))

    def mark(self, text: str, kind: str | None = None) -> str:
        """Put marks around a text of the open group or, with `kind`, of one of its own. Blank text stays as it is."""
        if not text.strip():
            return text
        if kind is not None:
            self.group(kind)
        group, texts = len(self._groups) - 1, self._groups[-1].texts
        texts.append(text)
        index = len(texts) - 1
        return f"[{self._salt}{group}.{index}>{text}<{group}.{index}{self._salt}]"

    def values(self, value: Any) -> Any:
        """Mark every text of JSON values."""
        if isinstance(value, str):
            return self.mark(value)
        if isinstance(value, dict):
            return {key: self.values(item) for key, item in value.items()}
        return [self.values(item) for item in value] if isinstance(value, list) else value

    def count(self, rendered: str) -> tuple[Counter[str], Counter[tuple[str, int]]]:
        """Count the groups in a rendering: (kind -> how many there were, (kind, message) -> how many were lost)."""
        between = {key: rendered[start:end] for key, start, end, _ in reversed([*self._found(rendered)])}
        total: Counter[str] = Counter()
        lost: Counter[tuple[str, int]] = Counter()
        for number, (kind, message, texts) in enumerate(self._groups):
            total[kind] += 1
            if not all(_same(text, between.get((number, index))) for index, text in enumerate(texts)):
                lost[kind, message] += 1
        return total, lost

    def texts(self, rendered: str) -> list[MarkedText]:
        """The texts that came through, in order of their ends."""
        found: list[MarkedText] = []
        for (number, _), start, end, marks in self._found(rendered):
            group = self._groups[number]
            found.append(MarkedText(group.kind, group.message, start - marks, end - marks))
        return found

    def _found(self, rendered: str) -> Iterator[tuple[tuple[int, int], int, int, int]]:
        """Each text that has both of its marks: its key, start and end, and the characters of marks before it."""
        opened: dict[tuple[int, int], tuple[int, int]] = {}
        marks = 0
        for found in re.finditer(rf"\[{self._salt}(\d+)\.(\d+)>|<(\d+)\.(\d+){self._salt}\]", rendered):
            marks += len(found[0])
            if found[1]:
                opened[int(found[1]), int(found[2])] = found.end(), marks
            elif (key := (int(found[3]), int(found[4]))) in opened:
                start, before = opened.pop(key)
                yield key, start, found.start(), before


def _same(text: str, rendered: str | None) -> bool:
    """Whether a text was rendered as it is, as part of a Python string, or as part of a JSON string."""
    if rendered is None or rendered in (text, repr(text)[1:-1]):
        return rendered is not None
    try:
        return bool(json.loads(f'"{rendered}"', strict=False) == text)
    except ValueError:
        return False

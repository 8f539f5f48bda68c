"""The registry of sources, one per upstream corpus. A source is one file, one row here and one golden folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

from sera_swezero.core.conversions import Notes
from sera_swezero.core.rectify import Begun
from sera_swezero.core.trajectory import Event, ToolCall
from sera_swezero.sources import sera, swe_zero


class Briefing(Protocol):
    """Gives the system text of converted rows; `answer`: finishing is an answer rather than a submit call."""

    def __call__(self, trajectory: Any, *, answer: bool) -> str:
        """Give the text for one trajectory."""


@dataclass(frozen=True)
class Source:
    """One upstream corpus: how to read its records and what its views are called.

    read: raw line or row -> typed record; raises RowError.
    events: record -> events in order; raises RowError.
    ordinary: the fast path of both and of rectifying: record -> (the steps that it begins with, as long as they are
        ordinary; the events of a record without them). None where a source has none; raises RowError.
    tools: name of the tool list in `schemas`.
    briefing: system text of converted rows, behind the protocol.
    submit_text: what a submit call says beyond announcing.
    recall: line-level recall of a record, None where it has none.
    card: columns of the rectified view but `messages`; `card_columns` names and types all of them in order.
    native: upstream columns; `native_columns` names and types them per shape of set.
    """

    name: str
    read: Callable[[bytes | dict[str, Any], Notes], Any]
    events: Callable[[Any, Notes], Iterator[Event]]
    ordinary: Callable[[Any, Notes], tuple[Begun, Iterator[Event]]] | None
    tools: str
    briefing: Briefing
    submit_text: Callable[[ToolCall], str]
    recall: Callable[[Any, dict[str, str]], float | None]
    card: Callable[[Any, dict[str, str]], dict[str, Any]]
    card_columns: dict[str, str]
    native: Callable[[Any], dict[str, Any]]
    native_columns: dict[str, dict[str, str]]


def _row(name: str, module: ModuleType) -> Source:
    return Source(
        name,
        module.read,
        module.events,
        getattr(module, "ordinary", None),
        module.TOOLS,
        module.briefing,
        module.submit_text,
        module.recall,
        module.card,
        module.CARD_COLUMNS,
        module.native,
        module.NATIVE_COLUMNS,
    )


SOURCES: dict[str, Source] = {"sera": _row("sera", sera), "swe_zero": _row("swe_zero", swe_zero)}
"""Every source by name."""

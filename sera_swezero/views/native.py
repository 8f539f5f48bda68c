"""The upstream columns, validated and unchanged: for who wants the card's own rows behind the same door.

A record is read and folded like any other, so a row that comes out here would convert; only lone surrogates differ from
upstream (U+FFFD), since Arrow holds none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sera_swezero.sources import Source
    from sera_swezero.views import Columns, Rollout, Row


def columns(source: Source, shape: str) -> Columns:
    """The columns of the upstream set of this shape, in the file's order."""
    return source.native_columns[shape]


def schema(source: str, shape: str) -> str:
    """Name of the row's JSON Schema."""
    del source
    return f"native-{shape}"


def render(rollout: Rollout) -> Row:
    """The record's own columns. Of the notes only those of reading stay: nothing else was done to this row."""
    del rollout.notes[rollout.noted :]
    values = rollout.source.native(rollout.record)
    return {name: values[name] for name in columns(rollout.source, rollout.shape)}

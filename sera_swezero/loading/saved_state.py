"""The saved state of a stream: where it goes on, and under which plan that means the same row."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from sera_swezero.errors import StateError
from sera_swezero.request.arguments import ARGUMENTS


class SavedState(dict[str, Any]):
    """The position of a stream, as `datasets` saves and loads it: key by key, into the dict that the stream made.

    The position is a window, a mark in it, and how many rows of the record after the mark were given already.
    `place` repeats the position, because a key that a damaged state lacks would keep its first value unnoticed. A state
    that is copied or pickled becomes a plain dict, so checkpoints need not know this class.
    """

    def __init__(self, plan: str, kind: str) -> None:
        super().__init__(shard_idx=0, shard_example_idx=-1, row=0, place="0:-1:0", plan=plan, type=kind)

    def __missing__(self, key: str) -> Any:
        msg = (
            f"the state has {key!r}, which this stream does not: it was saved by a stream with other steps around it "
            "(another rank, world size, map or filter)"
        )
        raise StateError(msg)

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


def move(state: dict[str, Any], window: int, mark: int, row: int = 0) -> None:
    """Set the position: a window, the mark of the last record in it (-1: none), and the rows used of the next one."""
    state["shard_idx"], state["shard_example_idx"], state["row"] = window, mark, row
    state["place"] = f"{window}:{mark}:{row}"


def check_state(state: Mapping[str, Any], key: str, kind: str, places: Collection[int]) -> None:
    """Compare a state with the key of the stream that is to go on from it, and with the windows at which it can start.

    Raises:
        StateError: the state is damaged, or was saved under another plan, in another share of the plan, or by a stream
            that keeps no plan; says what differs and which arguments would fit.
    """
    if state["type"] != kind:
        msg = f"the state was saved by {state['type']}, which keeps no plan; it may not fit this stream"
        raise StateError(msg)
    if not isinstance(state["plan"], str):
        msg = f"the state's plan cannot be read: {state['plan']!r}; the text that this package saves was expected"
        raise StateError(msg)
    if state["plan"] == key:
        _check_place(state, places)
        return
    try:
        saved, now = json.loads(state["plan"]), json.loads(key)
        differing = [name for name in now | saved if saved.get(name) != now.get(name)]
    except (TypeError, ValueError, AttributeError):
        msg = f"the state's plan cannot be read: {state['plan']!r}"
        raise StateError(msg) from None
    differences = "; ".join(_difference(name, saved.get(name), now.get(name)) for name in differing)
    wanted = {"name" if name == "config" else name: saved.get(name) for name in differing}
    fitting = ", ".join(f"{name}={_plain(value)}" for name, value in wanted.items() if name in {"name", *ARGUMENTS})
    remedy = f". To go on from it, load with {fitting}" if fitting else ""
    msg = f"the state was saved under another plan and would be misread: {differences}{remedy}"
    raise StateError(msg)


def _check_place(state: Mapping[str, Any], places: Collection[int]) -> None:
    place = window, mark, row = state["shard_idx"], state["shard_example_idx"], state["row"]
    whole = all(isinstance(number, int) and not isinstance(number, bool) for number in place)
    right = whole and window in places and mark >= -1 and row >= 0
    if not right or state["place"] != f"{window}:{mark}:{row}":
        msg = (
            f"the state is damaged: shard_idx={window!r}, shard_example_idx={mark!r} and row={row!r} do not agree with "
            f"place={state['place']!r}; load the state as it was saved"
        )
        raise StateError(msg)


def _difference(name: str, saved: Any, now: Any) -> str:
    if name == "share":
        return f"its share was {saved}, is {now} (another rank, world size or number of workers)"
    if name == "files":
        return "the files below the root have other names or sizes"
    if name in ("rows_version", "order_version"):
        what = "rows" if name == "rows_version" else "the order of rows"
        return f"{name} was {_plain(saved)}, is {_plain(now)}: {what} changed; install the version that saved the state"
    return f"{name} was {_plain(saved)}, is {_plain(now)}"


def _plain(value: Any) -> str:
    """A value as it would be written in a call; one repo's revision as the commit alone."""
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    return repr(value or None) if isinstance(value, dict | str) else repr(value)

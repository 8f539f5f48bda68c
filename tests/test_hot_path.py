"""A guard on the cost of a row that no busy machine can upset: calls and bytes are counted, nothing is timed.

The bounds are what the code needs plus a tenth, so that a fifth more fails. Who makes the hot path dearer on purpose
writes down the new figure here, and why in the commit; who makes it cheaper, too.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from sera_swezero.convert import convert
from sera_swezero.request.settle import Request, settle
from sera_swezero.upstream import Raw
from tools.sample_corpus.corpus import large

SLACK = 1.1

CALLS = {"glm-4.6-lite-t2": 25.5, "swe-zero-1k-32k": 24.6}
"""Calls of functions, Python's and C's, per message of the raw row (CPython 3.11; later ones inline a few)."""

BYTES = {"glm-4.6-lite-t2": 3.48, "swe-zero-1k-32k": 4.1}
"""The most memory that converting a row holds at a time, in bytes per byte of the raw text."""

ROWS = 4
KEYS = {"glm-4.6-lite-t2": "lite_t2", "swe-zero-1k-32k": "zero_32k"}


def rows_of(config: str) -> list[Any]:
    """Rows of realistic size, the same on every machine; raw as the reader gives them."""
    rows = [row for _, row in large(KEYS[config], 0, ROWS, None, odd=False).rows()]
    return [row.encode() if isinstance(row, str) else row for row in rows]


def asked(config: str) -> Request:
    return settle(config, view="rectified", upstream="sample")


def run(config: str, rows: list[Any]) -> list[Any]:
    request = asked(config)
    return [convert(Raw(0, row), request.origins[0], request).row for row in rows]


def size(row: Any) -> int:
    return len(row) if isinstance(row, bytes) else sum(len(one["content"].encode()) for one in row["messages"])


def messages(config: str, rows: list[Any]) -> int:
    """Messages of the raw rows."""
    return sum(row.count(rb"{\"role\": ") if isinstance(row, bytes) else len(row["messages"]) for row in rows)


def calls(work: Callable[[], Any]) -> int:
    """How many functions are called."""
    count = 0

    def look(_frame: FrameType, event: str, _of: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(look)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def calls_per_message(config: str) -> float:
    rows = rows_of(config)
    run(config, rows)  # caches and compiled schemas are not the row's cost
    return calls(lambda: run(config, rows)) / messages(config, rows)


@pytest.mark.parametrize("config", CALLS)
def test_a_message_takes_no_more_calls_than_it_did(config: str) -> None:
    assert calls_per_message(config) <= SLACK * CALLS[config]


@pytest.mark.parametrize("config", BYTES)
def test_a_row_is_copied_no_more_often_than_it_was(config: str) -> None:
    rows = rows_of(config)
    run(config, rows)
    most = 0.0
    for row in rows:
        tracemalloc.start()
        try:
            run(config, [row])
            most = max(most, tracemalloc.get_traced_memory()[1] / size(row))
        finally:
            tracemalloc.stop()
    assert most <= SLACK * BYTES[config]

"""A guard on the cost of a row that does not depend on the machine: calls and bytes are counted, nothing is timed.

The bounds leave room for another version of Python and for honest work. They catch a step that is done twice, a
message that is decoded again and a row that is copied once too often. `make bench` has the figures.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from sera_swezero.request.settle import Request, settle
from tests.support.raw import T2, ZERO, convert_as
from tools.sample_corpus.corpus import large

CALLS_PER_MESSAGE = 30
"""Calls of functions, Python's and C's, per message of the raw row."""
BYTES_PER_BYTE = 5
"""The most memory that converting a row holds at a time, per byte of raw text."""
CASES = [(config, view) for config in (T2, ZERO) for view in ("rectified", "openai", "hermes")]
KEYS = {T2: "lite_t2", ZERO: "zero_32k"}


def rows_of(config: str) -> list[Any]:
    """Make rows of realistic size, the same on every machine, as the reader gives them."""
    rows = list(large(KEYS[config], 0, 4, None, odd=False).rows())
    return [row.encode() if isinstance(row, str) else row for row in rows]


def convert(rows: list[Any], request: Request) -> None:
    for row in rows:
        assert convert_as(row, request).error is None


def size(row: Any) -> int:
    return len(row) if isinstance(row, bytes) else sum(len(one["content"].encode()) for one in row["messages"])


def messages(row: Any) -> int:
    return row.count(rb"{\"role\": ") if isinstance(row, bytes) else len(row["messages"])


def count_calls(work: Callable[[], None]) -> int:
    count = 0

    def profile(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(("config", "view"), CASES)
def test_a_row_costs_no_more_calls_and_copies_than_its_messages_need(config: str, view: str) -> None:
    rows, request = rows_of(config), settle(config, view=view, incomplete="keep")
    convert(rows, request)  # caches and compiled schemas are not the row's cost
    calls = count_calls(lambda: convert(rows, request)) / sum(map(messages, rows))
    most = 0.0
    for row in rows:
        tracemalloc.start()
        try:
            convert([row], request)
            most = max(most, tracemalloc.get_traced_memory()[1] / size(row))
        finally:
            tracemalloc.stop()
    print(f"{calls:.1f} calls per message, {most:.2f} bytes per byte")
    assert calls <= CALLS_PER_MESSAGE
    assert most <= BYTES_PER_BYTE

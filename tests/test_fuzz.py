"""Broken raw rows: whatever comes in, a right row or a RowError with a listed reason comes out, and nothing else.

The seeds are the raw records of the golden files. Each case mutates one a few times: in the decoded record, in the
messages, or in the bytes. `make long` runs more cases, which are fresh ones each time; a failure prints its number.
"""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from functools import cache
from typing import Any

import pyarrow as pa
import pytest

from sera_swezero.errors import REASONS
from sera_swezero.request.settle import Request, settle
from tests.support.edges import EDGES
from tests.support.mutations import HOSTILE, dumped, mutate
from tests.support.raw import LS, T2, ZERO, Turn, convert_as, history, line, problems, sera, swe_zero
from tests.support.streams import READABLE

CONFIGS = {
    "sera": T2,
    "swe_zero": ZERO,
    "swe_agent": "swe-agent",
    "mini_swe_agent": "mini-swe-agent",
    "openai_chat": "openai-chat",
    "atif_trajectory": "atif",
}
SMALL, LONG = 1_500, 50_000
FILE = "acme__calc-17.traj"
"""What a record is in, for sources whose records do not name themselves."""

TOKENS = (
    *(b"NaN", b"-Infinity", b"1e400", b"-0", b"9" * 6_000, b"\xff", b"\xed\xa0\x80", b"\\ud800", b"\x00", b"[" * 3_000),
    *(b"{", b"}", b'"', b"\\", b",", b":", b"null", b"\xef\xbb\xbf", b"\r", b"\xe2\x80\xa8"),
)

SEEDS = {
    source: [edge.record for edge in EDGES if edge.source == source and edge.record is not None] for source in CONFIGS
}
"""The golden files' raw records, `messages` as a list wherever it is one."""


# --- from a record to what the converter reads


def raw_record(rng: random.Random, source: str) -> bytes | dict[str, Any]:
    record = mutate(rng, rng.choice(SEEDS[source]))
    if source == "swe_zero" and rng.random() < 0.8:
        return record  # as from Parquet
    if (
        isinstance(record, dict)
        and isinstance(record.get("messages"), list)
        and rng.random() < 0.9
        and source == "sera"
    ):
        inner = dumped(record["messages"])
        record["messages"] = (
            spoilt(rng, inner.encode()).decode("utf-8", "surrogateescape") if rng.random() < 0.2 else inner
        )
    raw = dumped(record).encode()
    return spoilt(rng, raw) if rng.random() < 0.15 else raw


def spoilt(rng: random.Random, raw: bytes) -> bytes:
    """Cut, insert, overwrite or double some bytes."""
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randint(0, len(raw))
        match rng.randrange(4):
            case 0:
                raw = raw[:at]
            case 1:
                raw = raw[:at] + rng.choice(TOKENS) + raw[at:]
            case 2:
                raw = raw[:at] + bytes([rng.randrange(256)]) + raw[at + 1 :]
            case _:
                raw = raw[:at] + raw[at : at + rng.randint(1, 200)] * 2 + raw[at + 200 :]
    return raw


# --- the cases


@cache
def requests(source: str) -> list[Request]:
    """Every view, with every policy on rows that were not submitted."""
    return [
        settle(CONFIGS[source], view=view, incomplete=way, upstream="sample")
        for view in READABLE
        for way in ("keep", "reject")
    ]


def assert_row_or_reason(raw: bytes | dict[str, Any], wanted: Request) -> str:
    """Convert; whatever is neither a row nor a RowError raises here. Gives the reason, or "row"."""
    done = convert_as(raw, wanted, FILE)
    if done.row is None:
        assert done.error is not None
        assert done.error.reason in REASONS
        assert done.error.where.startswith("$")
        str(done.error).encode("utf-8", "replace")
        return done.error.reason
    assert problems(done.row, wanted) == []
    pa.Table.from_pylist([done.row])  # Arrow holds it
    return "row"


def run(cases: int, first: int) -> Counter[str]:
    """Run the cases numbered from `first` on; each number is a case of its own, whatever ran before."""
    seen: Counter[str] = Counter()
    for number in range(first, first + cases):
        rng = random.Random(number)
        source = rng.choice(["sera", "sera", *CONFIGS])
        raw, wanted = raw_record(rng, source), rng.choice(requests(source))
        before = copy.deepcopy(raw)
        try:
            seen[assert_row_or_reason(raw, wanted)] += 1
        except Exception:
            policy = wanted.arguments.incomplete
            print(f"case {number}, {source}, view {wanted.view.name}, incomplete={policy}: {before!r}"[:5000])
            raise
    return seen


def test_mutated_rows_give_rows_or_reasons() -> None:
    seen = run(SMALL, 0)
    assert seen["row"] > SMALL / 10, "too much is broken for the cases to mean anything"
    assert {"not_json", "bad_record", "bad_messages", "wrong_order", "bad_arguments", "no_submission"} <= set(seen)


@pytest.mark.long
def test_many_mutated_rows_give_rows_or_reasons() -> None:
    first = random.SystemRandom().randrange(10**9)
    seen = run(LONG, first)
    assert seen["row"] > LONG / 10
    assert set(REASONS) - {"overlong", "template"} <= set(seen)


# --- cases that mutation would find too seldom

DEEP = ("[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000)
WIDE = (
    "[" + "0," * 300_000 + "0]",
    '{"a": "' + "\\u0000" * 300_000 + '"}',
    "9" * 1_000_000,
    "1" + "e" * 10,
    "1e999999999",
)


@pytest.mark.parametrize("text", DEEP + WIDE, ids=lambda text: f"{text[:6]}-{len(text)}")
@pytest.mark.parametrize("view", READABLE)
def test_json_that_is_deep_or_large_is_a_row_or_a_reason(text: str, view: str) -> None:
    """At every level that holds JSON: the line, a column, the history, a message, the arguments."""
    wanted = settle(T2, view=view, incomplete="keep")
    ending = Turn("", "Done.", "submit", "{}", "diff")
    mark = '"(mark)"'
    inside = json.dumps(history([Turn("x", "", "bash", "(mark)"), ending]))
    with_key = json.dumps([{**message, "extra": "(mark)"} for message in history([ending])])
    raws = [
        text.encode(),
        json.dumps(sera("(mark)")).replace(mark, text).encode(),
        json.dumps({**sera(history([ending])), "extra": "(mark)"}).replace(mark, text).encode(),
        line(sera(text)),
        line(sera(with_key.replace(mark, text))),
        line(sera(inside.replace(mark, text))),
        line(sera(history([Turn("x", "", "bash", text), ending]))),
        line(sera(history([Turn("x", "", "bash", f'{{"command": "ls", "a": {text}}}'), ending]))),
        line(sera(history([Turn(text, text, "bash", LS, text), ending]))),
    ]
    outcomes = [assert_row_or_reason(raw, wanted) for raw in raws]
    assert outcomes[-1] in ("row", "literal_tags")


def test_depth_is_judged_alike_however_deep_the_caller_stands() -> None:
    """Python's own limit of recursion counts from the bottom of the stack, and rows must not depend on it."""

    def at_depth(left: int, raw: bytes) -> str:
        return at_depth(left - 1, raw) if left else assert_row_or_reason(raw, settle(T2, view="rectified"))

    for levels in (50, 127, 128, 300, 700):
        arguments = '{"command": "ls", "a": ' + "[" * levels + "]" * levels + "}"
        raw = line(sera(history([Turn("x", "", "bash", arguments), Turn("", "Done.", "submit", "{}", "diff")])))
        assert {at_depth(left, raw) for left in (0, 150)} == {"row" if levels < 128 else "bad_arguments"}


@pytest.mark.parametrize("view", READABLE)
def test_a_row_of_parquet_with_any_hostile_text_is_a_row_or_a_reason(view: str) -> None:
    wanted = settle(ZERO, view=view)
    for text in (value for value in HOSTILE if isinstance(value, str)):
        messages = [{"role": role, "content": text} for role in ("system", "user", "assistant", "user", "assistant")]
        for status in ("Submitted", "incomplete", text):
            assert_row_or_reason(swe_zero(messages, status), wanted)

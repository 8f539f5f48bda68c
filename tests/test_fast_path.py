"""Escaped texts against plain ones: the fast dialect gives the rows, the counts and the refusals of its slow twin."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from unittest import mock

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sera_swezero import convert, text
from sera_swezero.configs import request, set_name
from sera_swezero.dialect import PLAIN
from sera_swezero.errors import RowError
from sera_swezero.escaped import ESCAPED, read
from sera_swezero.notes import Notes
from sera_swezero.sources import SOURCES
from sera_swezero.upstream import Raw, plan_shards, read_shard, take_snapshot
from tests.raw import line, observed, said, sera, system, user

ASKED = request("sera", upstream="sample", incomplete="keep")

# What hostile and ordinary texts are made of: escapes, tags, labels, blanks of JSON and of Unicode, halves of pairs.
PIECES = (
    *("a", "n", "t", "u", "b", "001", "\\", "\\\\", "/", '"', "\n", "\t", "\r", " ", "\b", "\f", "\0", "\x1b", "\x7f"),
    *("é", "✓", "\u2028", "\u00a0", "\u0085", "😀", "\ufffd", "<think>", "</think>", "think>", "<", "</tool_call>"),
    *("OBSERVATION:\n", "Observation: ", "Exit due to ", "{}", "{", "[", "NaN"),
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


def spelt(plain: str, spelling: int) -> bytes:
    """A JSON string of the text in one of the spellings that encoders have."""
    told = json.dumps(plain, ensure_ascii=spelling % 2 == 0)
    if spelling >= 2:
        told = told.replace("/", r"\/").replace("<", r"\u003C")
        told = re.sub(r"\\u[0-9a-fA-F]{4}|\\.|a", lambda piece: r"\u0061" if piece[0] == "a" else piece[0], told)
    return told.encode()


@given(TEXTS, st.integers(0, 3))
def test_every_spelling_of_a_text_is_read_as_the_one_escaped_text(plain: str, spelling: int) -> None:
    raw = msgspec.Raw(spelt(plain, spelling))
    assert read(raw, PLAIN) == plain
    assert read(raw, ESCAPED) == ESCAPED.of(plain)
    assert ESCAPED.plain(ESCAPED.of(plain)) == plain


@given(TEXTS)
def test_an_escaped_text_stands_in_the_row_as_json_dumps_would_write_it(plain: str) -> None:
    written = f'"{ESCAPED.of(plain)}"'.encode("latin-1")
    assert json.loads(written) == plain
    # Control characters may be spelt \u001b or \u001B; nothing else has two spellings here.
    assert written.lower() == json.dumps(plain, ensure_ascii=False).encode().lower()


@given(TEXTS)
def test_splitting_and_stripping_give_what_they_give_on_plain_texts(plain: str) -> None:
    escaped = ESCAPED.of(plain)
    assert [ESCAPED.plain(part) for part in ESCAPED.split_thinking(escaped)] == [*text.split_thinking(plain)]
    rest, prefix = ESCAPED.strip_prefix(escaped)
    assert (ESCAPED.plain(rest), prefix) == text.strip_prefix(plain)


@given(TEXTS, TEXTS, st.booleans())
def test_joining_and_ends_give_what_they_give_on_plain_texts(one: str, other: str, joined: bool) -> None:
    whole = one + other if joined else one
    assert ESCAPED.plain(ESCAPED.join(ESCAPED.of(one), ESCAPED.of(other))) == text.join(one, other)
    assert ESCAPED.ends(ESCAPED.of(whole), ESCAPED.of(other)) == whole.endswith(other)


@pytest.mark.parametrize(("whole", "tail"), [("\n", "n"), ("\x1b", "b"), ("\x01", "001"), ("\\", "\\"), ("x\\n", "n")])
def test_a_tail_inside_an_escape_is_none(whole: str, tail: str) -> None:
    assert ESCAPED.ends(ESCAPED.of(whole), ESCAPED.of(tail)) == whole.endswith(tail)


def test_blanks_are_stripped_in_one_pass() -> None:
    for plain in (" " * 200_000, "\n" * 200_000, "\\" * 200_000 + "n", "x" + "\n\\" * 100_000):
        assert ESCAPED.plain(ESCAPED.split_thinking(ESCAPED.of(plain))[1]) == plain.strip(text.BLANKS)


def both(data: bytes, origin: Any) -> tuple[Any, Any]:
    """What a line becomes in the fast and in the slow dialect: (row, notes, the row as bytes), or the refusal."""

    def one() -> Any:
        told = []
        for asked in (ASKED, replace(ASKED, encoded=True)):
            notes = Notes()
            try:
                told.append((convert.convert(Raw(0, data), origin, asked, notes), list(notes)))
            except RowError as error:
                told.append((error.reason, error.problem, error.where))
        return told

    fast = one()
    slow_source = replace(SOURCES[origin.source], escaped=None)
    with mock.patch.dict(SOURCES, {origin.source: slow_source}):
        return fast, one()


def lines(origin: Any) -> list[bytes]:
    snapshot = take_snapshot((origin,), upstream="sample")
    wanted = SOURCES[origin.source].native_columns[origin.shape]
    return [raw.data for shard in plan_shards(snapshot.files) for raw in read_shard(snapshot, shard, wanted)]  # type: ignore[misc]


@pytest.mark.parametrize("origin", ASKED.origins, ids=set_name)
def test_all_rows_of_the_sample_are_the_same_in_both_dialects(origin: Any) -> None:
    rows = lines(origin)
    assert len(rows) > 60
    for data in rows:
        fast, slow = both(data, origin)
        assert fast == slow


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS, st.sampled_from(["bash", "submit", "✓\n"])), max_size=5), TEXTS)
def test_rollouts_of_hostile_texts_are_the_same_in_both_dialects(
    turns: list[tuple[str, str, str, str]], last: str
) -> None:
    history = [system(last), user("task " + last)]
    for index, (words, command, seen, name) in enumerate(turns):
        arguments = json.dumps({"command": command}) if name != "submit" else "{}"
        history += [said(words, name, arguments, f"c{index}"), observed(seen, f"c{index}")]
    history.append(said(last, "submit", "{}", "last"))
    fast, slow = both(line(sera(history)), ASKED.origins[1])
    assert fast == slow


@given(st.data())
def test_broken_lines_are_refused_alike_in_both_dialects(data: st.DataObject) -> None:
    raw = data.draw(st.sampled_from(lines(ASKED.origins[0])[:20]))
    at, length = data.draw(st.integers(0, len(raw) - 1)), data.draw(st.integers(0, 12))
    put = data.draw(
        st.sampled_from([b"", b"\\", b'"', b"\\\\ud800", b"\\ud83d", b"\xff", b"null", b"[", b"{}", b"\\\\/"])
    )
    fast, slow = both(raw[:at] + put + raw[at + length :], ASKED.origins[0])
    assert fast == slow

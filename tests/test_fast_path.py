"""The fast path against its slow twin: ordinary steps taken at once give the rows, the notes and the refusals that
events, fold and rectify give."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sera_swezero import convert
from sera_swezero.catalog import CONFIGS, Origin, set_name
from sera_swezero.core.conversions import Notes
from sera_swezero.errors import RowError
from sera_swezero.request.settle import settle
from sera_swezero.sources import SOURCES
from sera_swezero.upstream import Raw, plan_shards, read_shard, take_snapshot
from tests.support.golden_files import ROOT
from tests.support.raw import line, observed, said, sera, system, user
from tests.test_fuzz import LONG, SMALL, raw_record

ASKED = {
    config.source: [settle(config.name, view="rectified", upstream="sample", incomplete="keep")]
    for config in (CONFIGS["sera"], CONFIGS["swe-zero-1k-32k"])
}
ASKED["sera"] += [replace(ASKED["sera"][0], encoded=True), replace(ASKED["sera"][0], incomplete="reject")]
ORIGINS = [origin for asked in ASKED.values() for origin in asked[0].origins]
FAST = [name for name, source in SOURCES.items() if source.ordinary is not None]

# What hostile and ordinary texts are made of: escapes, tags, labels, blanks of JSON and of Unicode, halves of pairs.
PIECES = (
    *("a", "n", "t", "u", "b", "001", "\\", "\\\\", "/", '"', "\n", "\t", "\r", " ", "\b", "\f", "\0", "\x1b", "\x7f"),
    *("é", "✓", "\u2028", "\u00a0", "\u0085", "😀", "\ufffd", "<think>", "</think>", "think>", "<", "</tool_call>"),
    *("OBSERVATION:\n", "Observation: ", "Exit due to ", "{}", "{", "[", "NaN"),
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


def spelt(value: Any, spelling: int) -> str:
    """The value as JSON in one of the spellings that encoders have."""
    told = json.dumps(value, ensure_ascii=spelling % 2 == 1)
    if spelling >= 2:
        told = told.replace("/", r"\/").replace("<", r"\u003C")
        told = re.sub(r"\\u[0-9a-fA-F]{4}|\\.|x", lambda piece: r"\u0078" if piece[0] == "x" else piece[0], told)
    return told


def converted(data: Any, origin: Origin) -> list[Any]:
    """What a record becomes, asked in every way: (row, notes in order), or the refusal."""
    told: list[Any] = []
    for asked in ASKED[origin.source]:
        notes = Notes()
        try:
            told.append((convert.convert(Raw(0, data), origin, asked, notes), list(notes)))
        except RowError as error:
            told.append((error.reason, error.problem, error.where))
    return told


def same_in_both(data: Any, origin: Origin) -> list[Any]:
    """Convert fast and slowly; whatever differs raises here."""
    fast = converted(data, origin)
    with mock.patch.dict(SOURCES, {origin.source: replace(SOURCES[origin.source], ordinary=None)}):
        assert fast == converted(data, origin)
    return fast


def records(origin: Origin) -> list[Any]:
    snapshot = take_snapshot((origin,), upstream="sample")
    wanted = SOURCES[origin.source].native_columns[origin.shape]
    return [raw.data for shard in plan_shards(snapshot.files) for raw in read_shard(snapshot, shard, wanted)]


@pytest.mark.parametrize("origin", ORIGINS, ids=set_name)
def test_all_rows_of_the_sample_are_the_same_in_both(origin: Origin) -> None:
    rows = records(origin)
    assert len(rows) > 60
    for data in rows:
        same_in_both(data, origin)


@pytest.mark.parametrize("source", FAST)
def test_all_golden_rows_are_the_same_in_both(source: str) -> None:
    paths = sorted(path for path in (ROOT / source).glob("*.json") if "." not in path.stem)
    golden = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    assert len(golden) > 40
    for edge in golden:
        data = edge["record"] if "record" in edge else edge["line"].encode("utf-8", "surrogateescape")
        if source == "sera" and isinstance(data, dict):
            data = line(data)
        for origin in ASKED[source][0].origins:
            same_in_both(data, origin)


@pytest.mark.parametrize("source", FAST)
def test_the_fast_path_is_taken(source: str) -> None:
    """Else these tests would compare the slow twin with itself."""
    made = SOURCES[source]
    origin = ASKED[source][0].origins[0]
    begun = []
    for data in records(origin):
        try:
            begun.append(len(made.ordinary(made.read(data, Notes()), Notes())[0].steps))  # type: ignore[misc]
        except RowError:
            begun.append(0)
    assert sum(begun) > 3 * len(begun)


@given(
    st.lists(st.tuples(TEXTS, TEXTS, TEXTS, st.sampled_from(["bash", "bash", "submit", "✓\n"])), max_size=5),
    TEXTS,
    st.integers(0, 3),
)
def test_rollouts_of_hostile_texts_are_the_same_in_both(
    turns: list[tuple[str, str, str, str]], last: str, spelling: int
) -> None:
    history = [system(last), user("task " + last)]
    for index, (words, command, seen, name) in enumerate(turns):
        arguments = json.dumps({"command": command}) if name != "submit" else "{}"
        history += [said(words, name, arguments, f"c{index}"), observed(seen, f"c{index}")]
    history.append(said(last, "submit", "{}", "last"))
    record = spelt({**sera(history), "messages": spelt(history, spelling)}, spelling).encode()
    told = same_in_both(record, ASKED["sera"][0].origins[1])
    assert told == same_in_both(line(sera(history)), ASKED["sera"][0].origins[1]), "a spelling changed a row"


@given(st.data())
def test_broken_lines_are_refused_alike_in_both(data: st.DataObject) -> None:
    origin = ASKED["sera"][0].origins[0]
    raw = data.draw(st.sampled_from(records(origin)[:20]))
    at, length = data.draw(st.integers(0, len(raw) - 1)), data.draw(st.integers(0, 12))
    put = data.draw(
        st.sampled_from([b"", b"\\", b'"', b"\\\\ud800", b"\\ud83d", b"\xff", b"null", b"[", b"{}", b"\\\\/"])
    )
    same_in_both(raw[:at] + put + raw[at + length :], origin)


@pytest.mark.parametrize(
    "places", [(0, 1, 3, 4, 2), (0, 4, 1, 3, 2), (1, 3, 4, 0, 2), (4, 0, 1, 3, 2), (0, 2, 1, 3, 4)]
)
def test_ordinary_steps_before_the_task_are_out_of_order(places: tuple[int, ...]) -> None:
    """A turn of the harness is no event, so that without the steps between it and the task all would seem right."""
    leave = {"role": "assistant", "content": "Exit due to cost limit", "thought": "Exit due to cost limit"}
    parts = [
        system("rules"),
        said("look", "bash", '{"command": "ls"}', "c"),
        user("task"),
        observed("seen", "c"),
        leave,
    ]
    told = same_in_both(line(sera([parts[place] for place in places])), ASKED["sera"][0].origins[0])
    assert (told[0][0] == "wrong_order") == (places != (0, 2, 1, 3, 4))


def fuzzed(cases: int, first: int) -> None:
    """The cases of `test_fuzz` by their numbers; a failure prints its own."""
    for number in range(first, first + cases):
        rng = random.Random(number)
        source = rng.choice(["sera", "sera", "sera", "swe_zero"])
        raw = raw_record(rng, source)
        try:
            same_in_both(raw, rng.choice(ASKED[source][0].origins))
        except AssertionError:
            print(f"case {number}, {source}: {raw!r}"[:5000])
            raise


def test_mutated_rows_are_the_same_in_both() -> None:
    fuzzed(SMALL, 0)


@pytest.mark.long
def test_many_mutated_rows_are_the_same_in_both() -> None:
    fuzzed(LONG // 3, random.SystemRandom().randrange(10**9))

"""overlong="split": a row that is too long becomes windows, and every turn of the model is in exactly one of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sera_swezero.catalog import CONFIGS
from sera_swezero.sources import SOURCES
from sera_swezero.views import VIEWS
from tests.support.characters import framed, tokenizer
from tests.support.raw import T2, ZERO, Converted, Turn, convert_one, history, line, sample_records, sera
from tests.support.sample import SETS

__all__ = ["tokenizer"]  # a fixture

TRAINING = ["openai", "hermes", "sharegpt"]
TURNS = [Turn(f"thought {n} " + "word " * 20, output=f"file {n} " * 10) for n in range(7)]
SERA = line(sera(history([*TURNS, Turn("done", tool="submit", arguments="{}", output="diff")])))


def split(raw: Any, view: str, tokens: int, tokenizer: str, config: str = T2, **more: Any) -> Converted:
    limit = {"max_tokens": tokens, "tokenizer": tokenizer, "overlong": "split"}
    return convert_one(raw, config, view=view, incomplete="keep", upstream="sample", **limit, **more)


def size(message: dict[str, Any]) -> int:
    """The tokens of a message in its ChatML frame: the tokenizer of these tests has one per byte."""
    return len(framed(message).encode())


def turns(row: dict[str, Any], view: str, source: str = "sera") -> list[tuple[Any, ...]]:
    """What the model said in each turn."""
    steps = VIEWS[view].to_trajectory(row, SOURCES[source]).steps
    return [(step.reasoning, step.visible, [(call.name, call.arguments) for call in step.calls]) for step in steps]


QUICK = [pytest.param(config, 9, id=f"{config}, every ninth row") for config in (T2, ZERO)]
WHOLE = [pytest.param(config, 1, id=config, marks=pytest.mark.long) for config in SETS]


@pytest.mark.parametrize("view", TRAINING)
@pytest.mark.parametrize(("config", "every"), QUICK + WHOLE)
def test_every_turn_of_the_sample_is_in_one_window_and_every_window_fits(
    view: str, config: str, every: int, tokenizer: str
) -> None:
    source = CONFIGS[config].source
    several = 0
    for raw in sample_records(config)[::every]:
        if not raw.data:
            continue
        hermes, whole = (
            convert_one(raw.data, config, view=shown, incomplete="keep", upstream="sample")
            for shown in ("hermes", view)
        )
        if hermes.row is None or whole.row is None:
            continue
        sizes = [size(message) for message in hermes.row["messages"]]
        longest = sum(sizes[:2]) + max(sizes[2:])
        for tokens in (longest, longest + sum(sizes) // 5, sum(sizes) // 2 + longest // 2, sum(sizes)):
            done = split(raw.data, view, tokens, tokenizer, config)
            assert not done.left_out
            parts = [turns(row, view, source) for row in done.rows]
            assert [turn for part in parts for turn in part] == turns(whole.row, view, source)
            assert [(row["window"], row["windows"]) for row in done.rows] == [
                (number, len(parts)) for number in range(len(parts))
            ]
            for row in split(raw.data, "hermes", tokens, tokenizer, config).rows:
                assert sum(map(size, row["messages"])) <= tokens
                assert row["messages"][:2] == hermes.row["messages"][:2]
            several += len(parts) > 1
    assert several >= len(sample_records(config)[::every]) / 2


def test_windows_are_as_full_as_can_be_and_end_on_what_came_back_where_it_fits(tokenizer: str) -> None:
    whole = convert_one(SERA, view="hermes").row["messages"]
    fits = sum(map(size, whole[:7]))  # two turns, what came back, a third turn
    first, *others = split(SERA, "hermes", fits, tokenizer).rows
    assert first["messages"] == whole[:7]
    assert others[0]["messages"][:3] == [*whole[:2], whole[8]]
    room = split(SERA, "hermes", fits + size(whole[7]), tokenizer)
    assert room.rows[0]["messages"] == whole[:8]
    assert split(SERA, "hermes", fits - 1, tokenizer).rows[0]["messages"] == whole[:6]
    cut = split(SERA, "hermes", fits, tokenizer)
    left = [text for kind, text in cut.notes if kind == "truncated"]
    plain = whole[7]["content"].removeprefix("<tool_response>\n").removesuffix("\n</tool_response>")
    assert left[0] == plain


def test_a_row_that_fits_is_one_window(tokenizer: str) -> None:
    whole = convert_one(SERA, view="hermes").row
    (row,) = split(SERA, "hermes", sum(map(size, whole["messages"])), tokenizer).rows
    assert row == {**whole, "window": 0, "windows": 1}


def test_a_turn_that_does_not_fit_alone_is_left_out_with_its_tokens_and_the_others_stay(tokenizer: str) -> None:
    long = [*TURNS[:2], Turn("long " * 900, output="short"), *TURNS[2:4], Turn("end", tool=None, output=None)]
    raw = line(sera(history(long)))
    whole = convert_one(raw, view="hermes").row["messages"]
    tokens = sum(map(size, whole[:6]))
    done = split(raw, "hermes", tokens, tokenizer)
    shown = [turn for row in done.rows for turn in turns(row, "hermes")]
    assert shown == [turn for turn in turns({**convert_one(raw, view="hermes").row}, "hermes") if len(turn[0]) < 900]
    (error,) = done.left_out
    assert (error.reason, error.where) == ("overlong", "$.steps[2]")
    before = sum(map(size, whole[:2]))
    assert error.problem == (
        f"turn 2 has {size(whole[6])} tokens and what comes before all turns {before}; at most {tokens} were asked for"
    )


@pytest.mark.parametrize("context", [1, 2, 50])
def test_a_window_begins_with_turns_that_are_shown_and_not_trained(context: int, tokenizer: str) -> None:
    whole = convert_one(SERA, view="hermes").row["messages"]
    tokens = sum(map(size, whole[:11]))
    rows = split(SERA, "hermes", tokens, tokenizer, context=context).rows
    trained = [message for row in rows for message in row["messages"] if message["train"]]
    assert trained == [message for message in whole if message["train"]]
    assert all(sum(map(size, row["messages"])) <= tokens for row in rows)
    shown = [[m for m in row["messages"] if m["role"] == "assistant" and not m["train"]] for row in rows]
    assert not shown[0]
    assert all(1 <= len(messages) <= context for messages in shown[1:])
    for before, row, messages in zip(rows, rows[1:], shown[1:], strict=False):
        own = [m["content"] for m in before["messages"] if m["role"] == "assistant"]
        assert own[-len(messages) :] == [message["content"] for message in messages]
        assert json.dumps(row["messages"][2]["train"]) == "false"

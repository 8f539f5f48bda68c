"""View and back: a row of a training view gives its Trajectory again, but for the losses in docs/train-on-it.md.

`after` is that list of losses as code: it takes a Trajectory to what a view can still tell of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sera_swezero.catalog import CONFIGS
from sera_swezero.convert import convert
from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.machine import fold
from sera_swezero.core.text import join
from sera_swezero.core.trajectory import INCOMPLETE, SUBMITTED, Outcome, Step, ToolCall, Trajectory
from sera_swezero.errors import RowError
from sera_swezero.request.settle import settle
from sera_swezero.schemas.columns import types_of
from sera_swezero.sources import SOURCES
from sera_swezero.upstream import Raw, ShardReader, plan_shards, take_snapshot
from sera_swezero.views import VIEWS, ViewInput
from tests.test_golden import EDGES, ROOT, raw_record

TRAINING = [view.name for view in VIEWS.values() if view.trains]
SETS = [name for name in CONFIGS if name != "sera"]
LIMITS = {"wide_integer", "literal_tags", "no_turns"}
"""Why a view may refuse what is fine upstream; everything else is the record's own fault."""


def after(trajectory: Trajectory, view: str, source: str) -> Trajectory:
    """What is left of a rollout in a view, loss by loss."""
    steps = [step._replace(call=step.call and call_after(step.call, view)) for step in trajectory.steps]
    if view == "sharegpt":
        steps = alternating(steps)
    if view == "openai":
        steps = list(numbered(steps))
    system = trajectory.system or ""
    if source == "swe_zero":
        system = SOURCES[source].system_text(trajectory, answer=False)  # upstream's contradicts the tool calls
    return trajectory._replace(
        system=system, task=trajectory.task or "", steps=tuple(steps), outcome=Outcome(trajectory.outcome.status)
    )


def call_after(call: ToolCall, view: str) -> ToolCall:
    """Arguments are the same JSON value, in openai spelled anew; only openai has ids."""
    return call._replace(arguments=value_of(call.arguments), id=call.id if view == "openai" else None)


def numbered(steps: list[Step]) -> Iterator[Step]:
    calls = 0
    for step in steps:
        if step.call is None:
            yield step
        else:
            yield step._replace(call=step.call._replace(id=step.call.id or f"call_{calls}"))
            calls += 1


def alternating(steps: list[Step]) -> list[Step]:
    """No observation behind the last turn, and no turn behind a turn that nobody answered."""
    kept: list[Step] = []
    for step in steps:
        if kept and kept[-1].observation is None:
            before = kept.pop()
            words = {"reasoning": join(before.reasoning, step.reasoning), "visible": join(before.visible, step.visible)}
            kept.append(step._replace(**words))
        else:
            kept.append(step)
    kept[-1] = kept[-1]._replace(observation=None)
    return kept


def value_of(arguments: str) -> str:
    """The JSON value, spelled one way."""
    return json.dumps(json.loads(arguments), ensure_ascii=False)


def valued(trajectory: Trajectory) -> Trajectory:
    steps = [
        step._replace(call=step.call and step.call._replace(arguments=value_of(step.call.arguments)))
        for step in trajectory.steps
    ]
    return trajectory._replace(steps=tuple(steps))


def round_trip(data: Any, config: str, view: str) -> bool:
    """Hold one raw record to the property; False where the view refuses it."""
    asked = settle(config, view=view, incomplete="keep")
    origin = asked.origins[0]
    source = SOURCES[origin.source]
    notes = ConversionLog()
    try:
        original = fold(source.events(source.read(data, notes), notes))
    except RowError:
        return False
    try:
        row = convert(Raw(0, data), origin, asked).row
    except RowError as error:
        if error.reason not in LIMITS:
            raise
        return False
    assert valued(asked.view.to_trajectory(row, source)) == after(original, view, source.name)
    return True


@cache
def raws(config: str) -> list[Any]:
    asked = settle(config, upstream="sample")
    snapshot = take_snapshot(asked.origins, upstream="sample")
    origin = asked.origins[0]
    columns = types_of(SOURCES[origin.source].native_columns[origin.shape])
    return [raw.data for shard in plan_shards(snapshot.files) for raw in ShardReader(snapshot, shard, columns)]


@pytest.mark.parametrize("view", TRAINING)
@pytest.mark.parametrize("config", SETS)
def test_every_row_of_the_sample_comes_back(config: str, view: str) -> None:
    went = [round_trip(data, config, view) for data in raws(config) if data]
    assert sum(went) > 0.75 * len(went)


@pytest.mark.parametrize("view", TRAINING)
def test_every_golden_edge_comes_back(view: str) -> None:
    went = 0
    for source, name in EDGES:
        edge = json.loads((ROOT / source / f"{name}.json").read_text(encoding="utf-8"))
        went += round_trip(raw_record(edge, source), edge["config"], view)
    assert went > 50


HOSTILE = st.sampled_from(
    [
        *("<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>\n", "\n</tool_response>", "</"),
        *("<|im_end|>", "{{idx}}", "<image>", "null", "\n\n", "\n", " ", "\x00", "\u2028", "é", "a", "word "),
    ]
)
texts = st.lists(HOSTILE, max_size=5).map("".join)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
calls = st.builds(
    ToolCall,
    st.sampled_from(["bash", "str_replace_editor", 'odd "name"']),
    st.dictionaries(texts, values, max_size=3).map(lambda v: msgspec.json.encode(v).decode()),
    st.none() | st.just("call_abc"),
    st.just(value=False),
)


@st.composite
def trajectories(draw: st.DrawFn) -> Trajectory:
    """Any rollout that the machine can make: only the last call may lack its observation."""
    steps = []
    count = draw(st.integers(1, 4))
    for index in range(count):
        call = draw(st.none() | calls)
        observed = texts if call is not None and index < count - 1 else st.none() | texts
        steps.append(Step(draw(texts), draw(texts), call, draw(observed)))
    return Trajectory(draw(texts), draw(texts), tuple(steps), Outcome(INCOMPLETE))


class Record(msgspec.Struct):
    """As much of a record as a training view reads."""

    instance_id: str = "calc_10001"
    target_patch: str = ""
    rollout_patch: str = ""


def shown(trajectory: Trajectory, source: str) -> ViewInput:
    """A trajectory as a training view gets it."""
    origin = next(config.origins[0] for config in CONFIGS.values() if config.source == source)
    return ViewInput(
        record=Record(),
        trajectory=trajectory,
        source=SOURCES[source],
        origin=origin,
        submit="call",
        limit=None,
        record_conversions=ConversionLog(),
        conversions=ConversionLog(),
    )


@pytest.mark.parametrize("view", TRAINING)
@given(trajectory=trajectories())
def test_any_rollout_comes_back_or_is_refused_for_its_tags(view: str, trajectory: Trajectory) -> None:
    given = shown(trajectory, "sera")
    words = [text for step in trajectory.steps for text in (step.reasoning, step.visible)]
    if view != "openai" and any(tag in text for text in words for tag in ("<think>", "</think>", "<tool_call>")):
        with pytest.raises(RowError, match="literal_tags"):
            VIEWS[view].render(given)
        return
    if view == "sharegpt" and any(tag in repr(trajectory) for tag in ("<image>", "{{idx}}")):
        return  # may be refused; which of them, test_views_training.py tells
    row = VIEWS[view].render(given).row
    assert valued(VIEWS[view].to_trajectory(row, given.source)) == after(trajectory, view, "sera")


def test_a_submission_is_known_again_in_both_sources() -> None:
    sera = [Step("r", "", ToolCall("submit", "{}", "c", submits=True), "review")]
    zero = [Step("r", "", ToolCall("bash", '{"command": "echo done"}', submits=True), None)]
    for source, steps in (("sera", sera), ("swe_zero", zero)):
        trajectory = Trajectory("s", "t", tuple(steps), Outcome(SUBMITTED))
        for view in TRAINING:
            row = VIEWS[view].render(shown(trajectory, source)).row
            back = VIEWS[view].to_trajectory(row, SOURCES[source])
            assert [step.call and step.call.submits for step in back.steps] == [True]

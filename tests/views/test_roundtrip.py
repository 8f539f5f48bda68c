"""View and back: a row gives its Trajectory again, but for the losses in docs/train-on-it.md.

`after` is that list of losses as code: it takes a Trajectory to what a view still has of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sera_swezero.core.text import join
from sera_swezero.core.trajectory import INCOMPLETE, SUBMITTED, Outcome, Step, ToolCall, Trajectory
from sera_swezero.errors import RowError
from sera_swezero.report import Report
from sera_swezero.request.settle import settle
from sera_swezero.sources import SOURCES
from sera_swezero.upstream import plan_shards, take_snapshot
from sera_swezero.views import VIEWS
from tests.support.edges import EDGES
from tests.support.raw import T2, ZERO, Converted, convert_as, convert_shard, render, sample_records, trajectory_of
from tests.support.sample import SETS
from tests.support.steps import step

TRAINING = [view.name for view in VIEWS.values() if view.trains]
WHOLE = [*TRAINING, "atif"]
"""The views that show whole rollouts as they were."""
NAMED = {"openai", "steps", "atif"}
"""Those that name calls."""
LIMITS = {"wide_integer", "literal_tags", "no_turns"}
"""Why a view may refuse what is fine upstream; everything else is the record's own fault."""


def after(trajectory: Trajectory, view: str, source: str) -> Trajectory:
    """What is left of a rollout in a view, loss by loss."""
    *earlier, last = trajectory.steps
    steps = [replace(one, calls=tuple(map(without_submission, one.calls))) for one in earlier] + [last]
    steps = [replace(step, calls=tuple(call_after(call, view) for call in step.calls)) for step in steps]
    if view == "sharegpt":
        steps = alternating(steps)
    if view in NAMED:
        steps = list(numbered(steps))
    if view == "steps":
        steps[-1] = without_answer(steps[-1])
    if view == "atif":
        return replace(trajectory, steps=tuple(steps))
    system = SOURCES[source].system_text(trajectory, "call")
    return replace(
        trajectory,
        system=system,
        task=trajectory.task or "",
        steps=tuple(steps),
        outcome=Outcome(trajectory.outcome.status),
    )


def call_after(call: ToolCall, view: str) -> ToolCall:
    """Arguments are the same JSON value, in openai spelled anew; only some views have ids."""
    return replace(call, arguments=value_of(call.arguments), id=call.id if view in NAMED else None)


def without_submission(call: ToolCall) -> ToolCall:
    """Before the last turn only a tool of that name submits, not a line of the shell."""
    return replace(call, submits=call.submits and call.name == "submit")


def numbered(steps: list[Step]) -> Iterator[Step]:
    calls = 0
    for one in steps:
        named = tuple(replace(call, id=call.id or f"call_{number}") for number, call in enumerate(one.calls, calls))
        calls += len(named)
        yield replace(one, calls=named)


def alternating(steps: list[Step]) -> list[Step]:
    """Nothing behind the last turn, no turn behind a turn that nobody answered, and no reply behind an observation."""
    kept: list[Step] = []
    for given_step in steps:
        one = given_step
        if one.reply is not None and one.calls:
            *others, last = one.calls
            last = replace(last, observation=join(last.observation or "", one.reply))
            one = replace(one, calls=(*others, last), reply=None)
        if kept and kept[-1].reply is None and not kept[-1].calls:
            before = kept.pop()
            words = {"reasoning": join(before.reasoning, one.reasoning), "visible": join(before.visible, one.visible)}
            one = replace(one, **words)
        kept.append(one)
    kept[-1] = without_answer(kept[-1])
    return kept


def without_answer(last: Step) -> Step:
    """The turn alone."""
    return replace(last, calls=tuple(replace(call, observation=None) for call in last.calls), reply=None)


def value_of(arguments: str) -> str:
    """The JSON value, spelled one way."""
    return json.dumps(json.loads(arguments), ensure_ascii=False)


def valued(trajectory: Trajectory) -> Trajectory:
    steps = [
        replace(step, calls=tuple(replace(call, arguments=value_of(call.arguments)) for call in step.calls))
        for step in trajectory.steps
    ]
    return replace(trajectory, steps=tuple(steps))


def round_trip(data: Any, config: str, view: str) -> bool:
    """Hold one raw record to the property; False where the view refuses it."""
    request = settle(config, view=view, incomplete="keep", upstream="sample")
    try:
        original = trajectory_of(data, config)
    except RowError:
        return False
    done = convert_as(data, request)
    if done.error is not None:
        assert done.error.reason in LIMITS
        return False
    assert valued(read_back(view, done, request.config.source)) == after(original, view, request.config.source)
    return True


def read_back(view: str, done: Converted, source: str) -> Trajectory:
    """The rollout of a record's last row, which in the view `steps` has all turns."""
    return VIEWS[view].to_trajectory(done.rows[-1], SOURCES[source])


@pytest.mark.parametrize("view", WHOLE)
@pytest.mark.parametrize("config", SETS)
def test_every_row_of_the_sample_comes_back(config: str, view: str) -> None:
    came_back = [round_trip(raw.data, config, view) for raw in sample_records(config) if raw.data]
    assert sum(came_back) > 0.75 * len(came_back)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("config", [T2, ZERO])
def test_a_row_comes_with_the_number_of_its_messages(config: str, view: str) -> None:
    request = settle(config, view=view, upstream="sample")
    snapshot = take_snapshot(request.origins, upstream="sample")
    shards = plan_shards(snapshot.files)
    made = [one for shard in shards for _, one in convert_shard(shard, snapshot, request, Report())]
    assert [one.messages for one in made] == [len(request.view.messages(one.row)) for one in made] != []


@pytest.mark.parametrize("view", WHOLE)
def test_every_golden_edge_comes_back(view: str) -> None:
    assert sum(round_trip(edge.raw, edge.config, view) for edge in EDGES) > 50


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
    st.none(),
)


@st.composite
def trajectories(draw: st.DrawFn) -> Trajectory:
    """Any rollout that the machine can make, with up to 5 calls per turn: only the last ones may lack observations."""
    steps = []
    count = draw(st.integers(1, 4))
    for index in range(count):
        made = [replace(call, observation=draw(texts)) for call in draw(st.lists(calls, max_size=5))]
        if index == count - 1:
            missing = draw(st.integers(0, len(made)))
            made = [
                *made[: len(made) - missing],
                *(replace(one, observation=None) for one in made[len(made) - missing :]),
            ]
        answered = all(call.observation is not None for call in made)
        steps.append(Step(draw(texts), draw(texts), tuple(made), draw(st.none() | texts) if answered else None))
    return Trajectory(draw(texts), draw(texts), tuple(steps), Outcome(INCOMPLETE))


@pytest.mark.parametrize("view", WHOLE)
@given(trajectory=trajectories())
def test_any_rollout_comes_back_or_is_refused_for_its_tags(view: str, trajectory: Trajectory) -> None:
    done = render(trajectory, settle(T2, view=view))
    words = [text for step in trajectory.steps for text in (step.reasoning, step.visible)]
    tagged = any(tag in text for text in words for tag in ("<think>", "</think>", "<tool_call>"))
    divided = any(
        "\n</tool_response>\n<tool_response>\n" in (call.observation or "")
        for step in trajectory.steps
        for call in step.calls[: len(step.calls) * (len(step.calls) > 1)]
    )
    if view not in NAMED and (tagged or divided):
        assert done.error is not None
        assert done.error.reason == "literal_tags"
    elif view == "sharegpt" and any(tag in repr(trajectory) for tag in ("<image>", "{{idx}}")):
        pass  # may be refused; test_views_training.py says when
    else:
        assert valued(read_back(view, done, "sera")) == after(trajectory, view, "sera")


def test_a_submission_is_known_again_in_both_sources() -> None:
    submit = step("r", "", ToolCall("submit", "{}", "c", submits=True), "review")
    last_command = step("r", "", ToolCall("bash", '{"command": "echo done"}', submits=True))
    for config, last in ((T2, submit), (ZERO, last_command)):
        trajectory = Trajectory("s", "t", (last,), Outcome(SUBMITTED))
        for view in WHOLE:
            request = settle(config, view=view)
            (back,) = read_back(view, render(trajectory, request), request.config.source).steps
            assert back.submits

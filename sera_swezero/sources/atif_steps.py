"""ATIF: typed trajectories of the Agent Trajectory Interchange Format, 1.0 to 1.8, and their steps as events.

What its writers do, beyond what its validator accepts, and what is read all the same:
* arguments are a list, which becomes the member `arguments` of an object, counted;
* a result names no call: then it belongs to the first open call of its step;
* a result stands in a later step than the call that it names: it is taken to its call;
* results beyond the calls of a step, and those of a step without calls, are what the harness said after it;
* a content is a list of parts of text, and think tags are left in a message that has no `reasoning_content`.

An agent step that no model made (`llm_call_count` 0), or that was copied from another trajectory
(`is_copied_context`), must not be trained on; it is left out with its results and counted, as embedded trajectories of
subagents are. A system step in the middle is what the harness said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.events import Called, Ended, Event, Observed, Replied, Said, System, Task
from sera_swezero.core.text import join
from sera_swezero.core.trajectory import INCOMPLETE, STATUSES, SUBMITTED, Outcome, ToolCall, Tools
from sera_swezero.sources.decoding import refuse_many
from sera_swezero.sources.json_record import (
    Content,
    reasoning_and_visible,
    status_of,
    text_of,
    with_submission,
)
from sera_swezero.sources.tool_arguments import arguments_of


class AtifCall(msgspec.Struct, gc=False):
    """One tool call."""

    function_name: str
    tool_call_id: str | None = None
    arguments: msgspec.Raw = msgspec.Raw(b"null")


class AtifResult(msgspec.Struct, gc=False):
    """What came back."""

    source_call_id: str | None = None
    content: Content = None


class AtifObservation(msgspec.Struct, gc=False):
    """What came back in a step."""

    results: list[AtifResult] = []


class AtifStep(msgspec.Struct, gc=False):
    """One turn of the system, the user or the agent; what no rule reads is skipped."""

    source: Literal["system", "user", "agent"]
    message: Content = None
    reasoning_content: str | None = None
    tool_calls: list[AtifCall] | None = None
    observation: AtifObservation | None = None
    llm_call_count: int | None = None
    is_copied_context: bool | None = None

    @property
    def is_turn(self) -> bool:
        """Whether it is a turn of the model in this rollout."""
        return self.source == "agent" and self.llm_call_count != 0 and not self.is_copied_context


class AtifAgent(msgspec.Struct):
    """The program that made the trajectory."""

    name: str = ""
    version: str = ""
    model_name: str | None = None
    tool_definitions: msgspec.Raw = msgspec.Raw(b"null")


class AtifFile(msgspec.Struct):
    """A whole trajectory."""

    schema_version: str
    steps: list[AtifStep]
    agent: AtifAgent = msgspec.field(default_factory=AtifAgent)
    session_id: str | None = None
    trajectory_id: str | None = None
    continued_trajectory_ref: str | None = None
    extra: dict[str, Any] | None = None
    subagent_trajectories: list[msgspec.Raw] | None = None


def events_of(file: AtifFile, tools: Tools, conversions: ConversionLog) -> Iterator[Event]:
    """Report the steps as events, in order. Raises RowError `bad_messages`, `bad_arguments`."""
    steps = file.steps
    refuse_many(steps)
    for subagent in file.subagent_trajectories or ():
        conversions.add("left_out_step", bytes(subagent).decode())
    results, outcome = _results(steps), outcome_of(file, tools)
    turns = [index for index, step in enumerate(steps) if step.is_turn]
    begins = turns[0] if turns else len(steps)
    yield from _beginning(steps[:begins], conversions)
    for index, step in enumerate(steps[begins:], begins):
        if step.is_turn:
            submitted = index == turns[-1] and outcome.status == SUBMITTED
            yield from _turn(steps, index, results[index], tools, conversions, submitted=submitted)
        elif step.source == "agent":
            conversions.add("left_out_step", _everything(steps, index))
        else:
            yield Replied(join(_message(steps, index), *(_content(result, index) for result in results[index])))
    yield Ended(outcome)


def outcome_of(file: AtifFile, tools: Tools) -> Outcome:
    """How the rollout ended: as `extra.outcome` says, which this package writes, or else as the last turn shows."""
    said = (file.extra or {}).get("outcome")
    if isinstance(said, dict) and said.get("status") in list(STATUSES):  # a list takes values without a hash
        return Outcome(said["status"], str(said.get("detail") or ""))
    if file.continued_trajectory_ref:
        return Outcome(INCOMPLETE, f"continued in {file.continued_trajectory_ref}")
    last = next((index for index in reversed(range(len(file.steps))) if file.steps[index].is_turn), None)
    if last is None:
        return Outcome(INCOMPLETE)
    calls = _calls(file.steps, last, tools, ConversionLog())
    return Outcome(status_of(calls, words_last=not calls and last == len(file.steps) - 1))


def _beginning(steps: Sequence[AtifStep], conversions: ConversionLog) -> Iterator[Event]:
    """Report what comes before the model's first turn."""
    texts: dict[str, list[str]] = {"system": [], "user": []}
    for index, step in enumerate(steps):
        if step.source == "agent":
            conversions.add("left_out_step", _everything(steps, index))
        else:
            texts[step.source].append(_message(steps, index))
    yield System(join(*texts["system"]))
    if texts["user"]:
        yield Task(join(*texts["user"]))


def _turn(
    steps: Sequence[AtifStep],
    index: int,
    results: Sequence[AtifResult],
    tools: Tools,
    conversions: ConversionLog,
    *,
    submitted: bool,
) -> Iterator[Event]:
    """Report a turn of the model, its calls and what came back."""
    yield Said(*reasoning_and_visible(steps[index].reasoning_content, _message(steps, index)))
    calls = with_submission(_calls(steps, index, tools, conversions), submitted=submitted)
    for call in calls:
        yield Called(call)
    waiting = [call.id for call in calls]
    own, replies = set(waiting), []
    for result in results:
        named = result.source_call_id if result.source_call_id in own else None
        if waiting and (named is None or named in waiting):
            waiting.remove(waiting[0] if named is None else named)
            yield Observed(_content(result, index), named)
        else:
            replies.append(_content(result, index))
    if replies:
        yield Replied(join(*replies))


def _results(steps: Sequence[AtifStep]) -> list[list[AtifResult]]:
    """The results of each step, each where the call is that it names."""
    placed: list[list[AtifResult]] = [[] for _ in steps]
    homes: dict[str | None, int] = {}
    for index, step in enumerate(steps):
        homes.update((call.tool_call_id, index) for call in step.tool_calls or ())
        homes[None] = index
        for result in step.observation.results if step.observation else ():
            placed[homes.get(result.source_call_id, index)].append(result)
    return placed


def _calls(steps: Sequence[AtifStep], index: int, tools: Tools, conversions: ConversionLog) -> list[ToolCall]:
    made = []
    for number, call in enumerate(steps[index].tool_calls or ()):
        given = call.arguments
        if bytes(given).startswith(b"["):
            conversions.add("listed_arguments", bytes(given).decode())
            given = msgspec.Raw(b'{"arguments": %b}' % bytes(given))
        where = f"$.steps[{index}].tool_calls[{number}].arguments"
        arguments = arguments_of(call.function_name, given, tools, conversions, where)
        made.append(ToolCall(call.function_name, arguments, call.tool_call_id or None))
    return made


def _message(steps: Sequence[AtifStep], index: int) -> str:
    return text_of(steps[index].message, f"$.steps[{index}].message")


def _content(result: AtifResult, index: int) -> str:
    return text_of(result.content, f"$.steps[{index}].observation.results")


def _everything(steps: Sequence[AtifStep], index: int) -> str:
    """All texts of a step that is left out."""
    step = steps[index]
    calls = (f"{call.function_name} {bytes(call.arguments).decode()}" for call in step.tool_calls or ())
    results = step.observation.results if step.observation else ()
    back = (_content(result, index) for result in results)
    return join(step.reasoning_content or "", _message(steps, index), *calls, *back)

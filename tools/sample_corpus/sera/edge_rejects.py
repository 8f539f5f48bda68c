"""SERA rows that no converter can keep, and why."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tools.sample_corpus.edges import Maker, Table
from tools.sample_corpus.plan import Message, Plan
from tools.sample_corpus.scene import Scene
from tools.sample_corpus.sera import ends
from tools.sample_corpus.sera.edge_ends import EXITS
from tools.sample_corpus.sera.steps import ordinary

EDGES = Table()
SETS = ("full_t1", "full_t2", "lite_t1", "lite_t2")


def enter(name: str, description: str, make: Maker, first: int, times: int = 1) -> None:
    """Enter an edge whose row is rejected, in `times` sets from the one at `first` on."""
    EDGES.add(name, description, make, **{SETS[(first + at) % len(SETS)]: 1 for at in range(times)})


def _line(scene: Scene, plan: Plan, line: str) -> None:
    plan.line = line


for at, (name, line) in enumerate(
    {
        "line_is_text": "<html>502 bad gateway</html>",
        "line_is_cut": '{"messages": "[{\\"role\\": \\"sys',
        "line_is_array": '["messages", []]',
    }.items()
):
    enter(
        name,
        f"A line in the middle of the file that is not a JSON object: `{line}`.",
        partial(_line, line=line),
        at,
        2,
    )


def _row(scene: Scene, plan: Plan, change: Callable[[dict[str, Any]], Any]) -> None:
    plan.edit_row = change


ROWS: dict[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "column_missing": ("A column is not there.", lambda row: row.pop("func_path")),
    "messages_missing": ("The messages are not there.", lambda row: row.pop("messages")),
    "column_of_wrong_type": ("`instance_id` is a number.", lambda row: row.update(instance_id=10309)),
    "patch_of_wrong_type": ("`rollout_patch` is a list.", lambda row: row.update(rollout_patch=["diff"])),
    "messages_are_number": ("`messages` is a number.", lambda row: row.update(messages=7)),
    "messages_cut": (
        "The JSON in `messages` is cut off.",
        lambda row: row.update(messages=row["messages"][:-40]),
    ),
    "messages_are_text": (
        "`messages` is a text and no JSON.",
        lambda row: row.update(messages="see the log"),
    ),
    "messages_are_object": (
        "`messages` holds an object.",
        lambda row: row.update(messages='{"role": "system", "content": "x"}'),
    ),
}
for at, (name, (description, change)) in enumerate(ROWS.items()):
    enter(name, description, partial(_row, change=change), at)


def _messages(scene: Scene, plan: Plan, change: Callable[[list[Message]], Any]) -> None:
    plan.edit_messages = change


def _set(at: int, **keys: Any) -> Callable[[list[Message]], None]:
    return lambda messages: messages[at].update(keys)


def _delete(at: int) -> Callable[[list[Message]], None]:
    return lambda messages: messages.__delitem__(at)


def _observe_twice(messages: list[Message]) -> None:
    messages.insert(4, dict(messages[3]))


def _call_twice(messages: list[Message]) -> None:
    calls = messages[2]["tool_calls"]
    calls.append({**calls[0], "id": "call_" + "0" * 24})


TWO = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
MESSAGES: dict[str, tuple[str, Callable[[list[Message]], Any]]] = {
    "role_unknown": ("A message has the role `function`.", _set(3, role="function")),
    "content_of_two": ("A content list has two items.", _set(3, content=TWO)),
    "content_of_none": ("A content list has no item.", _set(3, content=[])),
    "two_observations": ("Two observations follow one call.", _observe_twice),
    "no_system_message": ("The first message is not the system's.", _delete(0)),
    "lost_observation": ("A tool result is lost in the middle: two calls in a row.", _delete(3)),
    "observation_before_call": ("A tool result comes before any call.", _delete(2)),
    "two_calls": ("A turn calls two tools.", _call_twice),
}
for at, (name, (description, alter)) in enumerate(MESSAGES.items()):
    enter(
        name,
        description,
        partial(_messages, change=alter),
        at + 1,
        2 if name in ("two_calls", "lost_observation") else 1,
    )


def _arguments(scene: Scene, plan: Plan, text: Any) -> None:
    plan.put(
        scene.rng, ordinary(scene, edit=lambda said, reply: said["tool_calls"][0]["function"].update(arguments=text))
    )


ARGUMENTS: dict[str, Any] = {
    "cut": '{"command": "ls /testb',
    "array_text": '["ls"]',
    "string_text": '"ls"',
    "number_text": "5",
    "trailing": '{"command": "ls"} and more',
    "single_quotes": "{'command': 'ls'}",
    "nan": '{"command": "ls", "timeout": NaN}',
    "infinity": '{"command": "ls", "timeout": [1, -Infinity]}',
    "overflow": '{"command": "ls", "options": {"timeout": 1e400}}',
    "list": ["ls"],
}
for at, (name, text) in enumerate(ARGUMENTS.items()):
    enter(
        f"arguments_{name}",
        f"Arguments that are no JSON object: {text!r}.",
        partial(_arguments, text=text),
        at,
    )


def _exit(scene: Scene, plan: Plan, words: str) -> None:
    plan.ending = [ends.leave(scene, words, replied=scene.rng.random() < 0.7)]


for at, words in enumerate(EXITS):
    enter(f"exit_{at}", f"The harness ends the run: `{words}`.", partial(_exit, words=words), at)


def _exit_with_list(scene: Scene, plan: Plan) -> None:
    _exit(scene, plan, EXITS[0])
    plan.ending[0].edit = lambda said, reply: said.update(tool_calls=[])


def _no_submit(scene: Scene, plan: Plan) -> None:
    plan.ending = []


def _dangling(scene: Scene, plan: Plan) -> None:
    plan.ending = [ordinary(scene)]
    plan.ending[0].observation = None


def _review_then_work(scene: Scene, plan: Plan) -> None:
    del plan.ending[-1]


enter(
    "exit_with_empty_calls",
    "The harness's exit has `tool_calls` [] instead of null.",
    _exit_with_list,
    1,
    2,
)
enter("no_submit_at_all", "The run ends on the result of an ordinary call.", _no_submit, 0, 4)
enter("dangling_call", "The run ends on a call without its result.", _dangling, 2, 2)
enter("review_then_work", "Submit, review, clean-up, and no second submit.", _review_then_work, 3, 2)

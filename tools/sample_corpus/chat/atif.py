"""Chats as trajectories of ATIF, and the oddities of these."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tools.sample_corpus.chat.rows import TOOLS, Chat
from tools.sample_corpus.edges import Table
from tools.sample_corpus.scene import Scene

EDGES = Table()
edge = EDGES.edge


def trajectory(chat: Chat) -> dict[str, Any]:
    """The chat as a trajectory."""
    steps: list[dict[str, Any]] = []
    for message in chat.messages:
        role = message["role"]
        if role == "tool":
            result = {"source_call_id": message["tool_call_id"], "content": message["content"]}
            steps[-1].setdefault("observation", {"results": []})["results"].append(result)
            continue
        step = {"source": "agent" if role == "assistant" else role, "message": message["content"]}
        if "tool_calls" in message:
            step["tool_calls"] = [_call(call) for call in message["tool_calls"]]
        steps.append({"step_id": len(steps) + 1, **step})
    row: dict[str, Any] = {
        "schema_version": "ATIF-v1.7",
        "trajectory_id": chat.columns["trajectory_id"],
        "agent": {"name": "made-up", "version": "1.0", "model_name": "made-up-7b", "tool_definitions": TOOLS},
        "steps": steps,
        "extra": {"instance_id": chat.columns["instance_id"]},
    }
    if chat.edit_row:
        chat.edit_row(row)
    return row


def _call(call: dict[str, Any]) -> dict[str, Any]:
    function = call["function"]
    arguments = json.loads(function["arguments"])
    return {"tool_call_id": call["id"], "function_name": function["name"], "arguments": arguments}


def _edit(change: Callable[[list[dict[str, Any]]], None]) -> Callable[[dict[str, Any]], None]:
    return lambda row: change(row["steps"])


def _number(steps: list[dict[str, Any]]) -> None:
    for number, step in enumerate(steps, 1):
        step["step_id"] = number


@edge(own_atif=1)
def reasoning(scene: Scene, chat: Chat) -> None:
    """The reasoning is a member of its own."""
    said = scene.prose(90)

    def change(steps: list[dict[str, Any]]) -> None:
        steps[2]["reasoning_content"] = said

    chat.edit_row = _edit(change)


@edge(own_atif=1)
def thinking(scene: Scene, chat: Chat) -> None:
    """Think tags are left in a message."""
    said = scene.prose(90)

    def change(steps: list[dict[str, Any]]) -> None:
        steps[2]["message"] = f"<think>{said}</think>{steps[2]['message']}"

    chat.edit_row = _edit(change)


@edge(own_atif=1)
def arguments_list(scene: Scene, chat: Chat) -> None:
    """Arguments are a list."""

    def change(steps: list[dict[str, Any]]) -> None:
        steps[2]["tool_calls"][0]["arguments"] = [{"keys": "ls"}]

    chat.edit_row = _edit(change)


@edge(own_atif=1)
def unnamed_results(scene: Scene, chat: Chat) -> None:
    """Results name no call, and their contents are parts."""

    def change(steps: list[dict[str, Any]]) -> None:
        for step in steps:
            for result in step.get("observation", {}).get("results", ()):
                del result["source_call_id"]
                result["content"] = [{"type": "text", "text": result["content"]}]

    chat.edit_row = _edit(change)


@edge(own_atif=1)
def late_result(scene: Scene, chat: Chat) -> None:
    """A result stands in the step behind the one of its call."""

    def change(steps: list[dict[str, Any]]) -> None:
        steps[3]["observation"]["results"].insert(0, steps[2].pop("observation")["results"][0])

    chat.edit_row = _edit(change)


@edge(own_atif=1)
def no_model(scene: Scene, chat: Chat) -> None:
    """A step that no model made, and one that was copied."""

    def change(steps: list[dict[str, Any]]) -> None:
        steps.insert(3, {"source": "agent", "message": "The harness looks itself.", "llm_call_count": 0})
        steps.insert(4, {"source": "agent", "message": "Copied.", "is_copied_context": True})
        _number(steps)

    chat.edit_row = _edit(change)


@edge(own_atif=1)
def user_between(scene: Scene, chat: Chat) -> None:
    """The user and the harness speak between two turns."""

    def change(steps: list[dict[str, Any]]) -> None:
        steps.insert(3, {"source": "user", "message": "Go on."})
        steps.insert(4, {"source": "system", "message": "Half of the budget is left."})
        _number(steps)

    chat.edit_row = _edit(change)


@edge(own_atif=1)
def old_version(scene: Scene, chat: Chat) -> None:
    """An old trajectory: no id, no tools, no system step."""

    def edit(row: dict[str, Any]) -> None:
        row.update(schema_version="ATIF-v1.2", session_id=row.pop("trajectory_id"))
        del row["extra"], row["agent"]["tool_definitions"], row["steps"][0]
        _number(row["steps"])

    chat.edit_row = edit


@edge(own_atif=1)
def another_file(scene: Scene, chat: Chat) -> None:
    """The record is something else: rejected."""

    def edit(row: dict[str, Any]) -> None:
        row.clear()
        row.update(task="made-up", reward=1.0)

    chat.edit_row = edit

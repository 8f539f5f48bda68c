"""SERA converted by hand to the training views: what somebody writes who needs one of them and has no package for it.

An independent reading of the same rules (regular rows only). It shares with the package the fixed texts alone: the
tools, and the words that describe them in a system text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.by_hand_sera import THINK, Row, joined, recall, text_of
from sera_swezero import schemas
from sera_swezero.views.training import with_tools

TOOLS = schemas.tools("tools-sera")


class Turn(NamedTuple):
    """One turn of the model, its call and what came back."""

    reasoning: str
    visible: str
    id: str
    name: str
    arguments: Any
    observation: str


def turns(history: list[Row]) -> Iterator[Turn]:
    """The turns of a history, in which every turn calls one tool and gets one observation."""
    for message, result in zip(history[::2], history[1::2], strict=True):
        if (message["role"], result["role"]) != ("assistant", "tool"):
            raise ValueError(f"{message['role']} before {result['role']}")
        text = message["thought"] or message["content"]
        reasoning = joined([block.strip() for block in THINK.findall(text)])
        visible = joined([part.strip() for part in THINK.split(text)[::2]])
        (call,) = message["tool_calls"]
        name, arguments = call["function"]["name"], json.loads(call["function"]["arguments"] or "{}")
        yield Turn(reasoning, visible, call["id"], name, arguments, text_of(result).removeprefix("OBSERVATION:\n"))


def openai(system: str, task: str, history: list[Row]) -> Row:
    """Messages of the chat API, and the tools."""
    messages: list[Row] = [{"role": "system", "content": system}, {"role": "user", "content": task}]
    for turn in turns(history):
        said: Row = {"role": "assistant", "content": turn.visible}
        if turn.reasoning:
            said["reasoning_content"] = turn.reasoning
        function = {"name": turn.name, "arguments": turn.arguments}
        said["tool_calls"] = [{"id": turn.id, "type": "function", "function": function}]
        result = {"role": "tool", "name": turn.name, "tool_call_id": turn.id, "content": turn.observation}
        messages += [said, result]
    return {"messages": messages, "tools": [json.loads(tool) for tool in TOOLS]}


def tagged(turn: Turn) -> str:
    """A turn as text with tags."""
    call = json.dumps({"name": turn.name, "arguments": turn.arguments}, ensure_ascii=False)
    thought = f"<think>\n{turn.reasoning}\n</think>" if turn.reasoning else ""
    text = joined([thought, turn.visible])
    gap = "\n" if turn.visible else "\n\n" if text else ""
    return f"{text}{gap}<tool_call>\n{call}\n</tool_call>"


def hermes(system: str, task: str, history: list[Row]) -> Row:
    """Messages with tags in their text."""
    messages = [("system", with_tools(system, TOOLS)), ("user", task)]
    for turn in turns(history):
        messages += [
            ("assistant", tagged(turn)),
            ("user", f"<tool_response>\n{turn.observation}\n</tool_response>"),
        ]
    return {
        "messages": [{"role": role, "content": text, "train": role == "assistant"} for role, text in messages],
    }


def sharegpt(system: str, task: str, history: list[Row]) -> Row:
    """A conversation that ends on the model."""
    said = [{"from": "human", "value": task}]
    for turn in turns(history):
        said += [
            {"from": "function_call", "value": tagged(turn)},
            {"from": "observation", "value": turn.observation},
        ]
    tools = json.dumps([json.loads(tool)["function"] for tool in TOOLS], ensure_ascii=False)
    return {"conversations": said[:-1], "system": system, "tools": tools}


VIEWS: dict[str, Callable[[str, str, list[Row]], Row]] = {"openai": openai, "hermes": hermes, "sharegpt": sharegpt}


def rows(files: list[Path], config: str, view: str) -> Iterator[Row]:
    """Convert the files' rows to a view."""
    for path in files:
        with path.open("rb") as lines:
            for line in lines:
                record = json.loads(line)
                system, task, *history = json.loads(record["messages"])
                yield {
                    **VIEWS[view](text_of(system), text_of(task), history),
                    "instance_id": record["instance_id"],
                    "config": config,
                    "outcome": "submitted",
                    "line_level_recall": recall(record["target_patch"], record["rollout_patch"]),
                }

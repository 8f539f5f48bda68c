"""Plain chats of any size, in the columns of the sets that store them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tools.sample_corpus import issue
from tools.sample_corpus.plan import Message
from tools.sample_corpus.project import World
from tools.sample_corpus.scene import Scene
from tools.sample_corpus.sets import Set, Size
from tools.sample_corpus.swe_zero.commands import COMMANDS
from tools.sample_corpus.text import pick

SMALL = Size(1_500, 3, 2)
"""The rows of the shipped corpus."""
SYSTEM = "You are an agent at a computer. Work on the task step by step, and call `finish` when it is done."


def _tool(name: str, *arguments: str) -> dict[str, Any]:
    properties = {one: {"type": "string", "description": f"The {one}."} for one in arguments}
    parameters = {"type": "object", "properties": properties, "required": list(arguments)}
    described = {"name": name, "description": f"Made up for the sample: {name}.", "parameters": parameters}
    return {"type": "function", "function": described}


TOOLS = [_tool("execute_bash", "command"), _tool("finish", "message")]


@dataclass
class Chat:
    """One raw row in the making."""

    columns: dict[str, Any]
    """The row without its messages."""
    messages: list[Message] = field(default_factory=list)
    column: str = "messages"
    """What the column of the messages is called."""
    as_text: bool = False
    """Whether it holds the list's JSON text."""
    edit_row: Callable[[dict[str, Any]], None] | None = None

    def turns(self) -> list[int]:
        """The indices of the turns that call `execute_bash`."""
        return [
            at
            for at, message in enumerate(self.messages)
            if message.get("tool_calls") and message["tool_calls"][0]["function"]["name"] == "execute_bash"
        ]


def calling(name: str, arguments: Any, identity: str) -> dict[str, Any]:
    """A call; arguments other than text are written as JSON text."""
    text = arguments if arguments is None or isinstance(arguments, str) else json.dumps(arguments)
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": text}}


def plain(world: World, one: Set, row: int, size: Size) -> tuple[Scene, Chat]:
    """The rollout `row` of a set."""
    rng = world.rng(one.config, row)
    scene = Scene(world, rng, issue.make(world, row, size.changed))
    repo = f"{scene.project.owner}/{scene.project.package}"
    facts = {
        "instance_id": f"{repo.replace('/', '__')}-{500 + row}",
        "trajectory_id": f"made-{one.config}-{row}",
        "repo": repo,
        "license": "MIT",
        "language": "python",
        "dataset": "made-up",
        "hf_dataset_name": "made-up",
        "model_patch": scene.issue.first_patch,
        "exit_status": "submit",
        "resolved": rng.randrange(2),
        "metadata": {"turns": 1 + size.calls, "note": "made up"},
        "tools": TOOLS if one.tools == "objects" else [json.dumps(tool) for tool in TOOLS],
    }
    chat = Chat({name: facts[name] for name in one.columns if name in facts})
    chat.column = next((name for name in one.columns if name not in facts), "messages")
    chat.messages = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": f"{issue.vague(rng, scene.issue)}\n\nThe repository is {repo}."},
    ]
    for at in range(max(2, size.calls)):
        part = size.row_bytes // (size.calls + 2)
        command, output = (text[: 2 * part] for text in pick(rng, COMMANDS)(scene, part))
        call = calling("execute_bash", {"command": command}, f"made-{row}-{at}")
        chat.messages.append({"role": "assistant", "content": scene.prose(90), "tool_calls": [call]})
        chat.messages.append(
            {"role": "tool", "content": output, "tool_call_id": f"made-{row}-{at}", "name": "execute_bash"}
        )
    finish = calling("finish", {"message": f"It is done. {scene.prose(90)}"}, f"made-{row}-finish")
    chat.messages.append({"role": "assistant", "content": "", "tool_calls": [finish]})
    return scene, chat


def raw(chat: Chat, one: Set) -> dict[str, Any]:
    """The row as the set's files have it."""
    messages = [_message(message, one) for message in chat.messages]
    row = {**chat.columns, chat.column: json.dumps(messages) if chat.as_text else messages}
    if chat.edit_row:
        chat.edit_row(row)
    return row


def _message(message: Message, one: Set) -> Message:
    """The message without the ids that the set does not have."""
    shown = dict(message)
    if message["role"] == "tool" and one.ids != "all":
        for name in ("tool_call_id", "name"):
            shown.pop(name, None)
    if one.ids == "none" and "tool_calls" in message:
        shown["tool_calls"] = [{key: call[key] for key in ("type", "function")} for call in message["tool_calls"]]
    return shown


def schema(one: Set) -> Any:
    """The Arrow schema of a set in Parquet."""
    import pyarrow as pa

    text = pa.string()
    function = pa.struct([("arguments", text), ("name", text)])
    call = pa.struct([("function", function), *([("id", text)] if one.ids != "none" else []), ("type", text)])
    message = [("content", text), ("role", text), ("tool_calls", pa.list_(call))]
    message += [("name", text), ("tool_call_id", text)] if one.ids == "all" else []
    message += [("reasoning_content", text)] if one.ids == "none" else []
    properties = pa.struct(
        [(name, pa.struct([("description", text), ("type", text)])) for name in ("command", "message")]
    )
    parameters = pa.struct([("properties", properties), ("required", pa.list_(text)), ("type", text)])
    described = pa.struct([("description", text), ("name", text), ("parameters", parameters)])
    tool = pa.struct([("function", described), ("type", text)]) if one.tools == "objects" else text
    types: dict[str, Any] = {
        "resolved": pa.int64() if one.tools == "objects" else pa.int32(),
        "tools": pa.list_(tool),
        "metadata": pa.struct([("turns", pa.int64()), ("note", text)]),
        "messages": pa.list_(pa.struct(message)),
        "trajectory": pa.list_(pa.struct(message)),
    }
    return pa.schema([(name, types.get(name, text)) for name in one.columns])

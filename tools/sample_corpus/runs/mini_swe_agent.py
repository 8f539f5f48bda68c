"""Plain chats as the files that mini-swe-agent writes, and the oddities of these."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tools.sample_corpus.chat.rows import Chat, calling
from tools.sample_corpus.edges import Table
from tools.sample_corpus.plan import Message
from tools.sample_corpus.scene import Scene
from tools.sample_corpus.swe_zero.rows import ANNOUNCE, NUDGE

EDGES = Table()
edge = EDGES.edge

SYSTEM = "You are an agent at a computer. Work on the task step by step with the shell."


def file(chat: Chat) -> Any:
    """The run as a file: an object, or a bare list of messages."""
    ending = {"exit_status": "Submitted", "submission": chat.columns["model_patch"]}
    leaving = {"role": "exit", "content": ending["submission"], "extra": dict(ending)}
    run = {
        "info": {
            "model_stats": {"api_calls": len(chat.turns()) + 1},
            "config": {"model": {"model_name": "made-up-7b"}},
            "mini_version": "2.4.1",
            **ending,
        },
        "messages": [*map(_message, chat.messages), leaving],
        "trajectory_format": "mini-swe-agent-1.1",
        "instance_id": chat.columns["instance_id"],
    }
    if chat.edit_row:
        chat.edit_row(run)
    return run["messages"] if chat.as_text else run


def _message(message: Message) -> Message:
    """The message as the program has it: with one tool, the shell, and outputs in tags."""
    if message["role"] == "system":
        return {"role": "system", "content": SYSTEM}
    if message["role"] == "tool":
        content = f"<returncode>0</returncode>\n<output>\n{message['content']}</output>"
        return {"role": "tool", "tool_call_id": message["tool_call_id"], "content": content}
    if "tool_calls" not in message:
        return message
    (call,) = message["tool_calls"]
    arguments = json.loads(call["function"]["arguments"])  # `finish` has a message in place of a command
    words = message["content"] or arguments["message"]
    call = calling("bash", {"command": arguments.get("command", ANNOUNCE)}, call["id"])
    return {"role": "assistant", "content": words, "tool_calls": [call]}


def _edit(change: Callable[[list[Message]], None]) -> Callable[[dict[str, Any]], None]:
    return lambda run: change(run["messages"])


def _written(messages: list[Message], opening: str) -> None:
    """Have a text model write its commands into blocks."""
    for message in messages:
        for call in message.pop("tool_calls", ()):
            command = json.loads(call["function"]["arguments"])["command"]
            message["content"] = f"THOUGHT: {message['content']}\n\n{opening}\n{command}\n```"
        if message.pop("tool_call_id", None):
            message["role"] = "user"


@edge(own_mini=2)
def text_model(scene: Scene, chat: Chat) -> None:
    """A text model writes its command into a block."""
    chat.edit_row = _edit(lambda messages: _written(messages, "```mswea_bash_command"))


@edge(own_mini=1)
def text_model_of_version_1(scene: Scene, chat: Chat) -> None:
    """The same in version 1, whose last message is the submission without any mark."""

    def edit(run: dict[str, Any]) -> None:
        _written(run["messages"], "```bash")
        run["messages"][-1] = {"role": "user", "content": run["info"]["submission"]}
        run["trajectory_format"] = "mini-swe-agent-1"

    chat.edit_row = edit


@edge(own_mini=1)
def bare_list(scene: Scene, chat: Chat) -> None:
    """The file is the list of messages alone."""
    chat.as_text = True


@edge(own_mini=1)
def two_commands(scene: Scene, chat: Chat) -> None:
    """Two commands in one turn, and both outputs behind it."""

    def change(messages: list[Message]) -> None:
        first, observed, second = messages[2:5]
        first["tool_calls"] += second["tool_calls"]
        messages[2:5] = [first, observed]

    chat.edit_row = _edit(change)


@edge(own_mini=1)
def beside_the_submission(scene: Scene, chat: Chat) -> None:
    """Another command is called beside the submission, and its output is not recorded."""
    looking = calling("bash", {"command": "git status"}, "made-look")
    chat.edit_row = _edit(lambda messages: messages[-2]["tool_calls"].insert(0, looking))


@edge(own_mini=1)
def format_error(scene: Scene, chat: Chat) -> None:
    """A turn without a command is left out, and the error that it met is kept."""
    error = {"role": "user", "content": NUDGE, "extra": {"interrupt_type": "FormatError"}}
    chat.edit_row = _edit(lambda messages: messages.insert(4, error))


@edge(own_mini=1)
def reasoning_apart(scene: Scene, chat: Chat) -> None:
    """The reasoning is a member of its own."""
    said = scene.prose(90)
    chat.edit_row = _edit(lambda messages: messages[2].update(reasoning_content=said))


@edge(own_mini=1)
def step_limit(scene: Scene, chat: Chat) -> None:
    """The run met its step limit."""

    def edit(run: dict[str, Any]) -> None:
        ending = {"exit_status": "LimitsExceeded", "submission": ""}
        run["messages"][-2:] = [{"role": "exit", "content": "LimitsExceeded", "extra": dict(ending)}]
        run["info"].update(ending)

    chat.edit_row = edit


@edge(own_mini=1)
def lost_output(scene: Scene, chat: Chat) -> None:
    """The output of a command is lost: rejected."""

    def change(messages: list[Message]) -> None:
        del messages[3]

    chat.edit_row = _edit(change)

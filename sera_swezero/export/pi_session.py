"""Pi's session format, which the hub's trace viewer and `datasets` from 5 on read.

    {"type": "session", "version": 3, "id": "...", "timestamp": "...", "cwd": "/", "harness": "SWE-agent"}
    {"type": "message", "id": "m1", "parentId": null, "timestamp": "...", "message": {"role": "user", "content": [
        {"type": "text", "text": "the task"}]}}
    {..., "message": {"role": "assistant", "content": [{"type": "thinking", "thinking": "..."},
        {"type": "text", "text": "words"}, {"type": "toolCall", "id": "call_0", "name": "bash", "arguments": {...}}]}}
    {..., "message": {"role": "toolResult", "toolCallId": "call_0", "toolName": "bash", "isError": false,
        "content": [...]}}

The format has no place for a system text or for tools. They are in entries of the type `custom`, under the names that
TeichAI's `teich` looks for, with which `datasets` reads sessions. No time is known, so every timestamp is the epoch.
All characters beyond ASCII are escaped, because `datasets` also splits lines at those that end a line in Unicode.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sera_swezero.errors import RowError
from sera_swezero.views.openai import is_wide

NEVER = "1970-01-01T00:00:00.000Z"
"""The timestamp of every entry."""


def session(text: str) -> str:
    """The lines of a session with the trajectory in `text`, which the view `atif` wrote.

    Raises:
        RowError: `wide_integer`: `datasets` refuses a whole file for an integer beyond 64 bits.
    """
    trajectory: dict[str, Any] = json.loads(text, parse_int=_narrow)
    agent = trajectory["agent"]
    header = {"type": "session", "version": 3, "id": trajectory["trajectory_id"], "timestamp": NEVER, "cwd": "/"}
    entries: list[dict[str, Any]] = []
    system, *steps = trajectory["steps"]
    if "tool_definitions" in agent:
        entries.append(_custom("teich-available-tools", {"tools": agent["tool_definitions"]}))
    if system["message"]:
        entries.append(_custom("teich-system-prompt", {"systemPrompt": system["message"]}))
    entries += [{"type": "message", "message": message} for step in steps for message in _messages(step)]
    lines = [{**header, "harness": agent["name"]}]
    for number, entry in enumerate(entries, 1):
        before = f"m{number - 1}" if number > 1 else None
        lines.append({"type": entry.pop("type"), "id": f"m{number}", "parentId": before, "timestamp": NEVER, **entry})
    return "".join(f"{json.dumps(line)}\n" for line in lines)


def _narrow(digits: str) -> int:
    if is_wide(digits):
        raise RowError("wide_integer", f"{digits[:40]} is an integer beyond 64 bits; the format atif can hold it")
    return int(digits)


def _custom(name: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"type": "custom", "customType": name, "data": data}


def _messages(step: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The messages of a step: what is said and called, and each result."""
    said = [{"type": "text", "text": step["message"]}] if step["message"] else []
    if step["source"] != "agent":
        yield {"role": "user", "content": said}
        return
    thought = step.get("reasoning_content")
    thinking = [{"type": "thinking", "thinking": thought}] if thought else []
    calls = [
        {"type": "toolCall", "id": call["tool_call_id"], "name": call["function_name"], "arguments": call["arguments"]}
        for call in step.get("tool_calls", ())
    ]
    yield {"role": "assistant", "content": [*thinking, *said, *calls], "stopReason": "toolUse" if calls else "stop"}
    names = {call["id"]: call["name"] for call in calls}
    for result in step.get("observation", {}).get("results", ()):
        name = result["source_call_id"]
        content = [{"type": "text", "text": result["content"]}]
        yield {"role": "toolResult", "toolCallId": name, "toolName": names[name], "isError": False, "content": content}

"""Raw SERA rows: a plan written the way SWE-agent writes its history and the sets wrap it in JSONL."""

from __future__ import annotations

import json
import shlex
from random import Random
from typing import Any

from tools.sample_corpus.plan import Message, Plan, Turn

SYSTEM = "You solve tasks at a computer by calling the tools that you are given."
EDITOR_SLOTS = ("file_text", "view_range", "old_str", "new_str", "insert_line")
TASK = """<uploaded_files>
/testbed
</uploaded_files>
The directory /testbed holds a Python repository. This is what its maintainers ask for:

<pr_description>

{statement}

</pr_description>

Please change the repository so that the <pr_description> is fulfilled, and leave the tests alone. Work like this:
1. Find and read the code that it talks about
2. Write a script that shows the problem and run it with `python <name>.py`
3. Mend the source, run the script again and think of the corner cases
Take all the room you need to think."""
REVIEW = """Thanks, that is noted. Before it counts, go through this once:

1. Run your script again if you have changed anything since, then delete it.
2. Put test files back to what they were; the <diff> tells which ones you touched.
3. Call submit once more to confirm.

These are your changes so far:

<diff>
{patch}
</diff>

"""


def action(tool: str, arguments: Any) -> str:
    """The call as a shell line. An editor option that is not given leaves its space behind, as upstream."""
    if not isinstance(arguments, dict):
        return tool
    if tool == "bash":
        return str(arguments.get("command", ""))
    if tool != "str_replace_editor":
        return tool
    slots = [tool, str(arguments.get("command", "")), str(arguments.get("path", ""))]
    for slot in EDITOR_SLOTS:
        value = arguments.get(slot)
        spelled = (
            " ".join(map(str, value))
            if isinstance(value, list)
            else value
            if isinstance(value, int)
            else shlex.quote(str(value))
        )
        slots.append("" if value is None else f"--{slot} {spelled}")
    return " ".join(slots).rstrip()


def history(plan: Plan, rng: Random) -> list[Message]:
    """The messages of the row, before its own oddities."""
    messages: list[Message] = [
        {"role": "system", "content": SYSTEM, "agent": "main", "message_type": "system_prompt"},
        {"role": "user", "content": _text(plan.task), "agent": "main", "message_type": "observation"},
    ]
    edits = []
    for turn in plan.turns:
        said = _assistant(turn, f"call_{rng.getrandbits(96):024x}")
        messages.append(said)
        reply: Message = {}
        if turn.observation is not None:
            reply = {
                "role": turn.reply,
                "content": _text(turn.observation),
                "agent": "main",
                "message_type": "observation",
            }
            if turn.reply == "tool":
                reply["tool_call_ids"] = [call["id"] for call in said["tool_calls"]]
            messages.append(reply)
        if turn.edit:
            edits.append((turn.edit, said, reply))
    for message in [message for message in messages if message["role"] in ("user", "tool")][-2:]:
        (message if message["role"] == "tool" else message["content"][0])["cache_control"] = {"type": "ephemeral"}
    for edit, said, reply in edits:
        edit(said, reply)
    return messages


def _text(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text}]


def _assistant(turn: Turn, call_id: str) -> Message:
    text = turn.text
    if text is None:
        text = (f"<think>{turn.reasoning}</think>" if turn.reasoning else "") + (
            f"\n{turn.visible}" if turn.visible else ""
        )
    calls = None
    if turn.tool is not None:
        written = turn.arguments if isinstance(turn.arguments, str) else json.dumps(turn.arguments, ensure_ascii=False)
        calls = [
            {"index": -1, "function": {"arguments": written, "name": turn.tool}, "id": call_id, "type": "function"}
        ]
    return {
        "role": "assistant",
        "content": text,
        "thought": text,
        "action": action(turn.tool, turn.arguments) if turn.tool else "",
        "agent": "main",
        "tool_calls": calls,
        "message_type": "action",
    }


def line(plan: Plan, rng: Random) -> str:
    """The row's line in the JSONL file, without the newline."""
    if plan.line is not None:
        return plan.line
    messages: Any = history(plan, rng)
    if plan.edit_messages:
        changed = plan.edit_messages(messages)
        messages = messages if changed is None else changed
    row = {"messages": json.dumps(messages, ensure_ascii=plan.ascii), **plan.columns}
    if plan.edit_row:
        plan.edit_row(row)
    return json.dumps(row, ensure_ascii=plan.ascii)

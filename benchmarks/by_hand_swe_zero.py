"""SWE-ZERO converted by hand, a row at a time, for `datasets.map`: an independent reading of the same rules."""

from __future__ import annotations

import json
import re
from typing import Any

from benchmarks.by_hand_sera import joined
from sera_swezero import schemas
from sera_swezero.core.rectify import ANSWER
from sera_swezero.core.system_prompt import system_text
from sera_swezero.core.trajectory import Outcome, Trajectory
from sera_swezero.sources.swe_zero import SOURCE

BLOCK = re.compile(r"```bash\s*\n(.*?)\n```", re.DOTALL)
ANNOUNCE = re.compile(r"""echo\s+(["']?)(COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT|MINI_SWE_AGENT_FINAL_OUTPUT)\1\s*;?""")
SYSTEM = system_text(
    schemas.tools("tools-swe-zero"), SOURCE.system_text(Trajectory(None, None, (), Outcome("")), "answer")
)
CARD = (
    *("instance_id", "messages", "repo", "exit_status", "exit_status_detail", "n_turns", "n_messages"),
    *("prompt_tokens", "completion_tokens", "duration_sec"),
)


def convert(row: dict[str, Any]) -> dict[str, Any]:
    """The rectified row of one upstream row."""
    messages = json.dumps(rectified(row["messages"], submitted=row["exit_status"] == "Submitted"), ensure_ascii=False)
    return {"messages": messages}


def rectified(chat: list[dict[str, str]], *, submitted: bool) -> list[dict[str, str]]:
    """The six-role messages of one chat."""
    if not chat:
        return []
    out = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": chat[1]["content"]}]
    carried: list[str] = []
    last = max((index for index, message in enumerate(chat) if message["role"] == "assistant"), default=-1)
    for index, message in enumerate(chat[2:], 2):
        if message["role"] != "assistant":
            continue
        words, command = split(message["content"])
        carried.append(words)
        if submitted and index == last:
            if command is not None and not ANNOUNCE.fullmatch(command):
                carried.append(command)
            out.append({"role": "reasoning", "content": f"<think>{joined(carried)}</think>"})
            out.append({"role": "answer", "content": f"<answer>{ANSWER}</answer>"})
        elif command is not None:
            out.append({"role": "reasoning", "content": f"<think>{joined(carried)}</think>"})
            call = {"name": "bash", "arguments": {"command": command}}
            out.append(
                {"role": "tool_call", "content": f"<tool_call>{json.dumps(call, ensure_ascii=False)}</tool_call>"}
            )
            if index + 1 < len(chat):
                text = chat[index + 1]["content"].removeprefix("Observation: ")
                out.append({"role": "tool_output", "content": f"<tool_response>{text}</tool_response>"})
            carried = []
    if not submitted and carried:
        out.append({"role": "reasoning", "content": f"<think>{joined(carried)}</think>"})
    return out


def split(content: str) -> tuple[str, str | None]:
    """The words around the first bash block, and the command in it."""
    block = BLOCK.search(content)
    if block is None:
        return unlabelled(content), None
    return joined([unlabelled(content[: block.start()]), content[block.end() :].strip()]), block.group(1).strip()


def unlabelled(text: str) -> str:
    """Without the label that the prompt asks for."""
    return text.strip().removeprefix("THOUGHT:").strip()

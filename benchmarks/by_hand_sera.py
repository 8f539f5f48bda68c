"""SERA converted by hand: what somebody writes who needs the rectified rows and has no package for it.

An independent reading of the same rules (regular rows only), with the JSON library as an argument. It shares with the
package the fixed texts alone, so that the rows can be compared.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sera_swezero import schemas
from sera_swezero.core.rectify import ANSWER, FILLERS
from sera_swezero.core.system_prompt import system_text

FACTS = {"teacher": "GLM-4.6", "scale": "lite", "rollout": "T2"}
ORDER = {
    None: {"system"},
    "system": {"user"},
    "user": {"reasoning"},
    "reasoning": {"tool_call", "answer"},
    "tool_call": {"tool_output"},
    "tool_output": {"reasoning"},
    "answer": set[str](),
}
THINK = re.compile(r"<think>(.*?)</think>", re.DOTALL)
HEADERS = ("diff", "---", "+++", "@@")

Loads = Callable[[Any], Any]
Row = dict[str, Any]


def rows(files: list[Path], loads: Loads, dumps: Callable[[Any], str], tool_call: Callable[..., str]) -> Iterator[Row]:
    """Convert the files' rows; `tool_call` writes (name, the arguments' JSON text) down as one JSON object."""
    for path in files:
        with path.open("rb") as lines:
            for line in lines:
                record = loads(line)
                messages = rectified(record, loads, tool_call)
                check_order(messages)
                yield {
                    "messages": dumps(messages),
                    "instance_id": record["instance_id"],
                    **FACTS,
                    "func_name": record["func_name"],
                    "func_path": record["func_path"],
                    "line_level_recall": recall(record["target_patch"], record["rollout_patch"]),
                }


def rectified(record: Row, loads: Loads, tool_call: Callable[..., str]) -> list[dict[str, str]]:
    """The six-role messages of one record."""
    history = loads(record["messages"])
    out = [
        {"role": "system", "content": system_text(schemas.tools("tools-sera"), text_of(history[0]))},
        {"role": "user", "content": text_of(history[1])},
    ]
    turns = list(steps(history[2:]))
    end = len(turns) - 1
    while end and turns[end][2] == turns[end - 1][2] == "submit":
        end -= 1
    final, body = turns[end:], turns[:end]
    said = [one for one in final if one[1]] or [one for one in reversed(body) if one[2] == "submit" and one[1]]
    answering = said[0] if said else None
    carried: list[str] = []
    submitting = False
    for step in body:
        reasoning, visible, name, arguments, observation = step
        if submitting and name == "submit":
            continue
        submitting = name == "submit"
        text = reasoning if step is answering or reasoning.endswith(visible) else joined([reasoning, visible])
        carried.append(text)
        if name in {None, "submit"}:
            continue
        thought = joined(carried) or filler(record["instance_id"], len(out) // 3, arguments)
        out += [
            {"role": "reasoning", "content": f"<think>{thought}</think>"},
            {"role": "tool_call", "content": f"<tool_call>{tool_call(name, arguments)}</tool_call>"},
            {"role": "tool_output", "content": f"<tool_response>{observation}</tool_response>"},
        ]
        carried = []
    thought = joined([*carried, final[0][0]]) or filler(record["instance_id"], len(out) // 3, final[0][3] or "")
    out.append({"role": "reasoning", "content": f"<think>{thought}</think>"})
    out.append({"role": "answer", "content": f"<answer>{answering[1] if answering else ANSWER}</answer>"})
    return out


def steps(history: list[Row]) -> Iterator[tuple[str, str, str | None, str, str]]:
    """(reasoning, visible, tool, arguments, observation) of every turn."""
    for index, message in enumerate(history):
        if message["role"] != "assistant":
            continue
        text = message["thought"] or message["content"]
        reasoning = joined([block.strip() for block in THINK.findall(text)])
        visible = joined([part.strip() for part in THINK.split(text)[::2]])
        calls = message.get("tool_calls") or [{"function": {"name": None, "arguments": ""}}]
        following = history[index + 1] if index + 1 < len(history) else {"role": "", "content": ""}
        observation = text_of(following) if following["role"] != "assistant" else ""
        observation = observation.removeprefix("OBSERVATION:\n")
        function = calls[0]["function"]
        yield reasoning, visible, function["name"], function["arguments"] or "{}", observation


def text_of(message: Row) -> str:
    """A content is a string or a list of one part."""
    content = message["content"]
    return content if isinstance(content, str) else content[0]["text"]


def joined(parts: list[str]) -> str:
    """The parts that are not empty, with a blank line between."""
    return "\n\n".join(part for part in parts if part)


def filler(instance: str, step: int, arguments: str) -> str:
    """The stock sentence for a step without reasoning; chosen as the package chooses it."""
    return FILLERS[zlib.crc32(f"{instance}\0{step}\0{arguments}".encode()) % len(FILLERS)]


def check_order(messages: list[dict[str, str]]) -> None:
    """The order of roles, as a table of what may follow."""
    before = None
    for message in messages:
        if message["role"] not in ORDER[before]:
            raise ValueError(f"{message['role']} after {before}")
        before = message["role"]
    if before != "answer":
        raise ValueError(f"ends on {before}")


def recall(target: str | None, produced: str | None) -> float | None:
    """Share of the target's changed lines that the rollout's patch has."""
    wanted = changed(target or "")
    return (wanted & changed(produced or "")).total() / wanted.total() if wanted else None


def changed(patch: str) -> Counter[str]:
    """Changed lines of a patch."""
    lines = [line for line in patch.splitlines() if line.startswith(("+", "-")) and not line.startswith(HEADERS)]
    return Counter(line for line in lines if line[1:].strip())

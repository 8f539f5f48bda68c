"""Upstream rows of any size and number for the tests of building and pushing: bytes of their own for every test."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from sera_swezero.catalog import CONFIGS

SERA = "glm-4.6-lite-t2"
"""The config that `sera_root` feeds."""


def sera_row(seed: int, size: int = 2_000) -> dict[str, Any]:
    """One raw SERA row: a call, an edit and a submission, with an observation of about `size` bytes of its own."""
    dice = random.Random(seed)
    noise = dice.randbytes(size // 2).hex()

    def turn(number: int, thought: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        function = {"name": name, "arguments": json.dumps(arguments)}
        call = {"index": -1, "function": function, "id": f"call_{number}", "type": "function"}
        texts = {"content": thought, "thought": thought, "action": name}
        return {"role": "assistant", **texts, "tool_calls": [call], "agent": "main", "message_type": "action"}

    def result(number: int, text: str) -> dict[str, Any]:
        content = [{"type": "text", "text": f"OBSERVATION:\n{text}"}]
        return {"role": "tool", "content": content, "tool_call_ids": [f"call_{number}"]}

    messages = [
        {"role": "system", "content": "You are a helpful assistant that can interact with a computer to solve tasks."},
        {"role": "user", "content": [{"type": "text", "text": f"Fix number {seed}."}]},
        turn(1, f"<think>I look at {seed}.</think>", "bash", {"command": f"cat {seed}.py"}),
        result(1, noise),
        turn(2, "<think>Done.</think>\nThe fix is in.", "submit", {}),
        result(2, "diff"),
    ]
    patch = f"+fixed {seed}\n"
    return {
        "messages": json.dumps(messages),
        "instance_id": f"made_{seed}",
        "rollout_patch": patch,
        "func_name": "f",
        "func_path": f"{seed}.py",
        "problem_statement": f"Fix number {seed}.",
        "target_patch": patch,
        "docker_image": "none",
    }


def sera_root(folder: Path, rows: list[dict[str, Any]], config: str = SERA) -> str:
    """Write the rows as the only file of the config's upstream repo below `folder`: a root for `upstream=`."""
    place = folder / CONFIGS[config].origins[0].repo
    place.mkdir(parents=True, exist_ok=True)
    (place / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(folder)

"""Files of runs as SWE-agent and mini-swe-agent write them, below folders of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.publishing import sera_row
from tests.support.raw import DIFF, TASK

ANNOUNCE = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"


def traj(seed: int, size: int = 2_000) -> dict[str, Any]:
    """Make a file of SWE-agent: the run of `sera_row`, and what the program writes beside its history."""
    row = sera_row(seed, size)
    config = {"agent": {"model": {"name": f"acme/coder-{seed}"}}}
    return {
        "trajectory": [],
        "history": json.loads(row["messages"]),
        "info": {"exit_status": "submitted", "submission": row["rollout_patch"], "model_stats": {"api_calls": 2}},
        "replay_config": json.dumps(config),
        "environment": "swe_main",
    }


def mini_traj(seed: int) -> dict[str, Any]:
    """Make a file of mini-swe-agent 2: two commands in a turn, and a submission."""

    def turn(words: str, *commands: str) -> dict[str, Any]:
        calls = [
            {"id": f"{words}{at}", "type": "function", "function": {"name": "bash", "arguments": json.dumps(one)}}
            for at, one in enumerate({"command": command} for command in commands)
        ]
        return {"role": "assistant", "content": words, "tool_calls": calls}

    said = [
        {
            "role": "tool",
            "tool_call_id": f"Look.{at}",
            "content": f"<returncode>0</returncode>\n<output>\n{seed}</output>",
        }
        for at in range(2)
    ]
    ending = {"exit_status": "Submitted", "submission": DIFF}
    return {
        "instance_id": f"made_{seed}",
        "info": {**ending, "config": {"model": {"model_name": f"acme/coder-{seed}"}}},
        "messages": [
            {"role": "system", "content": "Run commands."},
            {"role": "user", "content": TASK},
            *(turn("Look.", f"cat {seed}.py", "ls"), *said, turn("Done.", ANNOUNCE)),
            {"role": "exit", "content": DIFF, "extra": ending},
        ],
        "trajectory_format": "mini-swe-agent-1.1",
    }


def write_runs(folder: Path, files: dict[str, Any]) -> Path:
    """Write files of JSON into folders of a folder, indented as the programs do. Returns the folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content, indent=2), encoding="utf-8")
    return folder

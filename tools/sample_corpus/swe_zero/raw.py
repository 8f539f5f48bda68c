"""Raw SWE-ZERO rows: a plan written as a chat, and the columns around it."""

from __future__ import annotations

from random import Random
from typing import Any

from tools.sample_corpus.plan import Message, Plan
from tools.sample_corpus.sets import Set

SYSTEM = """You solve software tasks at a shell.

Say what you think first, then give one bash block with one command, like this:
THOUGHT: <what you think>

```bash
<one command>
```

WHERE YOU ARE:
- In the root of the repository. Each command starts there anew, so changes of directory are forgotten.
{tools}
HOW TO FINISH:
- Run a command whose first line of output is `COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT`."""
TOOLS = """- There is no interpreter and nothing to build with: no python, node, go, make. Read the source.
- There is cat, head, tail, grep, find, sed, awk, diff, cp, mv, rm, mkdir and git to look with.
"""


def system(one: Set) -> str:
    """The system prompt; the 8k run had another one, before the list of tools."""
    return SYSTEM.format(tools="" if one.config.endswith("8k") else TOOLS)


def row(plan: Plan, one: Set, rng: Random) -> dict[str, Any]:
    """The raw row, its columns in the set's order."""
    messages = _messages(plan, one)
    tokens = [len(message["content"]) // 4 for message in messages]
    said = [count for count, message in zip(tokens, messages, strict=True) if message["role"] == "assistant"]
    facts = {
        **plan.columns,
        "messages": messages,
        "trajectory_format": "mini-swe-agent-1",
        "n_turns": len(said),
        "n_messages": len(messages),
        "prompt_tokens": sum(sum(tokens[: 2 * turn]) for turn in range(1, len(said) + 1)),
        "completion_tokens": sum(said),
        "duration_sec": rng.randrange(1_460_000, 388_000_000) / 1e6,
    }
    whole = {name: facts[name] for name in one.columns}
    if plan.edit_row:
        plan.edit_row(whole)
    return whole


def _messages(plan: Plan, one: Set) -> list[Message]:
    messages = [{"role": "system", "content": system(one)}, {"role": "user", "content": plan.task}]
    for turn in plan.turns:
        messages.append({"role": "assistant", "content": turn.text or ""})
        if turn.observation is not None:
            messages.append({"role": "user", "content": turn.observation})
    changed = plan.edit_messages(messages) if plan.edit_messages else None
    return messages if changed is None else list(changed)

"""Raw SWE-ZERO rows: mini-swe-agent rollouts, one bash block per turn, and the columns around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import issue as issues
from . import text
from .plan import Plan, Turn
from .project import World
from .sera_rows import Size
from .sera_steps import Scene
from .sets import Set
from .words import NOUNS

SMALL = Size(5_200, 6, 6)
"""The rows of the shipped corpus."""


def size(row_bytes: int) -> Size:
    """The size of rows of about `row_bytes` bytes of text: 16 turns at 45 KB, up to the harness's cap of 30."""
    turns = max(4, min(30, round(16 * (row_bytes / 45_000) ** 0.5)))
    return Size(row_bytes, turns, turns)


TURN_CAP = {True: 30, False: 15}
"""Turns after which the harness stops a run: in the 1k sets, and in 12M."""
ANNOUNCE = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
NUDGE = "Please always provide EXACTLY ONE action in triple backticks."
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
TOOLS = """- There is no interpreter and nothing to build with: no python, node, go, make or test runner. Read the source to be sure.
- There is cat, head, tail, grep, find, sed, awk, diff, cp, mv, rm, mkdir and git to look with.
"""


def plain(world: World, one: Set, row: int, instance: int, size: Size, submitted: bool) -> tuple[Scene, Plan]:
    """The rollout `row` of issue `instance`."""
    rng = world.rng(one.config, row)
    scene = Scene(world, rng, issues.make(world, instance, size.changed))
    share = rng.uniform(0.5, 1.5)
    task = prompt(scene, instance, "Python" if one.wide else "unknown", int(size.row_bytes * share / 8))
    status = "Submitted" if submitted else "incomplete"
    owner = f"{scene.issue.project.owner}/{scene.issue.project.package}"
    columns = {
        "instance_id": f"{owner.replace('/', '__')}-{100 + instance}",
        "repo": owner,
        "exit_status": status,
        "exit_status_detail": "",
    }
    plan = Plan(columns, task)
    calls = min(TURN_CAP[one.wide] - submitted, max(3, round(size.calls * share)))
    if not submitted and rng.random() < 0.05 and size is SMALL:
        calls = TURN_CAP[one.wide]
    budget = size.row_bytes * share - len(task) - len(system(one))
    for left in range(calls, 0, -1):
        part = max(150.0, budget / left) * rng.uniform(0.4, 1.6)
        turn = call(scene, int(part), first=left == calls)
        plan.body.append(turn)
        budget -= len(turn.text or "") + len(turn.observation or "")
    if submitted:
        plan.ending = [finish(scene, ANNOUNCE)]
    return scene, plan


def system(one: Set) -> str:
    """The system prompt; the 8k run had another one, before the list of tools."""
    return SYSTEM.format(tools="" if one.config.endswith("8k") else TOOLS)


def prompt(scene: Scene, instance: int, language: str, chars: int) -> str:
    """The first user message, about `chars` characters long; the same for every rollout of an issue but for its length."""
    rng = scene.world.rng("prompt", instance)
    project = scene.issue.project
    interface = f"## Relevant Interface\n\n`{scene.issue.function}` in {scene.issue.path}\n\n" if instance % 3 else ""
    return (
        f"Please solve this issue in the repository {project.owner}/{project.package}.\n\n## Issue\n\n"
        f"**{text.title(rng)}**\n\n{scene.world.prose(rng, chars)}\n\n{interface}## Repository Info\n\n"
        f"- Repo: {project.owner}/{project.package}\n- Language: {language}\n- Base commit: {project.commit}\n"
        "- You are in the root of the checkout; use relative paths."
    )


def write(thought: str, command: str, end: str = "") -> str:
    """A turn's raw text."""
    return (f"{thought}\n\n" if thought else "") + f"```bash\n{command}\n```{end}"


def call(scene: Scene, chars: int, first: bool = False) -> Turn:
    """An ordinary turn of about `chars` characters; `THOUGHT: ` is on the first and, like upstream, rarely later."""
    command, output = scene.rng.choice(COMMANDS)(scene, int(chars * 0.75))
    label = "THOUGHT: " if first or scene.rng.random() < 0.1 else ""
    thought = f"{label}{scene.world.prose(scene.rng, min(1_200, int(chars * 0.2)))}"
    return answered(write(thought, command, scene.rng.choice(("\n", "\n", ""))), output)


def answered(said: str, output: str, **tally: int) -> Turn:
    """A turn with a call and what the command printed; long outputs lose their middle."""
    if len(output) > 8_000:
        output = f"{output[:4000]}\n\n... (output truncated, {len(output) - 8000} chars elided) ...\n\n{output[-4000:]}"
    return Turn(text=said, observation=f"Observation: {output}", tally=tally)


def finish(scene: Scene, command: str, thought: str | None = None, **tally: int) -> Turn:
    """The turn whose command ends the run: nothing follows it."""
    if thought is None:
        thought = f"The change is complete. {scene.world.prose(scene.rng, 80)}"
    return Turn(text=write(thought, command), tool="submit", tally={"filled_answer": 1, **tally})


def find(scene: Scene, chars: int) -> tuple[str, str]:
    return f'find . -name "*.py" | head -{scene.rng.randrange(10, 90)}', "".join(
        f"./{path}\n" for path in scene.issue.project.files
    )


def listing(scene: Scene, chars: int) -> tuple[str, str]:
    rows = [
        f"-rw-r--r-- 1 root root {scene.rng.randrange(200, 90_000):6} May  {scene.rng.randrange(1, 9)} 10:36 {path}"
        for path in scene.issue.project.listing
    ]
    return "ls -la", "\n".join([f"total {len(rows) * 4}", *rows]) + "\n"


def read(scene: Scene, chars: int) -> tuple[str, str]:
    path = scene.issue.path if scene.rng.random() < 0.6 else scene.rng.choice(list(scene.issue.project.files))
    start, end = scene.issue.project.window(scene.rng, path, chars)
    return f"sed -n '{start},{end}p' {path}", scene.issue.project.plain(path, start, end) + "\n"


def numbered(scene: Scene, chars: int) -> tuple[str, str]:
    start, end = scene.issue.project.window(scene.rng, scene.issue.path, chars)
    return f"cat -n {scene.issue.path} | sed -n '{start},{end}p'", scene.issue.project.cat(
        scene.issue.path, start, end
    ) + "\n"


def grep(scene: Scene, chars: int) -> tuple[str, str]:
    word = scene.rng.choice((scene.issue.function, *scene.issue.function.split("_"), "return", "None"))
    return f'grep -rn "{word}" --include="*.py" .', scene.issue.project.grep(scene.rng, word, chars) + "\n"


def substitute(scene: Scene, chars: int) -> tuple[str, str]:
    return f"sed -i 's/{scene.rng.choice(NOUNS)}/{scene.rng.choice(NOUNS)}/' {scene.issue.path}", ""


def rewrite(scene: Scene, chars: int) -> tuple[str, str]:
    start, end = scene.issue.project.window(scene.rng, scene.issue.path, chars)
    return f"cat <<'EOF' > {scene.issue.path}\n{scene.issue.project.plain(scene.issue.path, start, end)}\nEOF", ""


def missing(scene: Scene, chars: int) -> tuple[str, str]:
    path = f"{scene.issue.project.package}/{scene.rng.choice(NOUNS)}.py"
    return f"cat {path}", f"cat: {path}: No such file or directory\n"


COMMANDS: tuple[Callable[[Scene, int], tuple[str, str]], ...] = (
    find, listing, read, read, read, read, numbered, numbered, grep, grep, grep, substitute, substitute, rewrite, missing,
)  # fmt: skip
"""Ordinary commands; one that stands twice is twice as frequent."""


def row(plan: Plan, one: Set, scene: Scene) -> dict[str, Any]:
    """The raw row, its columns in the set's order."""
    messages = [{"role": "system", "content": system(one)}, {"role": "user", "content": plan.task}]
    for turn in plan.turns:
        messages.append({"role": "assistant", "content": turn.text or ""})
        if turn.observation is not None:
            messages.append({"role": "user", "content": turn.observation})
    if plan.edit_messages:
        changed = plan.edit_messages(messages)
        messages = messages if changed is None else changed
    head, duration = plan.columns, scene.rng.randrange(1_460_000, 388_000_000) / 1e6
    if not one.wide:
        return {"instance_id": head["instance_id"], "repo": head["repo"], "messages": messages, "trajectory_format": "mini-swe-agent-1",
                "exit_status": head["exit_status"], "duration_sec": duration}  # fmt: skip
    said = [len(message["content"]) // 4 for message in messages if message["role"] == "assistant"]
    whole = {
        "instance_id": head["instance_id"],
        "messages": messages,
        "repo": head["repo"],
        "exit_status": head["exit_status"],
        "exit_status_detail": head["exit_status_detail"],
        "n_turns": len(said),
        "n_messages": len(messages),
        "prompt_tokens": sum(len(message["content"]) for message in messages) // 8 * max(1, len(said)),
        "completion_tokens": sum(said),
        "duration_sec": duration,
    }
    if plan.edit_row:
        plan.edit_row(whole)
    return whole

"""Plain SWE-ZERO rows of any size, and the turns that they are made of."""

from __future__ import annotations

from tools.sample_corpus import issue, text
from tools.sample_corpus.plan import Plan, Turn
from tools.sample_corpus.project import World
from tools.sample_corpus.scene import Scene
from tools.sample_corpus.sets import Set, Size
from tools.sample_corpus.swe_zero.commands import COMMANDS
from tools.sample_corpus.swe_zero.raw import system
from tools.sample_corpus.text import pick

SMALL = Size(5_200, 6, 6)
"""The rows of the shipped corpus."""
AT_CAP = 0.05
"""The share of small rows that run into the cap; the others stop before it, as on a spent token budget."""
ANNOUNCE = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
NUDGE = "Please always provide EXACTLY ONE action in triple backticks."
CLIP = 8_000
"""Characters after which the harness takes the middle out of an output."""


def size(row_bytes: int) -> Size:
    """The size of rows of about `row_bytes` bytes of text: 16 turns at 45 KB, up to the harness's cap of 30."""
    turns = max(4, min(30, round(16 * (row_bytes / 45_000) ** 0.5)))
    return Size(row_bytes, turns, turns)


def plain(world: World, one: Set, row: int, instance: int, size: Size) -> tuple[Scene, Plan]:
    """The rollout `row` of issue `instance`; as many are submitted as the set's card says."""
    rng = world.rng(one.config, row)
    scene = Scene(world, rng, issue.make(world, instance, size.changed))
    submitted = rng.random() < one.submitted
    repo = f"{scene.project.owner}/{scene.project.package}"
    columns = {
        "instance_id": f"{repo.replace('/', '__')}-{100 + instance}",
        "repo": repo,
        "exit_status": "Submitted" if submitted else "incomplete",
        "exit_status_detail": "",
    }
    plan = Plan(columns, prompt(scene, instance, one.language, size.row_bytes // 8))
    share = rng.uniform(0.5, 1.5)
    turns = min(one.turns - submitted, max(3, round(size.calls * share)))
    if size == SMALL and not submitted and rng.random() < AT_CAP:
        turns = one.turns
    budget = size.row_bytes * share - len(plan.task) - len(system(one))
    for left in range(turns, 0, -1):
        part = max(150.0, budget / left) * rng.uniform(0.4, 1.6)
        turn = call(scene, int(part), always_labelled=left == turns)
        plan.body.append(turn)
        budget -= len(turn.text or "") + len(turn.observation or "")
    if submitted:
        plan.ending = [finish(scene, ANNOUNCE)]
    return scene, plan


def prompt(scene: Scene, instance: int, language: str, chars: int) -> str:
    """The first user message, about `chars` characters long; the same for every rollout of the issue."""
    rng = scene.world.rng("prompt", instance)
    project = scene.project
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


def call(scene: Scene, chars: int, *, always_labelled: bool) -> Turn:
    """An ordinary turn of about `chars` characters; like upstream, few but the first have the label `THOUGHT: `."""
    command, output = pick(scene.rng, COMMANDS)(scene, int(chars * 0.75))
    label = "THOUGHT: " if always_labelled or scene.rng.random() < 0.1 else ""
    thought = f"{label}{scene.prose(min(1_200, int(chars * 0.2)))}"
    return answered(write(thought, command, pick(scene.rng, ("\n", "\n", ""))), output)


def answered(said: str, output: str) -> Turn:
    """A turn with a call and what the command printed; long outputs lose their middle."""
    if len(output) > CLIP:
        note = f"\n\n... (output truncated, {len(output) - CLIP} chars elided) ...\n\n"
        output = output[: CLIP // 2] + note + output[-CLIP // 2 :]
    return Turn(text=said, observation=f"Observation: {output}")


def finish(scene: Scene, command: str, thought: str | None = None) -> Turn:
    """The turn whose command ends the run: nothing follows it."""
    if thought is None:
        thought = f"The change is complete. {scene.prose(80)}"
    return Turn(text=write(thought, command))

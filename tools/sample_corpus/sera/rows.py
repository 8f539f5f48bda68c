"""Plain SERA rows of any size, the ground that oddities are put on."""

from __future__ import annotations

from tools.sample_corpus import issue as issues
from tools.sample_corpus.issue import Issue
from tools.sample_corpus.plan import Plan, Turn
from tools.sample_corpus.project import World
from tools.sample_corpus.scene import Scene
from tools.sample_corpus.sera.ends import two_stage
from tools.sample_corpus.sera.raw import TASK
from tools.sample_corpus.sera.steps import ordinary
from tools.sample_corpus.sets import Set, Size
from tools.sample_corpus.text import pick

MOST_CALLS = 112
"""Calls of the longest row that is known, submits not counted."""
TURN_COST = 640
"""Bytes that a turn costs before anybody has said a word: keys, ids, quotes."""
ESCAPES = 1.09
"""Bytes per character of code and prose in the raw row: line ends and quotes are escaped twice."""
LEADS = ("Next: ", "Now I see: ", "A note: ", "So far: ")
"""Beginnings of visible text; none occurs in reasoning, so that no visible text is the tail of one by chance."""


def size(row_bytes: int) -> Size:
    """The size of rows of about `row_bytes` bytes: 42 calls and the submits at 190 KB, fewer below and more above."""
    share = row_bytes / 190_000
    calls = max(4, min(MOST_CALLS, round(42 * share ** (0.75 if share < 1 else 0.5))))
    return Size(row_bytes, calls, max(4, calls // 2))


SMALL = Size(8_000, 5, 5)
"""The rows of the shipped corpus."""


def plain(world: World, one: Set, number: int, size: Size, alter: issues.Alter | None = None) -> tuple[Scene, Plan]:
    """The row of issue `number` in the set, ending with the usual two submits."""
    rng = world.rng(one.config, number)
    issue = issues.make(world, number, size.changed)
    if alter:
        alter(issue)
    scene = Scene(world, rng, issue)
    share = rng.uniform(0.5, 1.5)
    statement = issues.vague(rng, issue)
    if one.rollout == "T2":
        statement = issues.detailed(world, rng, issue, int(size.row_bytes * share / 18))
    plan = Plan(_columns(issue, one, number, statement), TASK.format(statement=statement))
    two_stage(scene, plan)
    fixed = 2_000 + 2 * len(statement) + 4 * len(issue.first_patch or "") + sum(map(cost, plan.ending))
    fill(scene, plan, int(size.row_bytes * share - fixed), min(MOST_CALLS, max(3, round(size.calls * share))))
    return scene, plan


def _columns(issue: Issue, one: Set, number: int, statement: str) -> dict[str, object]:
    again = one.rollout == "T2"
    return {
        "instance_id": issue.instance_id,
        "rollout_patch": issue.second_patch if again else issue.first_patch,
        "func_name": issue.function,
        "func_path": issue.path,
        "problem_statement": statement,
        "target_patch": issue.first_patch if again else None if number % 3 == 0 else "",
        "docker_image": issue.docker_image,
    }


def fill(scene: Scene, plan: Plan, budget: int, calls: int) -> None:
    """Fill the body with `calls` turns that cost about `budget` bytes together."""
    for left in range(calls, 0, -1):
        share = max(60.0, (budget / left - TURN_COST) / ESCAPES) * scene.rng.uniform(0.4, 1.6)
        think = min(int(share * 0.1), 1_500)
        words = scene.prose(think)
        visible = pick(scene.rng, LEADS) + scene.prose(think // 2) if scene.rng.random() < 0.35 else ""
        turn = ordinary(scene, int(share * 0.75), reasoning=words, visible=visible)
        plan.body.append(turn)
        budget -= cost(turn)


def cost(turn: Turn) -> int:
    """About how many bytes the turn takes in the raw row: texts are there twice, arguments twice, the output once."""
    said = (
        len(turn.reasoning)
        + len(turn.visible)
        + (sum(len(str(value)) for value in turn.arguments.values()) if turn.arguments else 0)
    )
    return TURN_COST + int(ESCAPES * (2 * said + len(turn.observation or "")))

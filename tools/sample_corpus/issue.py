"""Invented issues: what is asked, and the patches of the two rollouts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tools.sample_corpus import text
from tools.sample_corpus.project import Project, World
from tools.sample_corpus.text import pick

SHARES = (1.0, 0.5, 0.0, 0.75, 1.0, 0.25, 0.9, 0.6, 0.5, 0.8, 0.1, 1.0, 0.4)
"""How much of the first rollout's patch the second one finds again, by turns."""


@dataclass
class Issue:
    """One issue of one repo, and what two rollouts changed for it."""

    project: Project
    path: str
    function: str
    instance_id: str
    first_patch: str | None
    second_patch: str

    @property
    def called(self) -> str:
        """The function's name without its class."""
        return self.function.split(".")[-1]

    @property
    def docker_image(self) -> str:
        """An image name in the way of the upstream ones."""
        return f"sample/swesmith.x86_64.{self.project.owner}_1776_{self.project.package}.{self.project.commit[:8]}"


Alter = Callable[[Issue], None]


def make(world: World, number: int, changed: int) -> Issue:
    """Issue `number`, the same for every set; its first patch changes about `changed` lines."""
    rng = world.rng("issue", number)
    changed = rng.randrange(changed // 2, changed * 3 // 2 + 1)
    project = world.project(rng.randrange(world.projects))
    function, path = pick(rng, project.functions)
    removed, added = _changes(rng, project.files[path], changed)
    target = [f"-{line}" for line in removed] + [f"+{line}" for line in added]
    kept = round(SHARES[number % len(SHARES)] * len(target))
    found = sorted(rng.sample(range(len(target)), kept))
    own = [f"+{line}" for line in _fresh(rng, rng.randrange(1, 4))]
    return Issue(
        project=project,
        path=path,
        function=function,
        instance_id=f"{project.package}_{10000 + number}",
        first_patch=diff(rng, project, path, function, target),
        second_patch=diff(rng, project, path, function, [target[at] for at in found] + own),
    )


def _changes(rng: Random, lines: list[str], changed: int) -> tuple[list[str], list[str]]:
    """Lines to remove and to add, an even number in all; none blank and none that looks like a diff's own header."""
    removed = [line for line in rng.sample(lines, min(len(lines), changed // 2 + 1)) if line.strip()]
    return removed, _fresh(rng, changed - len(removed) + changed % 2)


def _fresh(rng: Random, count: int) -> list[str]:
    """Lines that are nowhere else: each carries a number of its own."""
    return [f"        {text.name(rng)}({text.name(rng)}, {rng.getrandbits(32)})" for _ in range(count)]


def diff(rng: Random, project: Project, path: str, function: str, changes: list[str]) -> str:
    """A git diff of one file with the signed lines `changes`, ten to a hunk; ends blank, as upstream's do."""
    lines = project.files[path]
    parts = [
        f"diff --git a/{path} b/{path}",
        f"index {rng.getrandbits(28):07x}..{rng.getrandbits(28):07x} 100644",
        f"--- a/{path}",
        f"+++ b/{path}",
    ]
    for first in range(0, len(changes), 10):
        hunk = changes[first : first + 10]
        start = rng.randrange(1, max(2, len(lines) - 6))
        minus = sum(line.startswith("-") for line in hunk)
        counts = f"-{start},{minus + 5} +{start},{len(hunk) - minus + 5}"
        parts.append(f"@@ {counts} @@ def {function.rsplit('.', 1)[-1]}(")
        parts += [f" {line}" for line in lines[start : start + 3]] + hunk
        parts += [f" {line}" for line in lines[start + 3 : start + 4]] + [" "]
    return "\n".join(parts) + "\n \n"


def vague(rng: Random, issue: Issue) -> str:
    """What a T1 rollout is asked: short and vague."""
    return (
        f"Something seems wrong around {issue.function} in {issue.path}.\n"
        f"Calling {issue.function}() does not do what I would expect: {text.title(rng).lower()}. "
        "Please find out why and mend it."
    )


def detailed(world: World, rng: Random, issue: Issue, chars: int) -> str:
    """What a T2 rollout is asked: an issue in the way of YAML, about `chars` characters long."""
    part = max(80, chars // 6)
    example = "\n".join(line[4:] for line in world.code(rng, max(2, chars // 300)))
    return "\n".join(
        [
            f"title: {text.title(rng)}",
            f"kind: {pick(rng, ('bug', 'regression', 'robustness'))}",
            f"component: {issue.path}",
            "summary: |",
            f"  {world.prose(rng, part)}",
            "observed: |",
            f"  `{issue.function}` gives a wrong answer. {world.prose(rng, part)}",
            "expected: |",
            f"  {world.prose(rng, part)}",
            "reproduction:",
            "  steps: |",
            *(f"    {step}. {world.prose(rng, 80)}" for step in range(1, max(3, chars // 400))),
            "  example: |",
            example,
            "analysis: |",
            f"  {world.prose(rng, part)}",
            "  ",
            "notes: |",
            f"  {world.prose(rng, part)}",
        ]
    )

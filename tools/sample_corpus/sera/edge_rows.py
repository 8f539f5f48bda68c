"""SERA oddities of patches and of whole rows."""

from __future__ import annotations

import json

from tools.sample_corpus.edges import Edge, Table
from tools.sample_corpus.issue import Issue
from tools.sample_corpus.plan import Plan, observe
from tools.sample_corpus.scene import Scene
from tools.sample_corpus.sera.edge_calls import clipped
from tools.sample_corpus.sera.steps import grep, model_turn, run_script, run_tests

EDGES = Table()
edge = EDGES.edge


@edge(full_t1=1, lite_t2=1)
def messages_are_list(scene: Scene, plan: Plan) -> None:
    """`messages` is a list already and no JSON text."""
    plan.edit_row = lambda row: row.update(messages=json.loads(row["messages"]))


@edge(full_t2=1, lite_t1=1)
def compact_json(scene: Scene, plan: Plan) -> None:
    """`messages` is written without spaces and without escapes, and the columns are in another order."""

    def rewrite(row: dict[str, object]) -> None:
        messages = json.dumps(json.loads(str(row.pop("messages"))), ensure_ascii=False, separators=(",", ":"))
        row["messages"] = messages

    plan.edit_row = rewrite


@edge(lite_t2=1)
def row_of_many_calls(scene: Scene, plan: Plan) -> None:
    """A row with 112 calls, the most that is known."""
    plan.body = []
    for at in range(112):
        step = (run_tests, run_script, grep, run_tests)[at % 4](scene, 1500)
        words = f"{step.words} {scene.prose(200)}"
        plan.body.append(model_turn(step.tool, step.arguments, observe(step.output), words))


@edge(full_t1=1)
def row_over_a_megabyte(scene: Scene, plan: Plan) -> None:
    """A row of more than 1 MB in few calls: ten outputs that the harness clipped."""
    plan.body += [clipped(scene) for _ in range(10)]


def _empty(issue: Issue) -> None:
    issue.first_patch = ""


def _null(issue: Issue) -> None:
    issue.first_patch = None


def _mode(issue: Issue) -> None:
    issue.first_patch = f"diff --git a/{issue.path} b/{issue.path}\nold mode 100644\nnew mode 100755\n \n"


def _patch(issue: Issue, *lines: str) -> str:
    head = (
        f"diff --git a/{issue.path} b/{issue.path}",
        f"--- a/{issue.path}",
        f"+++ b/{issue.path}",
        "@@ -1,9 +1,9 @@",
    )
    return "\n".join([*head, *lines]) + "\n \n"


def _blank(issue: Issue) -> None:
    issue.first_patch = _patch(issue, "-", "+   ", "+\t")


def _unlike(issue: Issue) -> None:
    issue.second_patch = ""


QUIRKY = (
    "-total = 1",  # twice in the target and once in the second patch: one match
    "-total = 1",
    "+total = 2",  # twice in the target and three times in the second: two matches
    "+total = 2",
    "--- a removed line that looks like a header",
    "+++ an added one",
    "-",
    "+    ",
    "+page\x0cbreak",  # lines end at form feeds, bare carriage returns and U+2028 as well
    "+one\r-two",
    "+three\u2028+four",
)
"""Nine countable lines: two and two, `+page`, `+one`, `-two`, `+three`, `+four`."""
FOUND = (
    "-total = 1",
    "+total = 2",
    "+total = 2",
    "+total = 2",
    "+page",
    "-two",
    "+four",
    "--- a removed line that looks like a header",
    "+other",
)
"""Six of them: one, two, `+page`, `-two`, `+four`."""


def _quirks(issue: Issue) -> None:
    issue.first_patch, issue.second_patch = _patch(issue, *QUIRKY), _patch(issue, *FOUND)


BOTH = {"full_t1": 2, "full_t2": 2, "lite_t1": 1, "lite_t2": 1}
PATCHES = {
    "patch_empty": Edge("The first rollout's patch is \"\": the second one's recall is null.", BOTH, _empty, (3, 44)),
    "patch_null": Edge("The first rollout's patch is null, and so is the second one's target.", BOTH, _null, (8, 49)),
    "patch_of_modes": Edge("The first rollout's patch changes a file's mode and no line.", BOTH, _mode, (12, 53)),
    "patch_of_blanks": Edge("The first rollout's patch changes blank lines alone.", BOTH, _blank, (15, 58)),
    "patch_not_found_again": Edge(
        'The second rollout\'s patch is "": recall 0.', {"full_t2": 2, "lite_t2": 1}, _unlike, (19, 61)
    ),
    "patch_quirks": Edge("Repeated lines, lines like headers, odd line ends: recall 6 of 9.", BOTH, _quirks, (22, 66)),
}
"""Edges of issues, the same in T1 and T2 rows."""

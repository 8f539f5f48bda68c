"""SWE-ZERO oddities of ends and of whole rows."""

from __future__ import annotations

from tools.sample_corpus.edges import Edge, Table
from tools.sample_corpus.plan import Message, Plan, Turn
from tools.sample_corpus.scene import Scene
from tools.sample_corpus.swe_zero.edge_turns import BLOCKED, thought, unparsed
from tools.sample_corpus.swe_zero.rows import ANNOUNCE, NUDGE, finish, write
from tools.sample_corpus.text import pick

EDGES = Table()
edge = EDGES.edge


def end(plan: Plan, status: str, detail: str = "", *turns: Turn) -> None:
    """End the row so instead."""
    plan.columns.update(exit_status=status, exit_status_detail=detail)
    plan.ending = list(turns)


@edge(zero_32k=2, zero_8k=2, zero_12m=2)
def ends_on_nudge(scene: Scene, plan: Plan) -> None:
    """The last turn has no block and the nudge is the last message: its text stays as reasoning."""
    end(plan, "incomplete", "", Turn(text=thought(scene), observation=NUDGE))


@edge(zero_32k=1, zero_12m=1)
def ends_on_text(scene: Scene, plan: Plan) -> None:
    """The last message is a turn without a block, in a run that was not submitted."""
    end(plan, "incomplete", "", Turn(text=thought(scene)))


@edge(zero_32k=1, zero_8k=1, zero_12m=1)
def ends_on_call(scene: Scene, plan: Plan) -> None:
    """The last message is a call without its output, in a run that was not submitted."""
    end(plan, "incomplete", "", Turn(text=write(thought(scene), "git diff")))


@edge(zero_8k=1)
def errored_before_start(scene: Scene, plan: Plan) -> None:
    """The checkout failed: no messages at all."""
    plan.body = []
    plan.edit_messages = lambda messages: []
    end(plan, "errored", f"Failed to materialize worktree: {scene.project.commit}")


@edge(zero_8k=1)
def errored_at_once(scene: Scene, plan: Plan) -> None:
    """The first request failed: system and user alone."""
    plan.body = []
    end(plan, "errored", "API error at turn 0: " + "the server is not there " * 7)


@edge(zero_8k=1)
def errored_on_the_way(scene: Scene, plan: Plan) -> None:
    """A later request failed: the row ends on an output."""
    end(plan, "errored", f"API error at turn {len(plan.body)}: timed out")


def submitted(scene: Scene, plan: Plan, *turns: Turn) -> None:
    """End the row with a submission in its last turn."""
    end(plan, "Submitted", "", *turns)


@edge(zero_32k=2, zero_8k=1, zero_12m=1)
def announced_otherwise(scene: Scene, plan: Plan) -> None:
    """The announcement in quotes, or with the other word."""
    word = pick(
        scene.rng,
        (
            "'COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT'",
            '"COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"',
            "MINI_SWE_AGENT_FINAL_OUTPUT",
        ),
    )
    submitted(scene, plan, finish(scene, f"echo {word}"))


@edge(zero_32k=4, zero_8k=2, zero_12m=1)
def announced_with_more(scene: Scene, plan: Plan) -> None:
    """The last command does more than announce: its text joins the reasoning."""
    more = pick(scene.rng, (" && git diff", "; cat NOTES.md", "\ncat <<'EOF'\nIt was the cache.\nEOF"))
    submitted(scene, plan, finish(scene, ANNOUNCE + more))


@edge(zero_32k=1, zero_12m=1)
def announced_with_more_and_no_text(scene: Scene, plan: Plan) -> None:
    """The last command does more than announce, under no text: the command alone is the reasoning."""
    submitted(scene, plan, finish(scene, f"{ANNOUNCE} && git diff", ""))


@edge(zero_32k=2, zero_8k=1)
def announced_without_text(scene: Scene, plan: Plan) -> None:
    """Nothing but the announcing block: the reasoning is filled."""
    submitted(scene, plan, finish(scene, ANNOUNCE, ""))


@edge(zero_32k=1, zero_8k=1)
def announced_after_text(scene: Scene, plan: Plan) -> None:
    """A turn without a block, the nudge, then nothing but the announcing block."""
    submitted(scene, plan, unparsed(thought(scene)), finish(scene, ANNOUNCE, ""))


@edge(zero_32k=1)
def announced_at_once(scene: Scene, plan: Plan) -> None:
    """The first turn announces: no call at all."""
    plan.body = []
    submitted(scene, plan, finish(scene, ANNOUNCE))


@edge(zero_32k=1, zero_8k=1)
def counts_differ(scene: Scene, plan: Plan) -> None:
    """`n_turns` and `n_messages` are not those of the messages."""
    plan.edit_row = lambda row: row.update(n_turns=row["n_turns"] + 1, n_messages=row["n_messages"] + 2)


@edge(zero_32k=1, zero_12m=1)
def two_observations(scene: Scene, plan: Plan) -> None:
    """Two outputs follow one command."""
    plan.edit_messages = lambda messages: messages.insert(4, {"role": "user", "content": "Observation: again"})


@edge(zero_8k=1)
def lost_observation(scene: Scene, plan: Plan) -> None:
    """A command's output is lost: two turns in a row."""
    plan.edit_messages = lambda messages: messages.__delitem__(3)


@edge(zero_32k=1, zero_8k=1)
def role_unknown(scene: Scene, plan: Plan) -> None:
    """A message has the role `developer`."""

    def change(messages: list[Message]) -> None:
        messages[3]["role"] = "developer"

    plan.edit_messages = change


@edge(zero_8k=3)
def blocked_command(scene: Scene, plan: Plan) -> None:
    """The harness refuses to run a command, and says so in its output."""
    why = pick(scene.rng, BLOCKED)
    plan.body[0].observation = f"Observation: command blocked: {why}: this is the SWE-ZERO execution-free environment"


def _same_commands(scene: Scene, plan: Plan) -> None:
    for turn in plan.turns:
        turn.text = f"Once more. {turn.text}"


TWINS = {
    "same_commands": Edge(
        "The row runs the commands of the row before it, with other words.",
        {"zero_32k": 3, "zero_8k": 3},
        _same_commands,
        (21, 48, 77),
    )
}
"""Edges of fixed rows: they repeat the row before them."""

"""SWE-ZERO oddities: blocks, nudges, ends and outputs."""

from __future__ import annotations

from .edges import Edge, Table
from .plan import Message, Plan, Turn
from .sera_steps import Scene
from .sera_text_edges import put
from .swe_zero import ANNOUNCE, NUDGE, answered, finish, write

EDGES = Table()
edge = EDGES.edge


def thought(scene: Scene) -> str:
    return scene.world.prose(scene.rng, 90)


def unparsed(said: str) -> Turn:
    """A turn in which the harness finds no block, and its nudge."""
    return Turn(text=said, tool=None, observation=NUDGE, tally={"folded_text": 1, "dropped_nudge": 1})


def before_call(scene: Scene, plan: Plan, *turns: Turn) -> None:
    """Put the turns into the body, before a call of it."""
    at = scene.rng.randrange(len(plan.body))
    plan.body[at:at] = turns


@edge(zero_32k=2, zero_8k=2, zero_12m=2)
def no_block(scene: Scene, plan: Plan) -> None:
    """A turn without any block."""
    before_call(scene, plan, unparsed(thought(scene)))


@edge(zero_32k=1, zero_8k=1, zero_12m=1)
def no_block_twice(scene: Scene, plan: Plan) -> None:
    """Two turns in a row without any block."""
    before_call(scene, plan, unparsed(thought(scene)), unparsed("THOUGHT: " + thought(scene)))


@edge(zero_32k=1, zero_8k=1, zero_12m=1)
def block_of_other_language(scene: Scene, plan: Plan) -> None:
    """Blocks that are not marked `bash`."""
    before_call(scene, plan, *(unparsed(f"{thought(scene)}\n\n```{word}\nls -la\n```") for word in ("sh", "", "Bash")))


@edge(zero_32k=1, zero_8k=1, zero_12m=1)
def unclosed_block(scene: Scene, plan: Plan) -> None:
    """A block that the token limit cut off."""
    before_call(scene, plan, unparsed(f"{thought(scene)}\n\n```bash\nsed -i 's/a/b/' {scene.issue.path}"))


@edge(zero_32k=1, zero_12m=1)
def fence_without_line(scene: Scene, plan: Plan) -> None:
    """A block whose closing fence is not on a line of its own, and one whose command is on the opening line."""
    before_call(
        scene, plan, unparsed(f"{thought(scene)}\n\n```bash\nls```"), unparsed(f"{thought(scene)}\n\n```bash ls\n```")
    )


@edge(zero_32k=2, zero_8k=1, zero_12m=1)
def two_blocks(scene: Scene, plan: Plan) -> None:
    """Two, then three blocks in a turn: only the first was run."""
    for count in (2, 3):
        said = "\n\nand then\n\n".join(write(thought(scene), f"cat file{at}.py") for at in range(count))
        put(scene, plan, answered(said, "print()\n", extra_block=1))


@edge(zero_32k=1, zero_8k=1, zero_12m=1)
def fence_in_heredoc(scene: Scene, plan: Plan) -> None:
    """A heredoc with fences inside: the command ends at the first of them."""
    command = "cat <<'EOF' > NOTES.md\nUse it so:\n```python\nrun()\n```\nEOF"
    put(
        scene,
        plan,
        answered(write(thought(scene), command), "bash: line 2: warning: here-document delimited by end-of-file\n"),
    )


@edge(zero_32k=1, zero_8k=1, zero_12m=1)
def text_after_block(scene: Scene, plan: Plan) -> None:
    """Text behind the block as well as before it."""
    put(scene, plan, answered(write(thought(scene), "git status", f"\n\n{thought(scene)}\n"), "nothing to commit\n"))


@edge(zero_32k=2, zero_8k=1, zero_12m=2)
def bare_block(scene: Scene, plan: Plan) -> None:
    """A block without text, one under the label alone, one between blank lines: the reasoning is filled."""
    for said in (write("", "git diff"), write("THOUGHT:", "git log"), "\n \t\n```bash \t\n  git show \n```\r\n\n"):
        put(scene, plan, answered(said, "", filled_reasoning=1))


@edge(zero_32k=1, zero_12m=1)
def bare_block_after_text(scene: Scene, plan: Plan) -> None:
    """A bare block after a turn of text alone, whose text becomes its reasoning: nothing is filled."""
    before_call(scene, plan, unparsed(thought(scene)), answered(write("", "git diff"), "diff --git a/x b/x\n"))


@edge(zero_8k=1, zero_12m=1)
def windows_lines(scene: Scene, plan: Plan) -> None:
    """A turn and an output with carriage returns."""
    put(scene, plan, answered(f"THOUGHT: {thought(scene)}\r\n\r\n```bash\r\nls -l\r\n```\r\n", "a.py\r\nb.py\r\n"))


@edge(zero_32k=1, zero_8k=1, zero_12m=1)
def label_inside(scene: Scene, plan: Plan) -> None:
    """The label is inside the text and at its start: only a leading one goes, and only once."""
    put(scene, plan, answered(write(f"THOUGHT: THOUGHT: {thought(scene)}\nTHOUGHT: more", "ls"), "a.py\n"))
    put(scene, plan, answered(write(f"My THOUGHT: {thought(scene)}", "ls"), "a.py\n"))


@edge(zero_32k=1, zero_8k=1, zero_12m=1)
def odd_outputs(scene: Scene, plan: Plan) -> None:
    """Empty, timed out, cut in the middle, with errors, and with the harness's own words inside."""
    for output in (
        "",
        "[command timed out]",
        "one\n\n[command timed out]",
        scene.issue.project.pytest(scene.rng, 9_000, 1),
        "a.py\n\ncat: b.py: No such file or directory",
        f"Observation: not a prefix\nOBSERVATION:\n{NUDGE}\n",
        "\nCOMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT\n",
    ):
        put(scene, plan, answered(write(thought(scene), "cat log.txt"), output))


@edge(zero_32k=1, zero_8k=1, zero_12m=1)
def hostile_text(scene: Scene, plan: Plan) -> None:
    """Tags, NUL, ANSI escapes, line separators, emoji, in text, command and output."""
    odd = "</tool_response><think></answer> a\x00b \x1b[31mc\x1b[0m \u2028\u2029\x85\x0c \ufeff\U0001f680 e\u0301 \u4e2d <tool_call>{}</tool_call>"
    put(scene, plan, answered(write(f"So {odd} is", f"echo '{odd}'"), odd + "\n"))


@edge(zero_8k=5)
def blocked_command(scene: Scene, plan: Plan) -> None:
    """Commands that the 8k run's harness did not let through."""
    for command in ("python test.py", "cd src && ls"):
        put(
            scene,
            plan,
            answered(write(thought(scene), command), f"command blocked: not allowed: {command.split()[0]}\n"),
        )


@edge(zero_32k=1, zero_8k=1, zero_12m=1)
def announced_too_late(scene: Scene, plan: Plan) -> None:
    """The announcement is not the first line of the output: the run goes on."""
    put(
        scene,
        plan,
        answered(
            write(thought(scene), f"git diff --stat && {ANNOUNCE}"),
            " 1 file changed\nCOMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT\n",
        ),
    )


def end(plan: Plan, status: str, detail: str = "", *turns: Turn) -> None:
    """End the row so instead."""
    plan.columns.update(exit_status=status, exit_status_detail=detail)
    plan.ending = list(turns)


@edge(zero_32k=2, zero_8k=2, zero_12m=2)
def ends_on_nudge(scene: Scene, plan: Plan) -> None:
    """The last turn has no block and the nudge is the last message: its text stays as reasoning."""
    end(plan, "incomplete", "", Turn(text=thought(scene), tool=None, observation=NUDGE, tally={"dropped_nudge": 1}))


@edge(zero_32k=1, zero_12m=1)
def ends_on_text(scene: Scene, plan: Plan) -> None:
    """The last message is a turn without a block, in a run that was not submitted."""
    end(plan, "incomplete", "", Turn(text=thought(scene), tool=None))


@edge(zero_32k=1, zero_8k=1, zero_12m=1)
def ends_on_call(scene: Scene, plan: Plan) -> None:
    """The last message is a call without its output, in a run that was not submitted."""
    end(plan, "incomplete", "", Turn(text=write(thought(scene), "git diff")))


@edge(zero_8k=1)
def errored_before_start(scene: Scene, plan: Plan) -> None:
    """The checkout failed: no messages at all."""
    plan.body = []
    plan.edit_messages = lambda messages: []
    end(plan, "errored", f"Failed to materialize worktree: {scene.issue.project.commit}")


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
    end(plan, "Submitted", "", *turns)


@edge(zero_32k=2, zero_8k=1, zero_12m=1)
def announced_otherwise(scene: Scene, plan: Plan) -> None:
    """The announcement in quotes, or with the other word."""
    word = scene.rng.choice(
        (
            "'COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT'",
            '"COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"',
            "MINI_SWE_AGENT_FINAL_OUTPUT",
        )
    )
    submitted(scene, plan, finish(scene, f"echo {word}"))


@edge(zero_32k=4, zero_8k=2, zero_12m=1)
def announced_with_more(scene: Scene, plan: Plan) -> None:
    """The last command does more than announce: its text joins the reasoning."""
    more = scene.rng.choice((" && git diff", "; cat NOTES.md", "\ncat <<'EOF'\nIt was the cache.\nEOF"))
    submitted(scene, plan, finish(scene, ANNOUNCE + more, submit_text=1))


@edge(zero_32k=1, zero_12m=1)
def announced_with_more_and_no_text(scene: Scene, plan: Plan) -> None:
    """The last command does more than announce, under no text: the command alone is the reasoning."""
    submitted(scene, plan, finish(scene, f"{ANNOUNCE} && git diff", "", submit_text=1))


@edge(zero_32k=2, zero_8k=1)
def announced_without_text(scene: Scene, plan: Plan) -> None:
    """Nothing but the announcing block: the reasoning is filled."""
    submitted(scene, plan, finish(scene, ANNOUNCE, "", filled_reasoning=1))


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
    plan.rejected, plan.edit_messages = (
        "wrong_order",
        lambda messages: messages.insert(4, {"role": "user", "content": "Observation: again"}),
    )


@edge(zero_8k=1)
def lost_observation(scene: Scene, plan: Plan) -> None:
    """A command's output is lost: two turns in a row."""
    plan.rejected, plan.edit_messages = "wrong_order", lambda messages: messages.__delitem__(3)


@edge(zero_32k=1, zero_8k=1)
def role_unknown(scene: Scene, plan: Plan) -> None:
    """A message has the role `developer`."""

    def change(messages: list[Message]) -> None:
        messages[3]["role"] = "developer"

    plan.rejected, plan.edit_messages = "bad_messages", change


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

"""SWE-ZERO oddities of turns: blocks, nudges, outputs."""

from __future__ import annotations

from tools.sample_corpus.edges import Table
from tools.sample_corpus.plan import Plan, Turn
from tools.sample_corpus.scene import Scene
from tools.sample_corpus.swe_zero.rows import ANNOUNCE, NUDGE, answered, write

EDGES = Table()
edge = EDGES.edge


def thought(scene: Scene) -> str:
    """What the model says before a block."""
    return scene.prose(90)


def unparsed(said: str) -> Turn:
    """A turn in which the harness finds no block, and its nudge."""
    return Turn(text=said, observation=NUDGE)


BLOCKED = ("network access", "running code or build tools", "spawning a child shell")
"""Why the harness of SWE-ZERO refuses to run a command."""


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
        plan.put(scene.rng, answered(said, "print()\n"))


@edge(zero_32k=1, zero_8k=1, zero_12m=1)
def fence_in_heredoc(scene: Scene, plan: Plan) -> None:
    """A heredoc with fences inside: the command ends at the first of them."""
    command = "cat <<'EOF' > NOTES.md\nUse it so:\n```python\nrun()\n```\nEOF"
    plan.put(
        scene.rng,
        answered(write(thought(scene), command), "bash: line 2: warning: here-document delimited by end-of-file\n"),
    )


@edge(zero_32k=1, zero_8k=1, zero_12m=1)
def text_after_block(scene: Scene, plan: Plan) -> None:
    """Text behind the block as well as before it."""
    plan.put(scene.rng, answered(write(thought(scene), "git status", f"\n\n{thought(scene)}\n"), "nothing to commit\n"))


@edge(zero_32k=2, zero_8k=1, zero_12m=2)
def bare_block(scene: Scene, plan: Plan) -> None:
    """A block without text, one under the label alone, one between blank lines: the reasoning is filled."""
    for said in (write("", "git diff"), write("THOUGHT:", "git log"), "\n \t\n```bash \t\n  git show \n```\r\n\n"):
        plan.put(scene.rng, answered(said, ""))


@edge(zero_32k=1, zero_12m=1)
def bare_block_after_text(scene: Scene, plan: Plan) -> None:
    """A bare block after a turn of text alone, whose text becomes its reasoning: nothing is filled."""
    before_call(scene, plan, unparsed(thought(scene)), answered(write("", "git diff"), "diff --git a/x b/x\n"))


@edge(zero_8k=1, zero_12m=1)
def windows_lines(scene: Scene, plan: Plan) -> None:
    """A turn and an output with carriage returns."""
    plan.put(scene.rng, answered(f"THOUGHT: {thought(scene)}\r\n\r\n```bash\r\nls -l\r\n```\r\n", "a.py\r\nb.py\r\n"))


@edge(zero_32k=1, zero_8k=1, zero_12m=1)
def label_inside(scene: Scene, plan: Plan) -> None:
    """The label is inside the text and at its start: only a leading one goes, and only once."""
    plan.put(scene.rng, answered(write(f"THOUGHT: THOUGHT: {thought(scene)}\nTHOUGHT: more", "ls"), "a.py\n"))
    plan.put(scene.rng, answered(write(f"My THOUGHT: {thought(scene)}", "ls"), "a.py\n"))


@edge(zero_32k=1, zero_8k=1, zero_12m=1)
def odd_outputs(scene: Scene, plan: Plan) -> None:
    """Empty, timed out, cut in the middle, with errors, and with the harness's own words inside."""
    for output in (
        "",
        "[command timed out]",
        "one\n\n[command timed out]",
        scene.project.pytest(scene.rng, 9_000, 1),
        "a.py\n\ncat: b.py: No such file or directory",
        f"Observation: not a prefix\nOBSERVATION:\n{NUDGE}\n",
        "\nCOMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT\n",
    ):
        plan.put(scene.rng, answered(write(thought(scene), "cat log.txt"), output))


@edge(zero_32k=1, zero_8k=1, zero_12m=1)
def hostile_text(scene: Scene, plan: Plan) -> None:
    """Tags, NUL, ANSI escapes, line separators, emoji, in text, command and output."""
    odd = (
        "</tool_response><think></answer> a\x00b \x1b[31mc\x1b[0m \u2028\u2029\x85\x0c \ufeff\U0001f680 e\u0301 \u4e2d "
    )
    odd += "<tool_call>{}</tool_call>"
    plan.put(scene.rng, answered(write(f"So {odd} is", f"echo '{odd}'"), odd + "\n"))


@edge(zero_8k=5)
def blocked_command(scene: Scene, plan: Plan) -> None:
    """Commands that the 8k run's harness did not let through."""
    for command in ("python test.py", "cd src && ls"):
        plan.put(
            scene.rng,
            answered(write(thought(scene), command), f"command blocked: not allowed: {command.split()[0]}\n"),
        )


@edge(zero_32k=1, zero_8k=1, zero_12m=1)
def announced_too_late(scene: Scene, plan: Plan) -> None:
    """The announcement is not the first line of the output: the run goes on."""
    plan.put(
        scene.rng,
        answered(
            write(thought(scene), f"git diff --stat && {ANNOUNCE}"),
            " 1 file changed\nCOMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT\n",
        ),
    )

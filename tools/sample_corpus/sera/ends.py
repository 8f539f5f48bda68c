"""How SERA trajectories end: submits in every arrangement."""

from __future__ import annotations

from tools.sample_corpus.plan import Plan, Turn, observe
from tools.sample_corpus.scene import Scene
from tools.sample_corpus.sera.raw import REVIEW
from tools.sample_corpus.sera.steps import ordinary


def summary(scene: Scene) -> str:
    """The visible text that often goes with a first submit."""
    points = "\n".join(f"{at}. **{scene.issue.function}**: {scene.prose(80)}" for at in range(1, 3))
    return f"## Summary of the changes\n\n{points}\n\nAll of it is in `{scene.issue.path}`."


def patch(plan: Plan) -> str:
    """The patch of this rollout."""
    return plan.columns["rollout_patch"] or ""


def submit(reasoning: str, visible: str, observation: str | None) -> Turn:
    """A submit call."""
    return Turn(reasoning, visible, "submit", {}, observation)


def folded(scene: Scene, plan: Plan, visible: str = "") -> Turn:
    """An earlier submit, which work follows."""
    reasoning = f"I think `{scene.issue.function}` is right now. {scene.prose(100)} Time to submit."
    return submit(reasoning, visible, observe(REVIEW.format(patch=patch(plan))))


def trimmed(scene: Scene, plan: Plan, visible: str = "", *, last: bool = False) -> Turn:
    """A submit right after another one."""
    output = patch(plan) if last else REVIEW.format(patch=patch(plan))
    return submit(
        f"Submitting again. {scene.prose(80)}",
        visible,
        observe(output),
    )


def final(scene: Scene, plan: Plan, visible: str = "", *, last: bool = True) -> Turn:
    """The first submit of the last run. `last`: no other follows."""
    output = patch(plan) if last else REVIEW.format(patch=patch(plan))
    return submit(f"Now let me submit. {scene.prose(80)}", visible, observe(output))


def clean_up(scene: Scene) -> Turn:
    """The call between the two submits that removes the scripts."""
    turn = ordinary(scene)
    turn.arguments = {"command": f"cd /testbed && rm -f check_{scene.rng.randrange(9)}.py"}
    turn.tool, turn.observation = "bash", observe("")
    return turn


def two_stage(scene: Scene, plan: Plan) -> None:
    """The norm: submit, review, clean-up, submit. The summary is with the first submit, or now and then with both."""
    text, again = summary(scene), ""
    if scene.rng.random() < 0.3:
        again = "Submitted for good: " + summary(scene)
    plan.ending = [folded(scene, plan, text), clean_up(scene), final(scene, plan, again)]


def run_of_submits(scene: Scene, plan: Plan, length: int) -> None:
    """`length` back-to-back submits at the end, the first with the visible text."""
    plan.ending = [final(scene, plan, summary(scene), last=length == 1)]
    plan.ending += [trimmed(scene, plan, last=at == length - 1) for at in range(1, length)]


def leave(scene: Scene, words: str, *, replied: bool = True) -> Turn:
    """The harness ends the run in the model's name."""
    return Turn(
        text=words,
        tool=None,
        observation="OBSERVATION:\nExited (autosubmitted)" if replied else None,
        reply="user",
    )

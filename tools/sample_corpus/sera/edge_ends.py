"""SERA oddities in how a run ends, and submits and texts in its middle."""

from __future__ import annotations

from functools import partial

from tools.sample_corpus.edges import Table
from tools.sample_corpus.plan import Plan, Turn, observe
from tools.sample_corpus.scene import Scene
from tools.sample_corpus.sera import ends
from tools.sample_corpus.sera.steps import ordinary
from tools.sample_corpus.text import pick

EDGES = Table()
edge = EDGES.edge

NUDGE = "Your reply held no call. Please call exactly one tool, or submit."
EXITS = (
    "Exit due to cost limit",
    "Exit due to context window",
    "Exit due to total execution time exceeded",
    "Exit due to multiple consecutive command timeouts",
    "Exit due to retry error: the server gave no answer",
    "Exit due to environment error: container is gone",
    "Exit due to runtime error: broken pipe",
    "Exit due to unknown error: 17",
    "Exit due to repeated format/blocklist/bash syntax errors",
)

for length, counts in {1: (1, 1, 1, 1), 2: (2, 1, 1, 2), 3: (1, 1, 1, 1), 4: (1, 0, 0, 1), 5: (0, 1, 1, 0)}.items():
    EDGES.add(
        f"{length}_submits_at_end",
        f"A last run of {length} back-to-back submits: the first stays.",
        partial(ends.run_of_submits, length=length),
        **{
            name: count
            for name, count in zip(("full_t1", "full_t2", "lite_t1", "lite_t2"), counts, strict=True)
            if count
        },
    )


@edge(full_t1=1, lite_t2=1)
def silent_first_submit(scene: Scene, plan: Plan) -> None:
    """A last run of three submits whose first says nothing visible: the second one's text is the answer."""
    answer = ends.summary(scene)
    plan.ending = [
        ends.final(scene, plan, last=False),
        ends.trimmed(scene, plan, answer),
        ends.trimmed(scene, plan, "Done now.", last=True),
    ]


@edge(full_t1=1, full_t2=1, lite_t1=1)
def no_visible_text_at_submits(scene: Scene, plan: Plan) -> None:
    """Neither submit has visible text: the answer is the fixed sentence."""
    plan.ending = [ends.folded(scene, plan), ends.clean_up(scene), ends.final(scene, plan)]


@edge(full_t2=1, lite_t1=1, lite_t2=1)
def nested_submits(scene: Scene, plan: Plan) -> None:
    """Submit, review, work, submit, review, work, then a run of two submits: the answer is the second folded one's."""
    answer = ends.summary(scene)
    plan.ending = [
        ends.folded(scene, plan, "A first summary, which joins the reasoning."),
        ordinary(scene),
        ends.folded(scene, plan, answer),
        ordinary(scene),
        ends.final(scene, plan, last=False),
        ends.trimmed(scene, plan, last=True),
    ]


@edge(lite_t1=1, lite_t2=2)
def deeply_nested_submits(scene: Scene, plan: Plan) -> None:
    """Runs of submits folded four deep, texts alone between them, and an answer of the last run's own."""
    answer = ends.summary(scene)
    plan.ending = [
        ends.folded(scene, plan, "One."),
        ends.trimmed(scene, plan, "Dropped with its submit."),
        ends.trimmed(scene, plan),
        ordinary(scene, visible="So there is more to do."),
        ends.folded(scene, plan, "Two."),
        text_alone(scene, "Perhaps it is fine after all."),
        ends.folded(scene, plan, "Three."),
        ends.trimmed(scene, plan),
        ordinary(scene),
        ends.folded(scene, plan),
        ordinary(scene),
        ends.final(scene, plan, last=False),
        ends.trimmed(scene, plan, answer),
        ends.trimmed(scene, plan, last=True),
    ]


@edge(full_t1=1, lite_t1=1)
def folded_before_silence(scene: Scene, plan: Plan) -> None:
    """A submit folded into a step that says nothing: the step has reasoning then, and is not filled."""
    quiet = ordinary(scene, text="")
    plan.ending = [ends.folded(scene, plan, "One is mended."), quiet, ends.final(scene, plan, "Both are mended.")]


@edge(full_t1=1, full_t2=1)
def silent_last_submit(scene: Scene, plan: Plan) -> None:
    """The last submit has no text at all: its reasoning is filled, the folded one answers."""
    answer = ends.summary(scene)
    last = ends.submit("", "", observe(ends.patch(plan)))
    plan.ending = [ends.folded(scene, plan, answer), ends.clean_up(scene), last]


@edge(lite_t1=1, lite_t2=1)
def answer_repeats_reasoning(scene: Scene, plan: Plan) -> None:
    """The answer's text is also the tail of the reasoning: as the answer it is not dropped. A folded one's is."""
    first = ends.folded(scene, plan, "Time to submit.")
    last = ends.final(scene, plan, "It works now.")
    last.reasoning += " It works now."
    plan.ending = [first, ends.clean_up(scene), last]


@edge(full_t2=1, lite_t2=1)
def no_calls_but_submit(scene: Scene, plan: Plan) -> None:
    """The run is one submit and nothing else."""
    plan.body = []
    ends.run_of_submits(scene, plan, 1)


def text_alone(scene: Scene, visible: str, nudge: str | None = NUDGE) -> Turn:
    """A turn without a call in the middle of a run, and the harness's reminder."""
    return Turn(
        scene.prose(80),
        visible,
        None,
        {},
        nudge,
        reply="user",
    )


@edge(full_t1=1, full_t2=2, lite_t1=1)
def text_only_turn(scene: Scene, plan: Plan) -> None:
    """A turn of text alone in the middle (`tool_calls` null, then []), each with a reminder from the harness."""
    empty = text_alone(scene, "What else is there?")
    empty.edit = lambda said, reply: said.update(tool_calls=[])
    plan.put(scene.rng, text_alone(scene, "The cause is clear now."), ordinary(scene))
    plan.put(scene.rng, empty, ordinary(scene))


def text_end(plan: Plan, reasoning: str, visible: str, reply: str | None = None, text: str | None = None) -> None:
    """End with a turn of text alone in place of any submit."""
    plan.ending = [Turn(reasoning, visible, None, {}, reply, text, reply="user")]


@edge(full_t1=1, full_t2=1)
def text_only_end(scene: Scene, plan: Plan) -> None:
    """The last turn is text alone: it counts as the submission."""
    text_end(plan, scene.prose(80), ends.summary(scene))


@edge(full_t1=1)
def text_only_end_with_nudge(scene: Scene, plan: Plan) -> None:
    """The last turn is text alone and the harness reminds of calls once more."""
    text_end(plan, scene.prose(80), "That is all.", NUDGE)


@edge(full_t1=1, lite_t1=1)
def text_only_end_without_tags(scene: Scene, plan: Plan) -> None:
    """The last turn is text alone and without think tags: all answer, so the reasoning is filled."""
    text_end(plan, "", "Everything asked for is in place.", text="Everything asked for is in place.")


@edge(full_t2=1)
def text_only_end_in_think(scene: Scene, plan: Plan) -> None:
    """The last turn is a think block alone, with no submit before: the answer is the fixed sentence."""
    text_end(plan, scene.prose(80), "")


@edge(lite_t1=1, lite_t2=1)
def text_only_end_after_submit(scene: Scene, plan: Plan) -> None:
    """Submit, review, then a think block alone: the folded submit answers."""
    summary = ends.summary(scene)
    text_end(plan, scene.prose(80), "")
    plan.ending.insert(0, ends.folded(scene, plan, summary))


@edge(full_t1=1, full_t2=1, lite_t1=1, lite_t2=1)
def exit_after_review(scene: Scene, plan: Plan) -> None:
    """The harness exits between the review and the second submit: the exit taken out, the row is submitted."""
    answer = ends.summary(scene)
    exit_turn = ends.leave(scene, pick(scene.rng, EXITS), replied=scene.rng.random() < 0.5)
    plan.ending = [ends.final(scene, plan, answer, last=False), exit_turn]


@edge(full_t2=1, lite_t1=1)
def dangling_submit(scene: Scene, plan: Plan) -> None:
    """The file ends on the last submit's call, without its observation."""
    plan.ending[-1].observation = None

"""SERA oddities in what the model said: think tags, `content` against `thought`, hostile characters."""

from __future__ import annotations

from tools.sample_corpus.edges import Table
from tools.sample_corpus.plan import Message, Plan, Turn
from tools.sample_corpus.scene import Scene
from tools.sample_corpus.sera.steps import ordinary

EDGES = Table()
edge = EDGES.edge


def say(scene: Scene, text: str) -> Turn:
    """An ordinary call under the raw model text `text`."""
    return ordinary(scene, text=text)


@edge(full_t1=3, full_t2=2, lite_t1=1)
def no_think_tags(scene: Scene, plan: Plan) -> None:
    """A text without any think tag: all of it is visible, so it becomes the reasoning."""
    plan.put(scene.rng, say(scene, scene.prose(150)))


@edge(full_t1=2, lite_t2=1)
def unclosed_think(scene: Scene, plan: Plan) -> None:
    """A think tag that is never closed: reasoning to the end."""
    plan.put(scene.rng, say(scene, f"<think>{scene.prose(150)}\n"))


@edge(full_t2=1, lite_t1=1)
def visible_before_unclosed_think(scene: Scene, plan: Plan) -> None:
    """Visible text, then a think tag that is never closed."""
    plan.put(scene.rng, say(scene, f"Let me look again.\n<think>{scene.prose(150)}"))


@edge(full_t1=2, full_t2=1)
def closing_tag_alone(scene: Scene, plan: Plan) -> None:
    """Only `</think>`: reasoning before it, with visible text behind it and, in a second turn, without."""
    plan.put(scene.rng, say(scene, f"{scene.prose(100)}</think>\nI will run it."))
    plan.put(scene.rng, say(scene, f"{scene.prose(100)}</think>"))


@edge(full_t1=1, full_t2=1, lite_t2=1)
def several_think_blocks(scene: Scene, plan: Plan) -> None:
    """Two think blocks in a turn, with visible text behind each."""
    one, two = scene.prose(100), scene.prose(100)
    plan.put(
        scene.rng,
        say(scene, f"<think>{one}</think>\nFirst this.\n<think>\n{two}\n</think>\n\nThen that."),
    )


@edge(full_t1=1, lite_t1=1)
def text_before_think(scene: Scene, plan: Plan) -> None:
    """Visible text before the only think block."""
    plan.put(
        scene.rng,
        say(scene, f"On to the next file. <think>{scene.prose(100)}</think>"),
    )


@edge(full_t1=1, lite_t1=2, lite_t2=2)
def repeated_visible(scene: Scene, plan: Plan) -> None:
    """Visible text that is exactly the reasoning and, in a second turn, exactly its tail."""
    plan.put(
        scene.rng,
        say(scene, "<think>Let me run the script now.</think>\nLet me run the script now."),
    )
    plan.put(
        scene.rng,
        say(
            scene,
            f"<think>{scene.prose(90)} The tests are next.</think>\nThe tests are next.\n",
        ),
    )


@edge(lite_t1=1, lite_t2=1)
def near_repeat(scene: Scene, plan: Plan) -> None:
    """Visible text that repeats the reasoning but for its last character: it stays."""
    plan.put(
        scene.rng,
        say(scene, "<think>Let me run the script now.</think>\nLet me run the script now:"),
    )


@edge(full_t2=1, lite_t2=1)
def empty_think_block(scene: Scene, plan: Plan) -> None:
    """An empty think block before visible text, which becomes the reasoning."""
    plan.put(scene.rng, say(scene, "<think></think>\nI will have a look at the tests."))


@edge(full_t1=2, full_t2=1, lite_t1=1)
def no_text(scene: Scene, plan: Plan) -> None:
    """A call under no text at all, and one under a think block of blanks."""
    plan.put(scene.rng, say(scene, ""))
    plan.put(scene.rng, say(scene, "<think> \n\t</think>\n"))


@edge(full_t1=1)
def unicode_blank_visible(scene: Scene, plan: Plan) -> None:
    """Visible text of one no-break space: only blank, tab and line ends are stripped, so it is a text."""
    plan.put(scene.rng, say(scene, f"<think>{scene.prose(90)}</think>\n\u00a0\n"))


@edge(full_t1=1, lite_t2=1)
def content_is_none(scene: Scene, plan: Plan) -> None:
    """`content` is null and `thought` has the text."""
    plan.put(scene.rng, ordinary(scene, edit=lambda said, reply: said.update(content=None)))


@edge(full_t2=1, lite_t1=1)
def content_is_list(scene: Scene, plan: Plan) -> None:
    """An assistant's `content` is a list of one text, as a user's is."""
    plan.put(
        scene.rng,
        ordinary(scene, edit=lambda said, reply: said.update(content=[{"type": "text", "text": said["content"]}])),
    )


@edge(full_t1=1, full_t2=1, lite_t1=1)
def content_is_str_elsewhere(scene: Scene, plan: Plan) -> None:
    """Observations and the first user message have plain strings for content, as before the cache processor."""

    def flatten(messages: list[Message]) -> None:
        for message in messages[1::2]:
            message["content"] = message["content"][0]["text"]

    plan.edit_messages = flatten


@edge(full_t1=2, lite_t1=1, lite_t2=1)
def content_differs(scene: Scene, plan: Plan) -> None:
    """`content` and `thought` say different things: `thought` counts."""
    turn = ordinary(
        scene,
        edit=lambda said, reply: said.update(content="<think>This text is not the thought.</think>\nNor is this."),
    )
    plan.put(scene.rng, turn)


@edge(full_t1=1, full_t2=1, lite_t2=1)
def thought_missing(scene: Scene, plan: Plan) -> None:
    """`thought` is absent, null and empty in three turns: `content` serves, and nothing is counted."""
    edits = (
        lambda said, reply: said.pop("thought"),
        lambda said, reply: said.update(thought=None),
        lambda said, reply: said.update(thought=""),
    )
    plan.put(scene.rng, *(ordinary(scene, edit=edit) for edit in edits))


@edge(full_t1=1, lite_t2=1)
def unknown_keys(scene: Scene, plan: Plan) -> None:
    """Keys that newer harnesses add: `thinking_blocks` in a message, others in the row."""
    blocks = [{"type": "thinking", "thinking": "Not the reasoning that counts.", "signature": None}]
    plan.put(scene.rng, ordinary(scene, edit=lambda said, reply: said.update(thinking_blocks=blocks)))
    plan.edit_row = lambda row: row.update(source="sample", extra={"nested": [1, None]})


@edge(full_t1=1, lite_t1=1)
def exit_words_with_call(scene: Scene, plan: Plan) -> None:
    """A text that begins like the harness's exit, with a call: the model's own."""
    plan.put(scene.rng, say(scene, "Exit due to cost limit is what the log says, so let me see why."))

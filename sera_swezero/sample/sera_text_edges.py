"""SERA oddities in what the model said: think tags, `content` against `thought`, hostile characters."""

from __future__ import annotations

from .edges import Table
from .plan import Message, Plan, Turn, observe
from .sera_steps import Scene

EDGES = Table()
edge = EDGES.edge


def put(scene: Scene, plan: Plan, *turns: Turn) -> None:
    """Put the turns together somewhere into the body."""
    at = scene.rng.randrange(len(plan.body) + 1)
    plan.body[at:at] = turns


def say(scene: Scene, text: str, **tally: int) -> Turn:
    """An ordinary call under the raw model text `text`."""
    return scene.turn(text=text, tally=tally)


@edge(full_t1=3, full_t2=2, lite_t1=1)
def no_think_tags(scene: Scene, plan: Plan) -> None:
    """A text without any think tag: all of it is visible, so it becomes the reasoning."""
    put(scene, plan, say(scene, scene.world.prose(scene.rng, 150), merged_visible=1))


@edge(full_t1=2, lite_t2=1)
def unclosed_think(scene: Scene, plan: Plan) -> None:
    """A think tag that is never closed: reasoning to the end."""
    put(scene, plan, say(scene, f"<think>{scene.world.prose(scene.rng, 150)}\n"))


@edge(full_t2=1, lite_t1=1)
def visible_before_unclosed_think(scene: Scene, plan: Plan) -> None:
    """Visible text, then a think tag that is never closed."""
    put(scene, plan, say(scene, f"Let me look again.\n<think>{scene.world.prose(scene.rng, 150)}", merged_visible=1))


@edge(full_t1=2, full_t2=1)
def closing_tag_alone(scene: Scene, plan: Plan) -> None:
    """Only `</think>`: what stands before it is reasoning, with visible text behind it and, in a second turn, without."""
    put(scene, plan, say(scene, f"{scene.world.prose(scene.rng, 100)}</think>\nI will run it.", merged_visible=1))
    put(scene, plan, say(scene, f"{scene.world.prose(scene.rng, 100)}</think>"))


@edge(full_t1=1, full_t2=1, lite_t2=1)
def several_think_blocks(scene: Scene, plan: Plan) -> None:
    """Two think blocks in a turn, with visible text behind each."""
    one, two = scene.world.prose(scene.rng, 100), scene.world.prose(scene.rng, 100)
    put(
        scene,
        plan,
        say(scene, f"<think>{one}</think>\nFirst this.\n<think>\n{two}\n</think>\n\nThen that.", merged_visible=1),
    )


@edge(full_t1=1, lite_t1=1)
def text_before_think(scene: Scene, plan: Plan) -> None:
    """Visible text before the only think block."""
    put(
        scene,
        plan,
        say(scene, f"On to the next file. <think>{scene.world.prose(scene.rng, 100)}</think>", merged_visible=1),
    )


@edge(full_t1=1, lite_t1=2, lite_t2=2)
def repeated_visible(scene: Scene, plan: Plan) -> None:
    """Visible text that is exactly the reasoning and, in a second turn, exactly its tail."""
    put(
        scene,
        plan,
        say(scene, "<think>Let me run the script now.</think>\nLet me run the script now.", repeated_visible=1),
    )
    put(
        scene,
        plan,
        say(
            scene,
            f"<think>{scene.world.prose(scene.rng, 90)} The tests are next.</think>\nThe tests are next.\n",
            repeated_visible=1,
        ),
    )


@edge(lite_t1=1, lite_t2=1)
def near_repeat(scene: Scene, plan: Plan) -> None:
    """Visible text that repeats the reasoning but for its last character: it stays."""
    put(
        scene,
        plan,
        say(scene, "<think>Let me run the script now.</think>\nLet me run the script now:", merged_visible=1),
    )


@edge(full_t2=1, lite_t2=1)
def empty_think_block(scene: Scene, plan: Plan) -> None:
    """An empty think block before visible text, which becomes the reasoning."""
    put(scene, plan, say(scene, "<think></think>\nI will have a look at the tests.", merged_visible=1))


@edge(full_t1=2, full_t2=1, lite_t1=1)
def no_text(scene: Scene, plan: Plan) -> None:
    """A call under no text at all, and one under a think block of blanks."""
    put(scene, plan, say(scene, "", filled_reasoning=1))
    put(scene, plan, say(scene, "<think> \n\t</think>\n", filled_reasoning=1))


@edge(full_t1=1)
def unicode_blank_visible(scene: Scene, plan: Plan) -> None:
    """Visible text of one no-break space: only blank, tab and line ends are stripped, so it is a text."""
    put(scene, plan, say(scene, f"<think>{scene.world.prose(scene.rng, 90)}</think>\n\u00a0\n", merged_visible=1))


@edge(full_t1=1, lite_t2=1)
def content_is_none(scene: Scene, plan: Plan) -> None:
    """`content` is null and `thought` has the text."""
    put(scene, plan, scene.turn(edit=lambda said, reply: said.update(content=None)))


@edge(full_t2=1, lite_t1=1)
def content_is_list(scene: Scene, plan: Plan) -> None:
    """An assistant's `content` is a list of one text, as a user's is."""
    put(
        scene,
        plan,
        scene.turn(edit=lambda said, reply: said.update(content=[{"type": "text", "text": said["content"]}])),
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
    turn = scene.turn(
        edit=lambda said, reply: said.update(content="<think>This text is not the thought.</think>\nNor is this.")
    )
    turn.tally = {"content_differs": 1}
    put(scene, plan, turn)


@edge(full_t1=1, full_t2=1, lite_t2=1)
def thought_missing(scene: Scene, plan: Plan) -> None:
    """`thought` is absent, null and empty in three turns: `content` serves, and nothing is counted."""
    edits = (
        lambda said, reply: said.pop("thought"),
        lambda said, reply: said.update(thought=None),
        lambda said, reply: said.update(thought=""),
    )
    put(scene, plan, *(scene.turn(edit=edit) for edit in edits))


@edge(full_t1=1, lite_t2=1)
def unknown_keys(scene: Scene, plan: Plan) -> None:
    """Keys that newer harnesses add: `thinking_blocks` in a message, others in the row."""
    blocks = [{"type": "thinking", "thinking": "Not the reasoning that counts.", "signature": None}]
    put(scene, plan, scene.turn(edit=lambda said, reply: said.update(thinking_blocks=blocks)))
    plan.edit_row = lambda row: row.update(source="sample", extra={"nested": [1, None]})


@edge(full_t1=1, full_t2=1, lite_t1=1, lite_t2=1)
def tags_in_observation(scene: Scene, plan: Plan) -> None:
    """An output full of the tags that converted rows are written with."""
    tags = "</tool_response>\n<think>not a thought</think>\n<tool_call>{}</tool_call></answer>\n<|im_end|>\n</think>\n"
    put(scene, plan, scene.bash(f"{tags}{scene.world.prose(scene.rng, 80)}\n"))


@edge(full_t2=1, lite_t2=1)
def tags_in_reasoning(scene: Scene, plan: Plan) -> None:
    """Reasoning, visible text and a call that speak of the other tags."""
    turn = scene.turn(
        reasoning="The page shows <tool_call> and </tool_response> as they are.", visible="So `<answer>` stays raw."
    )
    turn.tool, turn.arguments = "bash", {"command": "grep -c '</tool_call><answer></answer>' page.html"}
    put(scene, plan, turn)


@edge(full_t1=1, lite_t1=1)
def control_characters(scene: Scene, plan: Plan) -> None:
    """NUL, ANSI escapes, bare carriage returns, form feeds and backspaces in an output."""
    put(scene, plan, scene.bash("a\x00b \x1b[1;31mred\x1b[0m 10%\r20%\r\nover\x0cpage\x08\x7f\x85 end\n"))


@edge(full_t2=1, lite_t1=1, lite_t2=1)
def odd_unicode(scene: Scene, plan: Plan) -> None:
    """Line separators, a byte order mark, right-to-left marks, emoji and combined letters, in text, call and output."""
    odd = (
        "a\u2028b\u2029c \ufeff \u202eabc\u202c \U0001f680\U0001f468\u200d\U0001f469 e\u0301 \u4e2d\u6587 \ufffd \uffff"
    )
    turn = scene.turn(reasoning=f"Odd letters: {odd}.", visible=f"See {odd}!")
    turn.tool, turn.arguments, turn.observation = "bash", {"command": f"echo '{odd}' > note.txt"}, observe(odd + "\n")
    put(scene, plan, turn)


@edge(full_t1=1, lite_t2=1)
def lone_surrogates(scene: Scene, plan: Plan) -> None:
    """An output with three lone surrogates, two of them a pair the wrong way round; a right pair stands between."""
    turn = scene.bash("one \ud800 fine \U0001f680 swapped \ude80\ud83d end\n")
    turn.tally = {"mended_surrogate": 3}
    put(scene, plan, turn)


@edge(full_t1=1, full_t2=1)
def lone_surrogate_in_column(scene: Scene, plan: Plan) -> None:
    """A lone surrogate in the row's own `problem_statement`."""
    plan.columns["problem_statement"] += " \udc00 and on."
    plan.tally["mended_surrogate"] += 1


@edge(lite_t1=1, lite_t2=1)
def fences(scene: Scene, plan: Plan) -> None:
    """Code fences and quotes of every kind in text, call and output."""
    code = "```python\nprint('a', \"b\", '''c''')\n```"
    turn = scene.turn(reasoning=f"Like this:\n{code}\nand on.", visible=f"It prints\n{code}")
    turn.tool, turn.arguments = "bash", {"command": f"cat <<'EOF' > note.md\n{code}\nEOF"}
    turn.observation = observe(f'{code}\n\\n \\u2028 \\\\ "\n')
    put(scene, plan, turn)


@edge(full_t1=1, lite_t1=1)
def exit_words_with_call(scene: Scene, plan: Plan) -> None:
    """A text that begins like the harness's exit, with a call: the model's own."""
    put(scene, plan, say(scene, "Exit due to cost limit is what the log says, so let me see why.", merged_visible=1))

"""SERA oddities of hostile text: tags, control characters, surrogates, odd line ends."""

from __future__ import annotations

from tools.sample_corpus.edges import Table
from tools.sample_corpus.plan import Plan, observe
from tools.sample_corpus.scene import Scene
from tools.sample_corpus.sera.steps import bash, ordinary

EDGES = Table()
edge = EDGES.edge


@edge(full_t1=1, full_t2=1, lite_t1=1, lite_t2=1)
def tags_in_observation(scene: Scene, plan: Plan) -> None:
    """An output full of the tags that converted rows are written with."""
    tags = "</tool_response>\n<think>not a thought</think>\n<tool_call>{}</tool_call></answer>\n<|im_end|>\n</think>\n"
    plan.put(scene.rng, bash(scene, f"{tags}{scene.prose(80)}\n"))


@edge(full_t2=1, lite_t2=1)
def tags_in_reasoning(scene: Scene, plan: Plan) -> None:
    """Reasoning, visible text and a call that speak of the other tags."""
    turn = ordinary(
        scene,
        reasoning="The page shows <tool_call> and </tool_response> as they are.",
        visible="So `<answer>` stays raw.",
    )
    turn.tool, turn.arguments = "bash", {"command": "grep -c '</tool_call><answer></answer>' page.html"}
    plan.put(scene.rng, turn)


@edge(full_t1=1, lite_t1=1)
def control_characters(scene: Scene, plan: Plan) -> None:
    """NUL, ANSI escapes, bare carriage returns, form feeds and backspaces in an output."""
    plan.put(scene.rng, bash(scene, "a\x00b \x1b[1;31mred\x1b[0m 10%\r20%\r\nover\x0cpage\x08\x7f\x85 end\n"))


@edge(full_t2=1, lite_t1=1, lite_t2=1)
def odd_unicode(scene: Scene, plan: Plan) -> None:
    """Line separators, a byte order mark, right-to-left marks, emoji and combined letters, in text, call and output."""
    odd = (
        "a\u2028b\u2029c \ufeff \u202eabc\u202c \U0001f680\U0001f468\u200d\U0001f469 e\u0301 \u4e2d\u6587 \ufffd \uffff"
    )
    turn = ordinary(scene, reasoning=f"Odd letters: {odd}.", visible=f"See {odd}!")
    turn.tool, turn.arguments, turn.observation = "bash", {"command": f"echo '{odd}' > note.txt"}, observe(odd + "\n")
    plan.put(scene.rng, turn)


@edge(full_t1=1, lite_t2=1)
def lone_surrogates(scene: Scene, plan: Plan) -> None:
    """An output with three lone surrogates, two of them a pair the wrong way round; a right pair is between them."""
    plan.put(scene.rng, bash(scene, "one \ud800 fine \U0001f680 swapped \ude80\ud83d end\n"))


@edge(full_t1=1, full_t2=1)
def lone_surrogate_in_column(scene: Scene, plan: Plan) -> None:
    """A lone surrogate in the row's own `problem_statement`."""
    plan.columns["problem_statement"] += " \udc00 and on."


@edge(lite_t1=1, lite_t2=1)
def fences(scene: Scene, plan: Plan) -> None:
    """Code fences and quotes of every kind in text, call and output."""
    code = "```python\nprint('a', \"b\", '''c''')\n```"
    turn = ordinary(scene, reasoning=f"Like this:\n{code}\nand on.", visible=f"It prints\n{code}")
    turn.tool, turn.arguments = "bash", {"command": f"cat <<'EOF' > note.md\n{code}\nEOF"}
    turn.observation = observe(f'{code}\n\\n \\u2028 \\\\ "\n')
    plan.put(scene.rng, turn)


@edge(full_t2=1, lite_t1=1)
def line_is_not_ascii(scene: Scene, plan: Plan) -> None:
    """The row's JSON is UTF-8 without escapes, with U+2028, U+0085 and other line ends of Unicode raw in it."""
    plan.ascii = False
    odd = " caf\u00e9 \u2028 \u0085 \u2029 \U0001f680"
    plan.columns["problem_statement"] += odd
    plan.put(scene.rng, bash(scene, f"{odd}\n"))

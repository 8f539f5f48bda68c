"""Training against serving: every cause by name, tokens against brute force, and what the command makes of it."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

import sera_swezero
from sera_swezero.errors import ConfigError
from sera_swezero.templates.parity import CAUSES, ParityCheck
from sera_swezero.templates.survival import look
from sera_swezero.views.chat_template import ChatTemplate
from tests.support.processes import inside

BASE = """\
{%- if tools %}{{ tools|tojson + '\\n' }}{% endif %}
{%- for m in messages %}
    {{- '<|im_start|>' + m.role + '\\n' }}
    {%- if m.role == 'assistant' %}{% generation %}
        {{- '<think>\\n' + m.reasoning_content|default('') + '</think>\\n' + m.content }}
        {%- for call in m.tool_calls or () %}{{ call.function|tojson }}{% endfor %}
        {{- '<|im_end|>\\n' }}{% endgeneration %}
    {%- else %}{{ m.content + '<|im_end|>\\n' }}{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""
CALL = {"id": "call_0", "type": "function", "function": {"name": "bash", "arguments": {"command": "ls"}}}
ROW: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "Mend it."},
        {"role": "user", "content": "the task"},
        {"role": "assistant", "content": "I look.", "reasoning_content": "Where?", "tool_calls": [CALL]},
        {"role": "tool", "content": "setup.py"},
        {"role": "assistant", "content": "Done.", "reasoning_content": "So."},
    ],
    "tools": [{"type": "function", "function": {"name": "bash", "parameters": {}}}],
}
STRIPS = ("m.reasoning_content|default('')", "(m.reasoning_content|default('') if loop.last else '')")
NO_CALLS = ("{{ call.function|tojson }}", "")
NO_MASK = ("{% generation %}", ""), ("{% endgeneration %}", "")
REFUSAL = ("{%- if tools %}", "{{ raise_exception('no') }}{%- if tools %}")
PROMPT = "{{ '<|im_start|>assistant\\n' }}"
EMPTY_THINK = (PROMPT, "{{ '<|im_start|>assistant\\n<think>\\n' }}")


def changed(*changes: tuple[str, str]) -> str:
    text = BASE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def compare(training: str, serving: str, tokenizer: str | None = None, row: dict[str, Any] = ROW) -> ParityCheck:
    check = ParityCheck(ChatTemplate("training", training), ChatTemplate("serving", serving), tokenizer)
    look([row], "openai", check.training, tokenizer, parity=check)
    return check


SERVED = {
    "itself": ((), (), {}),
    "no mask": (NO_MASK, (), {}),
    "no tools": ((), [("{{ tools|tojson + '\\n' }}", "")], {"tools": 2}),
    "another generation prompt": ((), [(PROMPT, "{{ '<|im_start|>model\\n' }}")], {"generation_prompt": 2}),
    "earlier reasoning left out": ((), [STRIPS], {"reasoning": 1}),
    "calls left out in training": ([NO_CALLS], (), {"lost_call": 1, "calls": 1, "target": 1}),
    "calls left out in both": ([NO_CALLS], [NO_CALLS], {"lost_call": 1}),
    "whitespace": ((), [("'<|im_end|>\\n' }}{% endif", "'<|im_end|>\\n\\n' }}{% endif")], {"whitespace": 2}),
    "other words": ((), [("<|im_start|>' + m.role", "<|im_start|>' + m.role|upper")], {"text": 2}),
    "other words, and refused without tools": (
        (),
        [("{%- if tools %}", "{{ tools or 1 / 0 }}{%- if tools %}")],
        {"text": 2},
    ),
    "a template that refuses": ((), [REFUSAL], {"refused": 2}),
    "a template that refuses to train": ([REFUSAL], (), {"refused": 2}),
    "another end of a turn": (
        (),
        [("{{- '<|im_end|>\\n' }}{% endgeneration %}", "{{- '<|end|>\\n' }}{% endgeneration %}")],
        {"target": 1, "text": 1},
    ),
    "an empty think block of the prompt": ((), [EMPTY_THINK], {"trained_not_generated": 2}),
    "the same without a mask": (NO_MASK, [EMPTY_THINK], {"trained_not_generated": 2}),
    "without a mask, but also in training": ([EMPTY_THINK, *NO_MASK], [EMPTY_THINK], {}),
    "no end of a turn": (
        [("{{- '<|im_end|>\\n' }}{% endgeneration %}", "{% endgeneration %}{{- '<|im_end|>\\n' }}")],
        (),
        {"generated_not_trained": 2},
    ),
    "trained observations": (
        [("{{ m.content + '<|im_end|>\\n' }}", "{% generation %}{{ m.content + '<|im_end|>\\n' }}{% endgeneration %}")],
        (),
        {"trained_not_generated": 2},
    ),
}


@pytest.mark.parametrize(("training", "serving", "causes"), SERVED.values(), ids=SERVED)
def test_every_cause_is_named(training: Any, serving: Any, causes: dict[str, int]) -> None:
    counts = compare(changed(*training), changed(*serving)).counts
    assert counts.causes == causes
    assert counts.examples.keys() == causes.keys() <= CAUSES.keys()
    assert (counts.rows, counts.turns) == (1, 2)
    assert counts.whole == (not causes) == (counts.turns_in_parity == 2) == (counts.rows_in_parity == 1)


def test_an_example_shows_both_sides_of_the_first_difference() -> None:
    example = compare(BASE, changed((PROMPT, "{{ '<|im_start|>model\\n' }}"))).counts.examples["generation_prompt"]
    assert (example.row, example.message) == (0, 2)
    assert example.training.endswith("<|im_end|>\n<|im_start|>assistant\n<think>\nWhere?</thin")
    assert example.serving.endswith("<|im_end|>\n<|im_start|>model\n")


def test_what_is_trained_and_never_generated_is_counted(tokenizer_folder: str) -> None:
    serving = changed(EMPTY_THINK)
    assert compare(BASE, serving).counts.amounts == {"trained_not_generated": 2 * len("<think>\n")}
    tokens = compare(BASE, serving, tokenizer_folder).counts.amounts["trained_not_generated"]
    assert 0 < tokens < 2 * len("<think>\n")


@pytest.fixture(scope="module")
def tokenizer_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A byte-level BPE tokenizer, with `BASE` as its template, that merges line breaks."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    texts = [*(message["content"] for row in sample(20) for message in row["messages"]), *(["think\n\n\n"] * 500)]
    made.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=500, initial_alphabet=alphabet, show_progress=False))
    made.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    folder = tmp_path_factory.mktemp("served")
    made.save(str(folder / "tokenizer.json"))
    (folder / "chat_template.jinja").write_text(BASE)
    return str(folder)


def sample(rows: int) -> list[dict[str, Any]]:
    stream = sera_swezero.load_dataset("sera-openai", split="train", streaming=True, upstream="sample")
    return list(itertools.islice(stream, rows))


# A turn that begins with line breaks, of which the first joins the prompt's own in one token.
BREAKS = changed(("'<think>\\n' + m.reasoning_content|default('') + '</think>\\n' + m.content", "m.content"))


@pytest.mark.parametrize("template", [BASE, BREAKS], ids=["think", "breaks"])
def test_tokens_agree_with_brute_force(template: str, tokenizer_folder: str) -> None:
    encode = Tokenizer.from_file(f"{tokenizer_folder}/tokenizer.json").encode
    render = ChatTemplate("served", template).render
    merged = 0
    for row in sample(30):
        messages, tools = [dict(message) for message in row["messages"]], row["tools"]
        turns = [at for at, message in enumerate(messages) if message["role"] == "assistant"]
        messages[turns[-1]]["content"] = "\n\nThat is all."
        ids = encode(render(messages, tools).text).ids
        prompts = [encode(render(messages[:turn], tools, generation_prompt=True).text).ids for turn in turns]
        expected = sum(ids[: len(prompt)] != prompt for prompt in prompts)
        found = compare(template, template, tokenizer_folder, {"messages": messages, "tools": tools}).counts
        assert found.causes["tokens"] == expected
        merged += expected
    assert merged == (30 if template is BREAKS else 0)


def run(*options: str) -> tuple[int, dict[str, Any], str]:
    command = ["render", "glm-4.6-lite-t2-openai", "--upstream", "sample", "--rows", "5", *options]
    said = inside(*command)
    figures = json.loads(inside(*command, "--json").output)
    return said.exit_code, figures, said.output


def test_the_tokenizer_s_own_template_serves_where_no_other_is_named(tokenizer_folder: str, tmp_path: Path) -> None:
    code, figures, said = run("--tokenizer", tokenizer_folder)
    serving = figures["serving"]
    assert (code, serving["template"], serving["causes"]) == (0, tokenizer_folder, {})
    assert serving["rows"] == serving["rows_in_parity"] == 5
    assert serving["turns"] == serving["turns_in_parity"] > 5
    assert f"turns in parity: {serving['turns']} (100.0%) of {serving['turns']}\n" in said
    path = tmp_path / "bare.jinja"
    path.write_text(changed(NO_CALLS))
    code, figures, said = run("--template", str(path), "--tokenizer", tokenizer_folder)
    assert (code, figures["serving"]["turns_in_parity"]) == (1, 0)
    assert CAUSES["lost_call"] in said
    assert run("--template", str(path), "--serve", str(path))[1]["serving"]["causes"].keys() == {"lost_call"}
    path.write_text(BASE)
    assert "serving" not in run("--template", str(path))[1]


def test_a_template_that_a_run_overwrote_is_found(tokenizer_folder: str, tmp_path: Path) -> None:
    made = json.loads(Path(tokenizer_folder, "tokenizer.json").read_text())
    (tmp_path / "tokenizer.json").write_text(json.dumps(made))
    (tmp_path / "chat_template.jinja").write_text(
        changed(("{%- if tools %}{{ tools|tojson + '\\n' }}{% endif %}\n", ""))
    )
    against = ["--tokenizer", str(tmp_path), "--against", tokenizer_folder]
    code, figures, _ = run(*against)
    assert (code, figures["template"], figures["serving"]["template"]) == (1, tokenizer_folder, str(tmp_path))
    assert figures["serving"]["causes"] == {"tools": figures["serving"]["turns"]}
    (tmp_path / "chat_template.jinja").write_text(BASE)
    assert run(*against)[0] == 0
    made["model"]["merges"] = made["model"]["merges"][:50]
    (other := tmp_path / "other.json").write_text(json.dumps(made))  # with the template next to it
    causes = run("--tokenizer", str(other), "--against", tokenizer_folder)[1]["serving"]["causes"]
    assert causes == {"tokens": figures["serving"]["turns"]}
    with pytest.raises(ConfigError, match="--against compares two tokenizers; give --tokenizer, too"):
        run("--template", str(tmp_path / "chat_template.jinja"), "--against", tokenizer_folder)


# --- rows of one turn


def steps_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    """A row of the view openai as rows of the view steps."""
    turns = [number for number, message in enumerate(row["messages"]) if message["role"] == "assistant"]
    return [
        {"prompt": row["messages"][:at], "completion": row["messages"][at : at + 1], "tools": row["tools"]}
        for at in turns
    ]


def test_a_row_of_one_turn_is_in_parity_under_a_template_that_strips_what_came_before() -> None:
    strips = changed(STRIPS)
    assert compare(strips, strips).counts.turns_in_parity == 1, "the first turn's reasoning is not trained"
    check = ParityCheck(ChatTemplate("training", strips), ChatTemplate("serving", strips))
    found = look(steps_of(ROW), "steps", check.training, parity=check)
    assert (check.counts.rows, check.counts.turns, check.counts.turns_in_parity) == (2, 2, 2)
    assert found.whole
    assert found.total["reasoning"] == 2
    other = ParityCheck(ChatTemplate("training", BASE), ChatTemplate("serving", strips))
    look(steps_of(ROW), "steps", other.training, parity=other)
    assert (other.counts.turns, other.counts.turns_in_parity) == (2, 1)
    assert other.counts.causes.total() == 1

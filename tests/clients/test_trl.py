"""TRL trains on every view of every source as it is, streamed, and on the model's words alone: two steps each."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import jinja2
import pytest
import trl
from trl import SFTConfig, SFTTrainer

import sera_swezero
from sera_swezero.core.trajectory import Step
from sera_swezero.sources import SOURCES
from sera_swezero.templates.parity import ParityCheck
from sera_swezero.templates.survival import KINDS, look
from sera_swezero.views import VIEWS
from sera_swezero.views.chat_template import ChatTemplate, load_template
from tests.support.processes import python

pytestmark = pytest.mark.clients

TEMPLATES = Path(trl.__file__).parent / "chat_templates"
SETS = ["sera", "swe-zero-1k-32k", "swe-zero-1k-8k", "swe-zero-12m"]
CHATML = """\
{%- for message in messages %}
{{- '<|im_start|>' + message.role + '\\n' }}
{%- if message.role == 'assistant' %}
{%- generation %}{{ message.content + '<|im_end|>' }}{% endgeneration %}
{%- else %}{{- message.content + '<|im_end|>' }}{%- endif %}
{{- '\\n' }}
{%- endfor %}"""
"""A plain frame around each message, for rows whose text is complete."""


def stream(config: str, view: str, **arguments: Any) -> Any:
    return sera_swezero.load_dataset(config, view=view, split="train", streaming=True, upstream="sample", **arguments)


def qwen3_turn(step: Step) -> str:
    """What Qwen3 is to say in a step, by the rules of its training template."""
    text = f"<think>\n{step.reasoning.strip(chr(10))}\n</think>\n\n" + step.visible.lstrip("\n")
    calls = [
        f'<tool_call>\n{{"name": "{call.name}", "arguments": {json_of(call.arguments)}}}\n</tool_call>'
        for call in step.calls
    ]
    return text + ("\n" if step.visible and calls else "") + "\n".join(calls)


def json_of(arguments: str) -> str:
    """Arguments as a template spells them."""
    return json.dumps(json.loads(arguments), ensure_ascii=False)


def hermes_turn(step: Step) -> str:
    """What a hermes row has for the step: no empty think block, arguments as the model spelled them."""
    think = f"<think>\n{step.reasoning}\n</think>" if step.reasoning else ""
    calls = []
    for call in step.calls:
        arguments = call.arguments.replace("</tool_call>", r"<\/tool_call>").replace("</think>", r"<\/think>")
        calls.append(f'<tool_call>\n{{"name": "{call.name}", "arguments": {arguments}}}\n</tool_call>')
    words = "\n\n".join(part for part in (think, step.visible) if part)
    gap = "" if not words or not calls else "\n" if step.visible else "\n\n"
    return words + gap + "\n".join(calls)


def trained_texts(trainer: SFTTrainer, tokenizer: Any) -> list[str]:
    """Train, and give for every row that was trained on the text of the tokens that had a loss."""
    seen: list[str] = []
    compute = trainer.compute_loss

    def watch(model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        for ids, labels in zip(inputs["input_ids"], inputs["labels"], strict=True):
            assert bool((labels == ids).logical_or(labels == -100).all())
            seen.append(tokenizer.decode(ids[labels != -100], skip_special_tokens=False))
        return compute(model, inputs, *args, **kwargs)

    trainer.compute_loss = watch
    trainer.train()
    return seen


def trainer_of(rows: Any, model: Any, tokenizer: Any, folder: Path, **more: Any) -> SFTTrainer:
    settings = SFTConfig(
        output_dir=str(folder),
        per_device_train_batch_size=1,
        **{"max_steps": 2, "assistant_only_loss": True, **more},
        max_length=None,
        use_cpu=True,
        bf16=False,
        report_to=[],
        save_strategy="no",
        dataloader_pin_memory=False,
        disable_tqdm=True,
        seed=1,
    )
    return SFTTrainer(model=model, args=settings, train_dataset=rows, processing_class=tokenizer)


@pytest.mark.parametrize("submit", ["call", "answer"])
@pytest.mark.parametrize("config", SETS)
def test_openai_rows_train_every_turn_of_the_model_and_nothing_else(
    config: str, submit: str, model: Any, tokenizer: Any, tmp_path: Path
) -> None:
    tokenizer.chat_template = (TEMPLATES / "qwen3.jinja").read_text()  # TRL takes its training form by itself
    rows = stream(config, "openai", submit=submit).take(2)
    trained = trained_texts(trainer_of(rows, model, tokenizer, tmp_path), tokenizer)
    steps = [VIEWS["openai"].to_trajectory(row, SOURCES["sera"]).steps for row in rows]
    assert sorted(trained) == sorted("".join(f"{qwen3_turn(step)}<|im_end|>\n" for step in of) for of in steps)
    assert all(step.reasoning for of in steps for step in of[:1])  # there was something to lose


@pytest.mark.parametrize("config", SETS)
def test_hermes_rows_train_every_turn_of_the_model_and_nothing_else(
    config: str, model: Any, tokenizer: Any, tmp_path: Path
) -> None:
    tokenizer.chat_template = CHATML
    rows = stream(config, "hermes").take(2)
    trained = trained_texts(trainer_of(rows, model, tokenizer, tmp_path), tokenizer)
    steps = [VIEWS["hermes"].to_trajectory(row, SOURCES["sera"]).steps for row in rows]
    assert sorted(trained) == sorted("".join(f"{hermes_turn(step)}<|im_end|>" for step in of) for of in steps)


@pytest.mark.parametrize("name", ["qwen3", "glm4moe"])
@pytest.mark.parametrize("config", SETS)
def test_steps_train_every_turn_once_under_a_template_that_strips_reasoning(
    config: str, name: str, model: Any, tokenizer: Any, tmp_path: Path
) -> None:
    tokenizer.chat_template = (TEMPLATES / f"{name}.jinja").read_text()
    whole = next(row for row in stream(config, "openai") if len(row["messages"]) < 25)
    rows = stream(config, "steps").filter(lambda row: row["instance_id"] == whole["instance_id"])
    count = next(iter(rows))["steps"]
    settings = {"max_steps": count, "assistant_only_loss": False}
    trained = trained_texts(trainer_of(rows.take(count), model, tokenizer, tmp_path, **settings), tokenizer)
    assert len(trained) == count > 2
    turns = [message for message in whole["messages"] if message["role"] == "assistant"]
    for turn in turns:
        (text,) = (text for text in trained if all(word in text for word in _words(turn)))
        assert text.count("<tool_call>") == len(turn.get("tool_calls", ()))
        trained.remove(text)
    assert not trained
    observed = [message["content"] for message in whole["messages"] if message["role"] == "tool"]
    assert not any(text and text in turn for turn in trained for text in observed)
    if name == "qwen3":
        steps = VIEWS["openai"].to_trajectory(whole, SOURCES["sera"]).steps
        again = trained_texts(trainer_of(rows.take(count), model, tokenizer, tmp_path, **settings), tokenizer)
        assert sorted(again) == sorted(f"{qwen3_turn(step)}<|im_end|>\n" for step in steps)


def _words(turn: dict[str, Any]) -> list[str]:
    """What a turn says: its reasoning, its words and the names of its tools."""
    calls = [call["function"]["name"] for call in turn.get("tool_calls", ())]
    return [text.strip() for text in (turn.get("reasoning_content", ""), turn["content"], *calls) if text.strip()]


@pytest.mark.parametrize("name", ["qwen3", "glm4moe", "qwen3_training"])
def test_steps_are_in_parity_under_the_template_that_serves_them(name: str) -> None:
    template = ChatTemplate(name, (TEMPLATES / f"{name}.jinja").read_text())
    check = ParityCheck(template, template)
    found = look(stream("glm-4.6-lite-best", "steps"), "steps", template, parity=check)
    assert check.counts.rows == check.counts.turns == found.rows > 20
    assert check.counts.turns_in_parity == check.counts.turns
    assert found.whole


def template_of(name: str, folder: Path) -> Path:
    """The file of a template: one of TRL's, or the plain frame."""
    if name != "chatml":
        return TEMPLATES / f"{name}.jinja"
    path = folder / "chatml.jinja"
    path.write_text(CHATML)
    return path


def rendered_tokens(row: dict[str, Any], view: str, tokenizer: Any) -> int:
    """The tokens of a row as TRL trains on it."""
    messages, tools = VIEWS[view].chat(row)
    text = tokenizer.apply_chat_template(messages, tools=tools, tokenize=False)
    return len(tokenizer(text, add_special_tokens=False)["input_ids"])


DROP_REASONING_UNLESS_BEHIND_A_RESULT = {"deepseek_r1_distill", "deepseekv3", "deepseekv3_training"}
"""Templates that write a turn of text differently behind a result, so that they have longer rows than parts."""


QUICK = ["chatml", "qwen3", "qwen3_training", "glm4moe", "glm4moe_training"]
OTHERS = sorted({path.stem for path in TEMPLATES.glob("*.jinja")} - set(QUICK))


@pytest.mark.parametrize(
    ("config", "name"),
    [
        *product(["glm-4.6-lite-best", "swe-zero-multilang-300"], QUICK),
        *(pytest.param("swe-zero-multilang-300", name, marks=pytest.mark.long) for name in OTHERS),
    ],
)
@pytest.mark.parametrize("view", ["openai", "hermes", "sharegpt", "steps"])
def test_every_row_is_within_the_limit_as_trl_counts(
    config: str, view: str, name: str, tokenizer: Any, tokenizer_folder: Path, tmp_path: Path
) -> None:
    if view == "sharegpt" and name in DROP_REASONING_UNLESS_BEHIND_A_RESULT:
        pytest.skip("docs/train-on-it.md says that these may write more")
    path = template_of(name, tmp_path)
    tokenizer.chat_template = path.read_text()
    overlong = "drop" if view == "steps" else "split"
    rows, refused = 0, 0
    limits = (3_000, 4_200) if name in QUICK else (3_600,)
    for limit in limits:
        asked = {"max_tokens": limit, "tokenizer": str(tokenizer_folder), "overlong": overlong, "chat_template": path}
        found = sera_swezero.iter_rows(config, view=view, upstream="sample", **asked)
        for row in found:
            try:
                assert rendered_tokens(row, view, tokenizer) <= limit
                rows += 1
            except jinja2.TemplateError:  # which stops TRL, too
                refused += 1
        refused += found.report.rejected["template"]
    least = 9 * len(limits) // 2
    assert rows >= least or (refused >= least and name in OTHERS)


@pytest.mark.parametrize(
    ("view", "name"), [("hermes", "chatml"), ("openai", "qwen3_training"), ("openai", "glm4moe_training")]
)
@pytest.mark.parametrize("config", ["glm-4.6-lite-best", "swe-zero-multilang-300"])
def test_the_count_is_exactly_that_of_trl(
    config: str, view: str, name: str, tokenizer: Any, tokenizer_folder: Path, tmp_path: Path
) -> None:
    path = template_of(name, tmp_path)
    tokenizer.chat_template = path.read_text()
    asked = {"view": view, "upstream": "sample", "incomplete": "keep"}
    sizes = [rendered_tokens(row, view, tokenizer) for row in sera_swezero.iter_rows(config, **asked)]
    for limit in sorted(sizes)[:: max(1, len(sizes) // 5)]:
        for most in (limit, limit - 1):
            asked |= {"max_tokens": most, "tokenizer": str(tokenizer_folder), "chat_template": path}
            assert len(list(sera_swezero.iter_rows(config, **asked))) == sum(size <= most for size in sizes)


@pytest.mark.parametrize("config", ["glm-4.6-lite-best", "swe-zero-multilang-300"])
def test_the_count_without_a_template_is_that_of_the_plain_frame(
    config: str, tokenizer_folder: Path, tmp_path: Path
) -> None:
    path = template_of("chatml", tmp_path)
    limit = {"max_tokens": 3_600, "tokenizer": str(tokenizer_folder), "overlong": "split"}
    asked = {"view": "hermes", "upstream": "sample", **limit}
    assert list(sera_swezero.iter_rows(config, **asked)) == list(
        sera_swezero.iter_rows(config, chat_template=path, **asked)
    )


def test_the_rectified_view_is_refused_and_does_not_train_on_the_prompt(
    model: Any, tokenizer: Any, tmp_path: Path
) -> None:
    tokenizer.chat_template = (TEMPLATES / "qwen3.jinja").read_text()
    with pytest.raises(ValueError, match="not conversational"):
        trainer_of(stream("sera", "rectified"), model, tokenizer, tmp_path)


def test_interleaved_sources_train_as_one(model: Any, tokenizer: Any, tmp_path: Path) -> None:
    import datasets

    tokenizer.chat_template = (TEMPLATES / "qwen3.jinja").read_text()
    mixed = datasets.interleave_datasets([stream("sera", "openai"), stream("swe-zero-1k-32k", "openai")]).take(2)
    assert [row["config"].startswith("swe-zero") for row in mixed] == [False, True]
    trained = trained_texts(trainer_of(mixed, model, tokenizer, tmp_path), tokenizer)
    assert len(trained) == 2
    assert all("<tool_call>" in text and "<tool_response>" not in text for text in trained)


KEEPS_ALL_REASONING = {"qwen3_training"}
"""Of Qwen3's and GLM-4.5's templates. The others drop reasoning in front of a later user message, and GLM's look for it
in `reasoning_content` or behind the last user message alone."""


@pytest.mark.parametrize("name", ["qwen3", "qwen3_training", "glm4moe", "glm4moe_training"])
@pytest.mark.parametrize("view", ["openai", "hermes", "sharegpt"])
@pytest.mark.parametrize("config", SETS)
def test_templates_keep_every_call_and_observation(config: str, view: str, name: str) -> None:
    found = look(stream(config, view), view, load_template(name))
    assert found.rows > 100
    assert not found.failed
    assert found.nulls == 0
    for kind in KINDS[1:]:
        assert found.kept[kind] == found.total[kind], kind
    if name in KEEPS_ALL_REASONING:
        assert found.whole


@pytest.mark.parametrize("config", SETS)
def test_reasoning_is_kept_where_no_user_message_follows(config: str) -> None:
    # A turn without a call is answered by the harness, as a user: there alone templates drop what was before.
    rows = [row for row in stream(config, "openai") if sum(m["role"] == "user" for m in row["messages"]) == 1]
    for name in ("qwen3", "qwen3_training", "glm4moe", "glm4moe_training"):
        found = look(rows, "openai", load_template(name))
        assert found.whole, name
        assert found.total["reasoning"] > 500


@pytest.mark.parametrize("name", sorted(path.stem for path in TEMPLATES.glob("*.jinja")))
def test_rendering_is_that_of_transformers(name: str) -> None:
    from transformers.utils.chat_template_utils import render_jinja_template

    text = (TEMPLATES / f"{name}.jinja").read_text()
    template = load_template(name)
    for row in stream("glm-4.6-lite-t2", "openai").take(5):
        try:
            (expected,), indices = render_jinja_template(
                [row["messages"]], row["tools"], chat_template=text, return_assistant_tokens_mask=template.marks
            )
        except Exception as error:  # noqa: BLE001 (templates raise what they like)
            with pytest.raises(type(error)):
                template.render(row["messages"], row["tools"])
            continue
        rendered = template.render(row["messages"], row["tools"])
        assert rendered.text == expected
        assert rendered.trained == (indices[0] if template.marks else [])


def test_the_share_of_trained_tokens_is_that_of_transformers(tokenizer: Any, tokenizer_folder: Path) -> None:
    template = load_template("qwen3_training", str(tokenizer_folder))
    rows = list(stream("glm-4.6-lite-t2", "openai").take(5))
    found = look(rows, "openai", template, str(tokenizer_folder))
    tokenizer.chat_template = (TEMPLATES / "qwen3_training.jinja").read_text()
    masks = [
        tokenizer.apply_chat_template(
            row["messages"], tools=row["tools"], return_dict=True, return_assistant_tokens_mask=True
        )["assistant_masks"]
        for row in rows
    ]
    assert found.tokens == sum(map(len, masks))
    assert found.trained == sum(map(sum, masks))
    assert 0 < found.trained < found.tokens


def test_the_script_of_the_docs_runs(model: Any, tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.chat_template = (TEMPLATES / "qwen3.jinja").read_text()
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    options = ["--model", tmp_path / "model", "--cpu", "--max-length", "2048", "--output", tmp_path / "out"]
    python("examples/trl/train.py", *options, timeout=600, well=True)
    state = json.loads(next((tmp_path / "out").glob("checkpoint-2/trainer_state.json")).read_text())
    assert state["global_step"] == 2

"""`renderers`, which prime-rl trains with, writes the formats of Qwen and GLM in Python and marks what the model said.

Its tokens, its masks and its prompts are held against TRL's templates and against what `render --serve` says of them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest

import sera_swezero
from sera_swezero.templates.parity import ParityCheck
from sera_swezero.templates.survival import look
from sera_swezero.views.chat_template import ChatTemplate, load_template
from sera_swezero.views.tokenizer import encode, tokens_inside
from tests.renderers.conftest import Vocabulary

pytestmark = pytest.mark.renderers

STEP = 10
"""Every how many rows of a set one is compared: all of them take ten minutes."""
OF_THE_PROMPT = {"tools", "generation_prompt", "reasoning", "calls", "whitespace", "text"}
"""Causes that say that the prompt of a turn is not the beginning of the training text."""


class Family(NamedTuple):
    """A family of models."""

    vocabulary: str
    config: str
    """Its class in `renderers`."""
    line_break: Literal["first", "last"]
    """Where in a turn the one line break is that TRL's mask covers and that of `renderers` does not."""
    of_the_prompt: int
    """Tokens of every turn that both masks cover although the generation prompt has them."""


FAMILIES = {
    # The model stops at <|im_end|>: what TRL trains behind it is never asked for.
    "qwen3": Family("qwen3", "Qwen3RendererConfig", "last", 0),
    # Their generation prompt ends in <think> and a line break, and both masks cover these.
    "qwen3_5_think": Family("qwen3_5", "Qwen35RendererConfig", "last", 2),
    "qwen3_6": Family("qwen3_5", "Qwen36RendererConfig", "last", 2),
    "qwen3_8": Family("qwen3_5", "Qwen38RendererConfig", "last", 2),
    # The generation prompt ends in <|assistant|>: the line break is the model's, and `renderers` does not train it.
    "glm4moe": Family("glm", "GLM45RendererConfig", "first", 0),
}


class Recorder(ParityCheck):
    """Keeps the causes that were found for every turn of the last row."""

    def count(self, turns: dict[int, list[tuple[str, str, str]]]) -> None:
        self.causes = {turn: {cause for cause, _, _ in found} for turn, found in turns.items()}
        super().count(turns)


@cache
def renderer(name: str, folder: Path) -> Any:
    import renderers
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    return renderers.create_renderer(tokenizer, getattr(renderers, FAMILIES[name].config)())


@cache
def rows(config: str) -> list[dict[str, Any]]:
    found = sera_swezero.load_dataset(config, view="openai", split="train", streaming=True, upstream="sample")
    return list(found)[::STEP]


def tokens(template: ChatTemplate, folder: Path, row: dict[str, Any]) -> tuple[list[int], list[bool]]:
    """The tokens of a row, and which of them the template marks."""
    rendered = template.render(row["messages"], row["tools"])
    ids, places = encode(str(folder), rendered.text)
    return ids, [tokens_inside([place], rendered.trained) == 1 for place in places]


@pytest.mark.parametrize("config", ["sera", "swe-zero-1k-32k"])
@pytest.mark.parametrize("name", FAMILIES)
def test_both_give_a_row_the_same_tokens(name: str, config: str, vocabulary: Vocabulary) -> None:
    folder = vocabulary(FAMILIES[name].vocabulary)
    theirs, ours = renderer(name, folder), load_template(name)
    for row in rows(config):
        assert theirs.render_ids(row["messages"], tools=row["tools"]) == tokens(ours, folder, row)[0]


@pytest.mark.parametrize("config", ["sera", "swe-zero-1k-32k"])
@pytest.mark.parametrize("name", FAMILIES)
def test_prompts_and_masks_agree_in_every_turn_but_for_one_line_break(
    name: str, config: str, vocabulary: Vocabulary
) -> None:
    family, folder = FAMILIES[name], vocabulary(FAMILIES[name].vocabulary)
    theirs, training = renderer(name, folder), load_template(f"{name}_training")
    check = Recorder(training, load_template(name), str(folder))
    begun = compared = 0
    for row in rows(config):
        messages, tools = row["messages"], row["tools"]
        look([row], "openai", training, str(folder), parity=check)
        ids, mask = tokens(training, folder, row)
        outside = {at for at, trained in enumerate(mask) if trained}
        for turn, causes in check.causes.items():
            prompt = theirs.render_ids(messages[:turn], tools=tools, add_generation_prompt=True)
            assert (ids[: len(prompt)] == prompt) == (not causes & {*OF_THE_PROMPT, "tokens"})
            said = theirs.render(messages[: turn + 1], tools=tools)
            same = ids[: len(said.token_ids)] == said.token_ids
            assert same == (not causes & {*OF_THE_PROMPT, "target"})
            begun += not causes & OF_THE_PROMPT
            if same:
                compared += 1
                assert_masks_agree(family, mask, said.sampled_mask, own := places(said, turn), len(prompt))
                outside -= set(own)
                assert ("trained_not_generated" in causes) == (family.of_the_prompt > 0)
                assert {theirs._tokenizer.decode(ids[at]) for at in own if mask[at] > said.sampled_mask[at]} == {"\n"}
        if not any(causes & {*OF_THE_PROMPT, "target"} for causes in check.causes.values()):
            assert {ids[at] for at in outside} <= {*theirs.get_stop_token_ids()}  # GLM stops at the next message
    assert compared > 10
    assert check.counts.amounts["trained_not_generated"] == begun * family.of_the_prompt
    assert check.counts.amounts["generated_not_trained"] == 0


def places(said: Any, turn: int) -> list[int]:
    return [at for at, message in enumerate(said.message_indices) if message == turn]


def assert_masks_agree(family: Family, ours: list[bool], theirs: list[bool], own: list[int], start: int) -> None:
    """Within one turn, whose tokens are at `own` and whose prompt ends at `start`."""
    differs = [at for at in own if ours[at] != theirs[at]]
    assert differs == [start if family.line_break == "first" else own[-1]]
    assert ours[differs[0]]
    assert sum(theirs[at] for at in own if at < start) == family.of_the_prompt

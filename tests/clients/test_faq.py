"""What TRL says to those who load the wrong view or forget its limit, as docs/faq.md quotes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trl
from trl import SFTConfig, SFTTrainer

import sera_swezero

pytestmark = pytest.mark.clients

QWEN3 = (Path(trl.__file__).parent / "chat_templates" / "qwen3_training.jinja").read_text(encoding="utf-8")


def train(rows: Any, model: Any, tokenizer: Any, folder: Path, **settings: Any) -> Any:
    tokenizer.chat_template = QWEN3
    config = SFTConfig(
        output_dir=str(folder), max_steps=2, use_cpu=True, bf16=False, report_to="none", save_strategy="no", **settings
    )
    return SFTTrainer(model=model, args=config, processing_class=tokenizer, train_dataset=rows).train()


def rows(config: str) -> Any:
    return sera_swezero.load_dataset(config, split="train", streaming=True, upstream="sample")


def test_the_default_view_has_no_text(model: Any, tokenizer: Any, tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="'text'"):
        train(rows("sera"), model, tokenizer, tmp_path, max_length=2048)


def test_the_default_view_has_no_assistant(model: Any, tokenizer: Any, tmp_path: Path) -> None:
    decoded = rows("sera").map(lambda row: {"messages": json.loads(row["messages"])}).select_columns(["messages"])
    with pytest.raises(RuntimeError, match="at least one example has no assistant tokens"):
        train(decoded, model, tokenizer, tmp_path, max_length=2048, assistant_only_loss=True)


def test_the_default_limit_trains_on_nothing(
    model: Any, tokenizer: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    small = rows("glm-4.6-lite-t2-openai").select_columns(["messages", "tools"])
    with caplog.at_level("WARNING"):
        done = train(small, model, tokenizer, tmp_path, assistant_only_loss=True)
    assert (done.global_step, done.training_loss) == (0, 0)

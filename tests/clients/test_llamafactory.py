"""LLaMA-Factory's own dataset code trains on every turn of the model in a `sharegpt` row and on nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import sera_swezero
from sera_swezero.core.trajectory import Step
from sera_swezero.sources import SOURCES
from sera_swezero.views import sharegpt
from tests.support.processes import HERE

pytestmark = pytest.mark.clients

EXAMPLE = HERE / "examples" / "llamafactory" / "dataset_info.json"
SETS = {"glm-4.6-lite-t2": "sera", "swe-zero-1k-32k": "swe_zero"}


def said(step: Step) -> str:
    """What Qwen3 is to say in a step, as LLaMA-Factory has it: an empty think block where there was no thought."""
    think = f"<think>\n{step.reasoning}\n</think>" if step.reasoning else ""
    words = "\n\n".join(part for part in (think, step.visible) if part)
    calls = []
    for call in step.calls:
        arguments = json.dumps(json.loads(call.arguments), ensure_ascii=False)
        calls.append(f'<tool_call>\n{{"name": "{call.name}", "arguments": {arguments}}}\n</tool_call>')
    if calls:
        words += ("" if not words else "\n" if step.visible else "\n\n") + "\n".join(calls)
    return words if step.reasoning else f"<think>\n\n</think>\n\n{words}"


@pytest.mark.parametrize("config", SETS)
def test_every_turn_is_trained_and_nothing_else(config: str, tokenizer: Any, tmp_path: Path) -> None:
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args

    rows = sera_swezero.load_dataset(config, view="sharegpt", split="train", upstream="sample").select(range(20))
    rows.to_parquet(tmp_path / "rows.parquet")
    (described,) = (one for name, one in json.loads(EXAMPLE.read_text()).items() if name == config)
    info = {"rows": {**{k: v for k, v in described.items() if k != "hf_hub_url"}, "file_name": "rows.parquet"}}
    (tmp_path / "dataset_info.json").write_text(json.dumps(info))
    asked = {
        "stage": "sft",
        "do_train": True,
        "dataset": "rows",
        "dataset_dir": str(tmp_path),
        "template": "qwen3",
        "model_name_or_path": "none",
        "output_dir": str(tmp_path / "out"),
        "cutoff_len": 1_000_000,
        "overwrite_cache": True,
        "report_to": "none",
        "use_cpu": True,
        "bf16": False,
    }
    model_args, data_args, training_args, _, _ = get_train_args(asked)
    template = get_template_and_fix_tokenizer(tokenizer, data_args)
    made = get_dataset(template, model_args, data_args, training_args, stage="sft", tokenizer=tokenizer)[
        "train_dataset"
    ]
    assert len(made) == len(rows)  # it drops rows that do not alternate
    for row, one in zip(rows, made, strict=True):
        trained = [token for token, label in zip(one["input_ids"], one["labels"], strict=True) if label != -100]
        steps = sharegpt.to_trajectory(row, SOURCES["sera"]).steps
        assert tokenizer.decode(trained) == "".join(f"{said(step)}<|im_end|>\n" for step in steps)
        whole = tokenizer.decode(one["input_ids"])
        assert all(call.observation in whole for step in steps for call in step.calls if call.observation)
        assert all(tool["name"] in whole for tool in json.loads(row["tools"]))

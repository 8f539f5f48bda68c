"""Axolotl's own dataset code, with the datasets of examples/axolotl/: what it trains on is every turn of the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import sera_swezero
from sera_swezero.sources import SOURCES
from sera_swezero.views import VIEWS, tagged_text
from tests.support.processes import HERE

pytestmark = pytest.mark.clients

EXAMPLES = HERE / "examples" / "axolotl"
CONFIG = "glm-4.6-lite-t2"


@pytest.mark.parametrize("view", ["openai", "hermes"])
def test_every_turn_is_trained_and_no_result(view: str, tokenizer: Any, tmp_path: Path) -> None:
    from axolotl.utils.data.sft import prepare_datasets
    from axolotl.utils.dict import DictDefault

    rows = sera_swezero.load_dataset(CONFIG, view=view, split="train", upstream="sample").select(range(6))
    rows.to_parquet(tmp_path / "rows.parquet")
    example = yaml.safe_load((EXAMPLES / f"{view}.yaml").read_text())
    (described,) = example["datasets"]
    settings = {
        **example,
        "datasets": [{**described, "path": str(tmp_path / "rows.parquet"), "ds_type": "parquet", "data_files": None}],
        "dataset_prepared_path": str(tmp_path / "prepared"),
        "sequence_len": 1_000_000,
        "dataset_num_proc": 1,
        "dataset_processes": 1,
        "tokenizer_config": "none",
        "shuffle_merged_datasets": False,
        "world_size": 1,
        "batch_size": 1,
    }
    made = prepare_datasets(DictDefault(settings), tokenizer)[0]
    assert len(made) == len(rows)
    for row, one in zip(rows, made, strict=True):
        labels = zip(one["input_ids"], one["labels"], strict=True)
        trained = tokenizer.decode([token for token, label in labels if label != -100])
        steps = VIEWS[view].to_trajectory(row, SOURCES["sera"]).steps
        for step in steps:
            assert step.reasoning in trained
            assert step.visible in trained
        assert trained.count("<tool_call>") == sum(len(step.calls) for step in steps)
        for step in steps:
            if step.calls and view == "hermes":
                assert tagged_text.write_turn(step) in trained
            for call in step.calls if view != "hermes" else ():
                arguments = json.dumps(json.loads(call.arguments), ensure_ascii=False)
                assert f'"{call.name}", "arguments": {arguments}}}' in trained
        assert "<tool_response>" not in trained
        assert "null" not in trained

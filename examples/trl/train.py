"""Train on trajectories with TRL, streamed: on every turn of the model, reasoning and calls, and on nothing else.

pip install sera-swezero trl
python train.py --cpu                                # the embedded sample and a small model, to see it work
python train.py --upstream hub --model Qwen/Qwen3-8B --max-steps 2000
"""

from __future__ import annotations

import argparse

import datasets
from trl import SFTConfig, SFTTrainer

import sera_swezero


def rows(upstream: str) -> datasets.IterableDataset:
    """Mix SERA and SWE-ZERO, three rows to one. Both are in the view `openai`, so their columns are the same."""
    where = {} if upstream == "hub" else {"upstream": upstream}
    sera = sera_swezero.load_dataset("sera-openai", split="train", streaming=True, **where)
    zero = sera_swezero.load_dataset("swe-zero-12m-openai", split="train", streaming=True, **where)
    zero = zero.filter(lambda row: row["outcome"] == "submitted")
    mixed = datasets.interleave_datasets([sera, zero], probabilities=[0.75, 0.25], seed=1)
    # TRL renders `messages` with `tools`; the other columns are for choosing rows.
    return mixed.select_columns(["messages", "tools"])


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="Qwen/Qwen3-0.6B", help="hub id or folder")
    parser.add_argument("--upstream", default="sample", help="hub, sample, or a local mirror of the upstream files")
    parser.add_argument("--output", default="out")
    parser.add_argument("--max-steps", type=int, default=2)
    parser.add_argument("--max-length", type=int, default=32_768, help="tokens; a longer row is cut at its end")
    parser.add_argument("--cpu", action="store_true")
    given = parser.parse_args()
    settings = SFTConfig(
        output_dir=given.output,
        max_steps=given.max_steps,  # a stream has no length
        max_length=given.max_length,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=1 if given.cpu else 16,
        learning_rate=1e-5,
        # The model's own turns alone. TRL puts its training form of the model's chat template in for this.
        assistant_only_loss=True,
        use_cpu=given.cpu,
        bf16=not given.cpu,
        report_to="none",
    )
    SFTTrainer(model=given.model, args=settings, train_dataset=rows(given.upstream)).train()


if __name__ == "__main__":
    main()

"""Train from a stream: two ranks with two workers each, checkpoints, a kill, and an exact resume.

    python examples/train_stream.py --out runs/demo

starts two ranks as `torchrun --nproc-per-node 2` would, kills them in the middle of the second epoch, starts them again
and checks what they trained on. With RANK and WORLD_SIZE in the environment it is one rank: the part to copy.

Needs torch and torchdata (`pip install "sera-swezero[train]"`). It reads the corpus that ships with the package, so it
runs anywhere; leave `upstream` out for the hub, and pin `revision` there (see docs/training.md).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

STREAM = {"upstream": "sample", "shard_bytes": 50_000, "shuffle_seed": 17, "lineage": True}
EPOCHS, BATCH, WORKERS, SAVE_EVERY = 2, 4, 2, 5


def loader(epoch: int, rank: int, world: int) -> Any:
    """The rows of one rank in one epoch. Nothing here depends on where training stopped."""
    from datasets.distributed import split_dataset_by_node
    from torchdata.stateful_dataloader import StatefulDataLoader

    import sera_swezero

    rows = sera_swezero.load_dataset("sera-hermes", split="train", streaming=True, epoch=epoch, **STREAM)
    mine = split_dataset_by_node(rows, rank, world)
    return StatefulDataLoader(mine, batch_size=BATCH, num_workers=WORKERS, collate_fn=list)


def train(rank: int, world: int, out: Path) -> None:
    """Train all epochs from the last checkpoint on."""
    import torch

    checkpoint, log = out / f"rank-{rank}.pt", out / f"rank-{rank}.jsonl"
    saved = torch.load(checkpoint, weights_only=False) if checkpoint.exists() else None
    first = saved["epoch"] if saved else 0
    with log.open("a+") as trained:
        trained.truncate(saved["logged"] if saved else 0)  # as the model's weights, the log goes back to the checkpoint
        for epoch in range(first, EPOCHS):
            batches = loader(epoch, rank, world)
            if saved and epoch == first:
                batches.load_state_dict(saved["loader"])
            for step, batch in enumerate(batches, saved["step"] if saved and epoch == first else 0):
                for row in batch:  # a model would learn from row["messages"] here
                    trained.write(json.dumps([epoch, row["source_repo"], row["source_offset"]]) + "\n")
                time.sleep(0.1)
                if (step + 1) % SAVE_EVERY == 0:
                    trained.flush()
                    state = {"epoch": epoch, "step": step + 1, "logged": trained.tell(), "loader": batches.state_dict()}
                    torch.save(state, checkpoint.with_suffix(".new"))
                    checkpoint.with_suffix(".new").replace(checkpoint)  # whole or not at all
    (out / f"rank-{rank}.done").touch()


def start(world: int, out: Path) -> list[subprocess.Popen[bytes]]:
    """Start the ranks, as torchrun does."""
    command = [sys.executable, __file__, "--out", str(out)]
    return [
        subprocess.Popen(
            command, env={**os.environ, "RANK": str(rank), "WORLD_SIZE": str(world)}, start_new_session=True
        )
        for rank in range(world)
    ]


def epoch_begun(out: Path, world: int) -> int:
    """The epoch that every rank has saved a checkpoint in; -1 before that."""
    logs = [out / f"rank-{rank}.jsonl" for rank in range(world)]
    lines = [log.read_text().splitlines() if log.exists() else [] for log in logs]
    return min(int(json.loads(of_rank[-1])[0]) if of_rank else -1 for of_rank in lines)


def trained(out: Path, world: int) -> list[list[Any]]:
    """Every row that was trained on: epoch, repo, offset."""
    lines = [line for rank in range(world) for line in (out / f"rank-{rank}.jsonl").read_text().splitlines()]
    return [json.loads(line) for line in lines]


def demonstrate(out: Path, world: int = 2) -> None:
    """Start, kill in the second epoch, resume, check."""
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("rank-*"):
        old.unlink()
    ranks = start(world, out)
    while epoch_begun(out, world) < 1:
        if any(rank.poll() not in {None, 0} for rank in ranks):
            sys.exit("a rank failed before it was killed")
        time.sleep(0.1)
    for rank in ranks:
        os.killpg(rank.pid, signal.SIGKILL)
        rank.wait()
    finished = sorted(path.name for path in out.glob("*.done"))
    print(f"killed both ranks in epoch 1, {len(finished)} of {world} had finished")
    if any(rank.wait() for rank in start(world, out)):
        sys.exit("a rank failed after the resume")
    counts = Counter(json.dumps(row) for row in trained(out, world))
    epochs = Counter(row[0] for row in trained(out, world))
    print(f"trained on {epochs.total()} rows, {dict(sorted(epochs.items()))} by epoch")
    repeated = [row for row, count in counts.items() if count > 1]
    if repeated or len(set(epochs.values())) != 1 or len(epochs) != EPOCHS:
        sys.exit(f"not every row once in every epoch: {len(repeated)} repeated, {dict(epochs)}")
    print("every row exactly once in every epoch")


def main() -> None:
    """Be one rank, or show both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of checkpoints and logs")
    out = parser.parse_args().out
    if "RANK" in os.environ:
        train(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), out)
    else:
        demonstrate(out)


if __name__ == "__main__":
    main()

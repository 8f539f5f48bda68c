"""Publish the sample to a hub on this machine, command by command: `make demo-publish`. Leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(HERE))

from tests.hub import LoopbackHub  # noqa: E402 (a script is found by its own folder only)

REPO = "you/trajectories"
READ = f"""\
from datasets import load_dataset
rows = load_dataset("{REPO}", "sera", split="train", streaming=True)
names = [row["instance_id"] for row in rows]
print(len(names), "rows, the first is", names[0])"""


def main() -> None:
    """Run the commands of docs/publishing.md and show them."""
    with tempfile.TemporaryDirectory() as folder, LoopbackHub(Path(folder) / "hub") as hub:
        env = hub.env(PYTHONPATH=str(HERE))
        print(f"A hub is up at {hub.endpoint}; HF_ENDPOINT and HF_TOKEN lead to it.")

        def run(*words: str) -> None:
            print(f"\n$ sera-swezero {' '.join(words)}", flush=True)
            subprocess.run([sys.executable, "-m", "sera_swezero", *words], env=env, cwd=folder, check=True)

        run("build", "sera", "swe-zero-1k-8k", "--upstream", "sample", "--out", "out")
        run("push", "out", REPO, "--dry-run")
        run("push", "out", REPO, "--tag", "v1")
        print(f"\n$ python -c '{READ}'", flush=True)
        subprocess.run([sys.executable, "-c", READ], env=env, cwd=folder, check=True)
        run("push", "out", REPO)
        run("verify", REPO)
        titles = [commit.title for commit in hub.commits(REPO)]
        print(f"\nThe hub's main branch, newest first: {titles}")


if __name__ == "__main__":
    main()

"""A folder of one's own runs becomes a published set in two commands, with a card of its own, and without secrets."""

from __future__ import annotations

import io
import json
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from huggingface_hub import DatasetCard

from sera_swezero.build import manifest
from sera_swezero.build.card_facts import CardFacts
from sera_swezero.build.runner import build
from tests.hub import LoopbackHub
from tests.support import forked
from tests.support.own_runs import names, runs
from tests.support.planted_secrets import made_up
from tests.support.processes import HERE, python
from tests.support.publishing import sera_row
from tests.support.raw import line

REPO = "lab/runs"
SECRETS = made_up(7)
LIBRARY_GONE = "import sys; sys.modules['detect_secrets'] = None; from sera_swezero.cli import main; main()"


def run(hub: LoopbackHub, cwd: Path, *words: str, code: int = 0, program: str = "") -> str:
    """Run a command of the program, or of the given one; what it said."""
    env = hub.env(PYTHONPATH=str(HERE), COLUMNS="200")
    run_it = partial(python, "-c", program) if program else forked.program
    done = run_it(*words, env=env, cwd=cwd)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr + done.stdout


def built(folder: Path, **options: Any) -> None:
    """Build the runs below the folder, as the command does, without the time of its imports."""
    build(["swe-agent"], folder / "out", upstream=folder / "runs", workers=1, **options)


def leak(folder: Path, *texts: str) -> None:
    """Write a run per text that has the text in an observation, and a record that is none with the first of them."""
    lines = []
    for seed, text in enumerate(texts, 50):
        row = sera_row(seed)
        history = json.loads(row["messages"])
        history[3]["content"][0]["text"] += f"\n{text}\n"
        lines.append(line({**row, "messages": json.dumps(history)}))
    (folder / "leak.jsonl").write_bytes(b"".join([*lines, line({"broken": texts[0]})]))


def rows(hub: LoopbackHub) -> list[dict[str, Any]]:
    """The published rows, which `push` and `verify` have loaded with `datasets`, too."""
    files = sorted((path, data) for path, data in hub.files(REPO).items() if path.startswith("swe-agent/"))
    return [row for _, data in files for row in pq.read_table(io.BytesIO(data)).to_pylist()]


def test_two_commands_publish_a_folder_with_a_card_that_describes_it(hub: LoopbackHub, tmp_path: Path) -> None:
    runs(tmp_path / "runs")
    (tmp_path / "card.toml").write_text(
        'pretty_name = "Nightly runs"\nlicense = "mit"\ndescription = "Runs of the *nightly* job.\\n\\nAll of them."\n'
    )
    facts = ("--card", "card.toml", "--license", "cc-by-4.0", "--model", "Qwen3-Coder 30B")
    said = run(hub, tmp_path, "build", "swe-agent", "--upstream", "runs", "--out", "out", *facts)
    assert "runs: reads 2 .jsonl; leaves alone 2 .log, 1 without a suffix, 1 .yaml" in said
    pushed = run(hub, tmp_path, "push", "out", REPO)
    assert f"{REPO}: published at {hub.head(REPO)[:12]}" in pushed
    assert "no problems found" in run(hub, tmp_path, "verify", REPO)
    assert [row["instance_id"] for row in rows(hub)] == names(0, 1, 2, 3)
    text = hub.files(REPO)["README.md"].decode()
    data = DatasetCard(text).data.to_dict()
    assert (data["pretty_name"], data["license"], data["source_datasets"]) == (
        "Nightly runs",
        ["cc-by-4.0"],
        ["original"],
    )
    assert (
        "# Nightly runs\n\nRuns of the *nightly* job.\n\nAll of them.\n\nRollouts of coding agents, converted" in text
    )
    assert "| `swe-agent` | the publisher's own runs | none: read from a folder | cc-by-4.0 | 4 | 4 | 0 | 0 |" in text
    assert "`swe-agent` holds rollouts of Qwen3-Coder 30B with SWE-agent." in text
    assert "Citation" not in text
    assert not [word for word in ("SWE-ZERO", "allenai", "AlienKevin", "SERA set") if word in text]


def test_runs_of_a_dataset_on_the_hub_are_cited_with_their_commit(hub: LoopbackHub, tmp_path: Path) -> None:
    commit = hub.add_dataset("lab/raw", runs(tmp_path / "runs"))
    given = ("--upstream", f"hf://datasets/lab/raw@{commit}", "--license", "mit")
    run(hub, tmp_path, "build", "swe-agent", "--out", "out", *given)
    run(hub, tmp_path, "push", "out", REPO)
    text = hub.files(REPO)["README.md"].decode()
    assert DatasetCard(text).data.to_dict()["source_datasets"] == ["lab/raw"]
    link = "[lab/raw](https://huggingface.co/datasets/lab/raw)"
    assert f"| `swe-agent` | {link} | `{commit[:12]}` | mit | 4 | 4 | 0 | 0 |" in text
    assert "@misc{lab-raw," in text


def test_next_to_a_set_of_the_catalog_each_keeps_its_own_licence(hub: LoopbackHub, tmp_path: Path) -> None:
    runs(tmp_path / "runs")
    build(["glm-4.6-lite-t2"], tmp_path / "out", upstream="sample", workers=1)
    built(tmp_path, card=CardFacts(license="mit", description="Ours, too."))
    run(hub, tmp_path, "push", "out", REPO)
    text = hub.files(REPO)["README.md"].decode()
    assert DatasetCard(text).data.to_dict()["license"] == ["mit", "odc-by"]
    assert "# Coding-agent trajectories, rectified\n" in text
    assert "Ours, too.\n\nRollouts of coding agents from SERA and SWE-ZERO" in text
    assert "no problems found" in run(hub, tmp_path, "verify", REPO)


def test_without_a_licence_nothing_is_published_and_a_rebuild_only_writes_the_card(
    hub: LoopbackHub, tmp_path: Path
) -> None:
    runs(tmp_path / "runs")
    built(tmp_path)
    said = run(hub, tmp_path, "push", "out", REPO, code=2)
    assert "PublishError: out: no licence was given for swe-agent; build again with --license ID, such as mit" in said
    assert not hub.log
    (shard, _) = sorted((tmp_path / "out" / "swe-agent").iterdir())
    before = shard.stat().st_ino
    built(tmp_path, card=CardFacts(license="mit"))
    assert shard.stat().st_ino == before
    run(hub, tmp_path, "push", "out", REPO)
    assert len(rows(hub)) == 4


def test_facts_that_contradict_or_are_not_understood_are_refused(hub: LoopbackHub, tmp_path: Path) -> None:
    runs(tmp_path / "runs")
    command = ("build", "swe-agent", "--upstream", "runs", "--out", "out")
    (tmp_path / "card.toml").write_text('licence = "mit"\n')
    for words, message in {
        ("--license", "MIT License"): "license = 'MIT License'; the hub's id of a licence was expected, such as 'mit'",
        ("--model", "two\nlines"): "one line was expected",
        ("--card", "card.toml"): "card.toml: licence = 'mit'; one of license, pretty_name, model, description",
        ("--card", "none.toml"): "none.toml: cannot be read as TOML",
    }.items():
        assert message in run(hub, tmp_path, *command, *words, code=2)
    sera = ("build", "glm-4.6-lite-t2", "--upstream", "sample", "--out", "out")
    assert "its licence and its model are upstream's" in run(hub, tmp_path, *sera, "--model", "Mine", code=2)
    assert "its rows are public already; redacting is for runs of your own" in run(
        hub, tmp_path, *sera, "--redact", code=2
    )


def test_secrets_are_named_without_showing_them_and_nothing_is_published(hub: LoopbackHub, tmp_path: Path) -> None:
    leak(runs(tmp_path / "runs"), SECRETS["Hugging Face Token"], SECRETS["Private Key"])
    built(tmp_path, card=CardFacts(license="mit"))
    for options in ([], ["--dry-run"]):
        said = run(hub, tmp_path, "push", "out", REPO, *options, code=2)
        where = "swe-agent/train-00002-of-00003.parquet"
        assert f"out holds secrets: {where}, row 0, messages: Hugging Face Token; " in said
        assert f"{where}, row 1, messages: Private Key; rejected/{where}, row 0, raw: Hugging Face Token. " in said
        assert "Build again with --redact, or give --allow-secrets if they open nothing" in said
        assert not [secret for secret in SECRETS.values() if secret.rpartition("=")[2][:30] in said]
    assert not hub.log


def test_without_the_library_nothing_is_published_unless_secrets_are_allowed(hub: LoopbackHub, tmp_path: Path) -> None:
    leak(runs(tmp_path / "runs"), SECRETS["Hugging Face Token"])
    built(tmp_path, card=CardFacts(license="mit"))
    said = run(hub, tmp_path, "push", "out", REPO, code=2, program=LIBRARY_GONE)
    assert "pip install 'sera-swezero[secrets]'; or give --allow-secrets" in said
    assert not hub.log
    run(hub, tmp_path, "push", "out", REPO, "--allow-secrets", program=LIBRARY_GONE)
    assert SECRETS["Hugging Face Token"] in json.dumps(rows(hub)), "as it was told"


@pytest.mark.parametrize("view", ["rectified", "openai"])
def test_redacted_runs_are_published_with_the_places_counted(hub: LoopbackHub, tmp_path: Path, view: str) -> None:
    leak(runs(tmp_path / "runs"), *SECRETS.values())
    words = ("--upstream", "runs", "--out", "out", "--license", "mit", "--view", view)
    name = "swe-agent" if view == "rectified" else f"swe-agent-{view}"
    built(tmp_path, view=view, card=CardFacts(license="mit"))
    plain = {path.name: path.read_bytes() for path in (tmp_path / "out" / name).iterdir()}
    said = run(hub, tmp_path, "build", "swe-agent", *words, "--redact")
    config = manifest.read(tmp_path / "out").configs[name]
    first = next(iter(SECRETS))
    assert config.redacted == {kind: 2 if kind == first else 1 for kind in SECRETS}, "one is in a rejected record, too"
    assert f"{name}: replaced 2 of the kind {first}" in said
    after = {path.name: path.read_bytes() for path in (tmp_path / "out" / name).iterdir()}
    assert [file for file in plain if plain[file] != after[file]] == ["train-00002-of-00003.parquet"]
    table = pq.read_table(tmp_path / "out" / name / "train-00002-of-00003.parquet")
    assert table.num_rows == len(SECRETS)
    assert not [secret for secret in SECRETS.values() if secret.rpartition("=")[2][:30] in str(table.to_pylist())]
    assert "no problem" in run(hub, tmp_path, "check", "out")
    run(hub, tmp_path, "push", "out", REPO)
    assert f"2 of the kind {first}" in hub.files(REPO)["README.md"].decode()

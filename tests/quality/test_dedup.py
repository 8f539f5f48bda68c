"""Near-duplicates: the card's definition, the fast way that gives the same answer, the file of kept rows, its use."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sera_swezero
from sera_swezero.errors import ConfigError
from sera_swezero.quality import near_duplicates
from sera_swezero.quality.minhash import Signer, shingles
from sera_swezero.quality.near_duplicates import Spill
from sera_swezero.quality.row_source import open_rows
from sera_swezero.quality.write_kept_rows import write_kept
from tests.quality import minhash_definition as definition
from tests.support.planted import ZERO, Rollout, command, write_zero
from tests.support.processes import inside


def texts(count: int, seed: int = 0) -> list[str]:
    """Command texts, a third of them made from an earlier one by changing some commands: similarities of 0 to 1."""
    dice = random.Random(seed)
    made: list[str] = []
    for number in range(count):
        lines = [command(dice) for _ in range(dice.randrange(2, 12))]
        if number and dice.random() < 0.35:
            lines = made[dice.randrange(max(0, number - 80), number)].split("\n")
            for _ in range(dice.randrange(0, len(lines) + 1)):
                lines[dice.randrange(len(lines))] = command(dice)
        made.append("\n".join([*lines, "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"]))
    return made


def signed(some: list[str], remembered: int = 1 << 14) -> np.ndarray:
    signer = Signer(remembered)
    return np.array([np.frombuffer(signer.sign(text), np.uint32) for text in some])


def brute(signatures: np.ndarray) -> list[int]:
    """The rule on signatures, every pair compared."""
    alike = (signatures[:, None] == signatures[None]).sum(axis=2) >= 64
    stay: list[int] = []
    for at in range(len(signatures)):
        if not alike[at, stay].any():
            stay.append(at)
    return stay


def test_a_signature_by_hand() -> None:
    """md5("0:abcde") begins with these four bytes, little-endian; so does every slot of a text of one shingle."""
    first = hashlib.md5(b"0:abcde").digest()[:4]
    assert definition.signature("abcde")[0] == first[0] + (first[1] << 8) + (first[2] << 16) + (first[3] << 24)
    assert shingles("abcdef") == {"abcde", "bcdef"}
    assert shingles("abc") == {"abc"}
    assert shingles("") == {""}
    assert definition.similarity(definition.signature("abcdefgh"), definition.signature("abcdefgh")) == 1.0


@given(st.lists(st.text(max_size=40), min_size=1, max_size=6), st.sampled_from([8, 64, 4096]))
def test_fast_signatures_are_the_definitions(some: list[str], remembered: int) -> None:
    """Also where so few shingles are remembered that a text does not fit, and for text beyond ASCII."""
    assert signed(some, remembered).tolist() == [definition.signature(text) for text in some]


def test_the_fast_way_gives_the_answer_of_the_definition_on_400_rows() -> None:
    some = texts(400)
    kept = definition.kept(some)
    assert 240 < len(kept) < 360, "the corpus has no near-duplicates to find"
    assert np.flatnonzero(near_duplicates.kept(signed(some))).tolist() == kept


@pytest.mark.parametrize("equal", [63, 64, 65])
def test_the_threshold_is_met_exactly(equal: int) -> None:
    """64 equal slots make a near-duplicate and 63 do not, wherever they are, next to values that all rows share."""
    dice = np.random.default_rng(equal)
    rows = dice.integers(0, 2**32, (600, 128), np.uint32)
    rows[:, :50] = np.arange(50)  # in every row: never rare, and too few to make rows alike
    for copy, original in zip(range(300, 600), range(300), strict=True):
        slots = 50 + dice.choice(78, equal - 50, replace=False)
        rows[copy, slots] = rows[original, slots]
    kept = near_duplicates.kept(rows)
    assert kept[:300].all()
    assert kept[300:].sum() == (300 if equal < 64 else 0)


@given(st.integers(0, 2**32 - 1), st.integers(2, 9))
def test_it_holds_for_any_signatures(seed: int, values: int) -> None:
    """Few values for a slot, so that everything is shared by many rows: the worst case for an index."""
    rows = np.random.default_rng(seed).integers(0, values, (300, 128), np.uint32)
    rows[::7] = rows[3]
    assert np.flatnonzero(near_duplicates.kept(rows)).tolist() == brute(rows)


def test_groups_do_not_count_against_each_other() -> None:
    some = texts(420, seed=4)
    groups = np.array([int(number * 7919 % 13) for number in range(420)], np.uint64)
    groups[60:340] = 99  # one large group, so that the index is used within it
    kept = near_duplicates.kept_within(signed(some), groups)
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        assert kept[members].nonzero()[0].tolist() == definition.kept([some[member] for member in members])


def test_a_spill_is_read_as_it_was_written() -> None:
    some = texts(50, seed=2)
    spill = Spill()
    assert spill.kept().tolist() == []
    for number, signature in enumerate(signed(some)):
        spill.add(signature.tobytes(), f"instance {number % 3}")
    assert len(spill) == 50
    assert np.flatnonzero(spill.kept()).tolist() == definition.kept(some)
    assert spill.kept("instance").sum() >= spill.kept().sum()
    assert spill.unique().rows == 50


LOOKS = ["grep -rn 'def parse' src/reader", "sed -n '40,80p' src/reader/parse.py", "cat tests/test_parse.py"]
EDITS = ["sed -i 's/strip()/rstrip()/' src/reader/parse.py", "git diff --stat HEAD", "ls -la docs/images/2024"]


def rollout(instance: str, commands: list[str | None]) -> Rollout:
    return Rollout(instance, "incomplete", commands)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Five rollouts in two files: one, its like, another, a copy of the first for another instance, yet another."""
    rows = [
        rollout("acme__calc-1", [*LOOKS, "ls"]),
        rollout("acme__calc-1", [*LOOKS, None, "ls", "pwd"]),
        rollout("acme__calc-1", [*EDITS]),
        rollout("acme__calc-2", [*LOOKS, "ls"]),
        rollout("acme__calc-2", ["find . -name '*.rst' | head -n 20 | xargs wc -l"]),
    ]
    write_zero(tmp_path / "root", [row.raw() for row in rows], files=2)
    return tmp_path / "root"


def kept_rows(root: Path, out: Path, within: str = "corpus") -> list[tuple[str, int]]:
    rows = open_rows(ZERO, upstream=str(root))
    done = write_kept(rows, out, within=within)
    table = pq.read_table(out)
    assert (done.rows, done.kept) == (5, table.num_rows)
    return [(row["file"][-22:-8], row["offset"]) for row in table.to_pylist()]


def test_the_file_of_kept_rows(root: Path, tmp_path: Path) -> None:
    first, second = "00000-of-00002", "00001-of-00002"
    assert kept_rows(root, tmp_path / "a.parquet") == [(first, 0), (first, 2), (second, 1)]
    assert kept_rows(root, tmp_path / "b.parquet", "instance") == [(first, 0), (first, 2), (second, 0), (second, 1)]
    metadata = json.loads(pq.read_schema(tmp_path / "a.parquet").metadata[b"sera_swezero"])
    assert [metadata[key] for key in ("rows", "kept", "within", "threshold")] == [5, 3, "corpus", 0.5]
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.matrix
@pytest.mark.parametrize("config", [ZERO, f"{ZERO}-rectified"])
@pytest.mark.parametrize("streaming", [False, True])
def test_dedup_leaves_the_others_out(root: Path, tmp_path: Path, config: str, streaming: bool) -> None:
    write_kept(open_rows(ZERO, upstream=str(root)), tmp_path / "kept.parquet")
    arguments = {"upstream": str(root), "dedup": str(tmp_path / "kept.parquet"), "split": "train"}
    whole = list(sera_swezero.load_dataset(config, upstream=str(root), split="train", streaming=True))
    rows = list(sera_swezero.load_dataset(config, streaming=streaming, **arguments))
    assert rows == [whole[0], whole[2], whole[4]]


@pytest.mark.matrix
def test_left_out_rows_are_counted_apart(root: Path, tmp_path: Path) -> None:
    write_kept(open_rows(ZERO, upstream=str(root)), tmp_path / "kept.parquet")
    builder = sera_swezero.SeraSweZero(config_name=ZERO, upstream=str(root), dedup=str(tmp_path / "kept.parquet"))
    assert len(list(builder.as_streaming_dataset(split="train"))) == 3
    report = builder.report
    assert (report.rows_in, report.rows_out, report.filtered_by, report.rejected) == (5, 3, {"dedup": 2}, {})
    assert "filtered: 2 dedup" in str(report)


def test_the_cache_knows_what_the_file_says(root: Path, tmp_path: Path) -> None:
    def place() -> str:
        given = {"upstream": str(root), "dedup": str(tmp_path / "kept.parquet")}
        return sera_swezero.SeraSweZero(config_name=ZERO, cache_dir=str(tmp_path / "cache"), **given).cache_dir

    kept_rows(root, tmp_path / "kept.parquet")
    first = place()
    assert place() == first
    kept_rows(root, tmp_path / "kept.parquet", "instance")
    assert place() != first


def test_a_file_of_other_data_is_refused(root: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.parquet"
    write_kept(open_rows(ZERO, upstream=str(root)), kept)

    def refused(match: str, config: str = ZERO, upstream: Path | str = root, dedup: Path = kept) -> None:
        with pytest.raises(ConfigError, match=match):
            sera_swezero.SeraSweZero(config_name=config, upstream=str(upstream), dedup=str(dedup))

    refused("was made without AlienKevin/SWE-ZERO-1k-trajectories/", "swe-zero-1k-8k", "sample")
    write_zero(tmp_path / "other", [rollout("acme__calc-1", [*LOOKS]).raw()] * 5, files=2)
    refused("bytes; it has .* now", upstream=tmp_path / "other")
    refused("cannot be read", dedup=tmp_path / "nowhere")
    (tmp_path / "text").write_text("acme__calc-1\n")
    refused("is not a file of kept rows", dedup=tmp_path / "text")
    with pytest.raises(ConfigError, match="the path of a file was expected"):
        sera_swezero.SeraSweZero(config_name=ZERO, upstream=str(root), dedup=7)


def test_the_command(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "made" / "kept.parquet"
    done = inside("dedup", ZERO, "--upstream", root, "--out", out)
    assert done.exit_code == 0
    assert "5 rows, 3 kept (60.0%)" in done.output
    done = inside("dedup", root / "AlienKevin", "--out", tmp_path / "b", "--within", "instance", "--json")
    assert json.loads(done.output) == {"rows": 5, "kept": 4, "within": "instance", "out": str(tmp_path / "b")}

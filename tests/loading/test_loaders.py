"""All ways to load give the same rows: the hook, `sera_swezero.load_dataset`, the builder class, the loading script."""

from __future__ import annotations

import logging
import os
import pickle
import shutil
import textwrap
from functools import cache
from pathlib import Path
from typing import Any

import datasets
import pytest
from datasets.distributed import split_dataset_by_node

import sera_swezero
from sera_swezero import ConfigError, SeraSweZero
from sera_swezero.sample import ROOT, sampled_configs
from tests.support.processes import HERE, python
from tests.support.sample import COUNTS, kept_rows
from tests.support.streams import NAMES

pytestmark = pytest.mark.matrix

GENERATION = tuple(int(part) for part in datasets.__version__.split(".")[:2])


@cache
def streamed(name: str) -> list[dict[str, Any]]:
    rows = datasets.load_dataset("sera_swezero", name, split="train", streaming=True, upstream="sample")
    return list(rows)


@pytest.mark.parametrize("name", NAMES)
def test_plain_and_streaming_give_the_same_rows_in_the_same_order(name: str) -> None:
    plain = datasets.load_dataset("sera_swezero", name, split="train", upstream="sample")
    assert plain.features == SeraSweZero(config_name=name, upstream="sample").info.features
    assert list(plain) == streamed(name)


@pytest.mark.parametrize("config", sampled_configs())
def test_every_config_gives_as_many_rows_as_the_sample_plans(config: str) -> None:
    assert len(streamed(config)) == kept_rows(config)


def test_no_config_means_sera_and_never_zero_rows() -> None:
    rows = datasets.load_dataset("sera_swezero", split="train", streaming=True, upstream="sample")
    assert len(list(rows)) == kept_rows("sera")
    narrowed = datasets.load_dataset(
        "sera_swezero", split="train", streaming=True, upstream="sample", teacher="GLM-4.6"
    )
    assert len(list(narrowed)) == kept_rows("glm-4.6-lite-t1") + kept_rows("glm-4.6-lite-t2")


def test_the_ways_without_the_hook_give_the_same_rows() -> None:
    name = "glm-4.6-lite-t2"
    own = sera_swezero.load_dataset(name, split="train", streaming=True, upstream="sample")
    built = SeraSweZero(config_name=name, upstream="sample").as_streaming_dataset(split="train")
    plain = sera_swezero.load_dataset(name, split="train", upstream="sample")
    assert list(own) == list(built) == list(plain) == streamed(name)
    assert list(sera_swezero.load_dataset(name, upstream="sample")) == ["train"]


def test_processes_give_the_same_rows_in_the_same_order() -> None:
    rows = sera_swezero.load_dataset("sera", split="train", upstream="sample", num_proc=2, shard_bytes=200_000)
    assert list(rows) == streamed("sera")


@pytest.mark.parametrize("world", [2, 3])
def test_nodes_share_the_rows_without_loss_or_repeat(world: int) -> None:
    whole = sera_swezero.load_dataset("sera", split="train", streaming=True, upstream="sample")
    parts = [list(split_dataset_by_node(whole, rank, world)) for rank in range(world)]
    assert sorted(repr(row) for part in parts for row in part) == sorted(map(repr, streamed("sera")))


def test_the_builder_survives_pickling() -> None:
    builder = pickle.loads(pickle.dumps(SeraSweZero(config_name="swe-zero-1k-8k", upstream="sample")))
    assert list(builder.as_streaming_dataset(split="train")) == streamed("swe-zero-1k-8k")


def load_script(**arguments: Any) -> Any:
    return datasets.load_dataset(str(HERE / "sera_swezero.py"), "glm-4.6-lite-t1", upstream="sample", **arguments)


@pytest.mark.skipif(GENERATION >= (4, 0), reason="scripts are gone from datasets 4.0 on; the next test holds that")
@pytest.mark.parametrize("streaming", [True, False])
def test_the_loading_script_gives_the_same_rows(streaming: bool) -> None:
    assert (HERE / "dataset_infos.json").is_file()
    rows = load_script(split="train", streaming=streaming, trust_remote_code=True)
    assert list(rows) == streamed("glm-4.6-lite-t1")


@pytest.mark.skipif(GENERATION < (4, 0), reason="datasets 3.x runs scripts; the test above holds that")
def test_later_versions_refuse_the_loading_script() -> None:
    with pytest.raises(RuntimeError, match="Dataset scripts are no longer supported"):
        load_script()


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        (5, {}, "the name of a config is a text, such as 'glm-4.5-air-full-t1', not 5"),
        ("sera", {"viev": "native"}, r"unknown argument viev \(did you mean 'view'\?\)"),
        (None, {"view": "parquet"}, "view='parquet'; one of 'rectified', 'native'"),
        ("sera", {"data_files": "x.jsonl"}, "upstream= reads it from elsewhere"),
        ("sera", {"data_dir": "x"}, "upstream= reads it from elsewhere"),
        ("glm-4.5-air-full-t1", {"min_recall": 0.5}, "there are recalls in glm-4.5-air-full-t2"),
    ],
)
def test_what_there_is_not_is_a_config_error_that_says_what_there_is(
    name: Any, arguments: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        datasets.load_dataset("sera_swezero", name, streaming=True, **{"upstream": "sample", **arguments})


def mirror(tmp_path: Path) -> Path:
    """A copy of one set of the sample, as a user's own mirror."""
    repo = "allenai/Sera-4.6-Lite-T2"
    shutil.copytree(ROOT / repo, tmp_path / repo)
    return tmp_path


def test_cached_rows_are_not_reused_when_the_mirror_changed(tmp_path: Path) -> None:
    root = mirror(tmp_path)

    def load() -> datasets.Dataset:
        return datasets.load_dataset("sera_swezero", "glm-4.6-lite-t2", split="train", upstream=str(root))

    before, again = load(), load()
    assert before.cache_files == again.cache_files
    file = next(root.rglob("*.jsonl"))
    lines = file.read_bytes().splitlines(keepends=True)
    whole = [line for line in lines if b'"instance_id"' in line]
    file.write_bytes(b"".join([*lines, whole[0]]))
    os.utime(file, ns=(1, 1))  # the size alone would do, and so would the time
    after = load()
    assert after.cache_files != before.cache_files


def test_cached_rows_are_not_reused_for_other_arguments_or_another_converter(monkeypatch: pytest.MonkeyPatch) -> None:
    def cache_dir(**arguments: Any) -> str:
        return SeraSweZero(config_name="glm-4.6-lite-t2", upstream="sample", **arguments).cache_dir

    places = [cache_dir(), cache_dir(min_recall=0.5), cache_dir(lineage=True), cache_dir(incomplete="keep")]
    monkeypatch.setattr("sera_swezero.loading.builder.ROWS_VERSION", -1)
    assert len({*places, cache_dir()}) == len(places) + 1


def test_a_plain_load_says_first_what_it_reads_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = sum(path.stat().st_size for path in (ROOT / "allenai/Sera-4.6-Lite-T2").iterdir())
    sera_swezero.load_dataset("glm-4.6-lite-t2", split="train", upstream="sample", cache_dir=str(tmp_path))
    said = capsys.readouterr().err
    assert f"glm-4.6-lite-t2: reads {raw / 1e6:.1f} MB in 1 file, writes about" in said
    assert str(tmp_path) in said


def test_rejected_rows_are_logged_once_per_pass(caplog: pytest.LogCaptureFixture) -> None:
    expected = COUNTS["glm-4.6-lite-t2"]
    stream = sera_swezero.load_dataset(
        "glm-4.6-lite-t2", split="train", streaming=True, upstream="sample", shard_bytes=50_000, shuffle_seed=1
    )
    before = datasets.logging.get_verbosity()
    try:
        datasets.logging.set_verbosity_error()
        list(stream)
        assert caplog.records == [], "a user who silenced datasets sees nothing"
    finally:
        datasets.logging.set_verbosity(before)
    with caplog.at_level(logging.WARNING, logger="sera_swezero"):
        list(stream)
    messages = [record.getMessage() for record in caplog.records if record.name == "sera_swezero"]
    assert expected["rejected"]
    assert len(messages) == 1
    for reason, count in expected["rejected"].items():
        assert f"{count} {reason}" in messages[0]


def run(script: str, **env: str) -> str:
    """Run a script in a fresh process; gives what it printed, warnings included."""
    done = python("-W", "always", "-c", textwrap.dedent(script), env={**os.environ, **env})
    return done.stdout + done.stderr


LOAD = """
rows = datasets.load_dataset("sera_swezero", "swe-zero-1k-8k", split="train", streaming=True, upstream="sample")
print("rows:", len(list(rows)))
"""


@pytest.mark.parametrize("first", ["import datasets, sera_swezero", "import sera_swezero, datasets"])
def test_the_hook_is_there_whichever_is_imported_first(first: str) -> None:
    assert f"rows: {kept_rows('swe-zero-1k-8k')}" in run(first + LOAD)


def test_the_name_that_pip_installs_is_found_too() -> None:
    rows = datasets.load_dataset("sera-swezero", "swe-zero-1k-8k", split="train", streaming=True, upstream="sample")
    assert list(rows) == streamed("swe-zero-1k-8k")


def test_importing_the_package_imports_nothing_heavy() -> None:
    said = run("import sera_swezero, sys; print([m for m in ('datasets', 'pyarrow', 'pandas') if m in sys.modules])")
    assert said.strip() == "[]"


def test_the_hook_can_be_left_out() -> None:
    said = run("import sera_swezero, datasets" + LOAD, SERA_SWEZERO_NO_HOOK="1", HF_HUB_OFFLINE="1")
    assert "rows:" not in said
    assert "Error" in said


def test_the_hook_warns_and_stays_away_where_the_seam_has_moved() -> None:
    said = run(
        """
        import datasets.load
        del datasets.load.dataset_module_factory
        from sera_swezero.loading import hook
        hook._wrap(datasets.load)
        import sera_swezero
        print("rows:", len(list(sera_swezero.load_dataset("swe-zero-1k-8k", split="train", upstream="sample"))))
        """
    )
    assert "RuntimeWarning: datasets.load.dataset_module_factory is not there" in said
    assert f"rows: {kept_rows('swe-zero-1k-8k')}" in said

"""What readers get: plain `load_dataset` on every generation of datasets, during a push too; little is sent anew."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import datasets
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sera_swezero.build import card, manifest
from sera_swezero.build.manifest import BuiltFile
from sera_swezero.build.runner import build
from sera_swezero.build.unit_files import sha256
from sera_swezero.loading.builder import SeraSweZero
from tests.hub import LoopbackHub
from tests.support.built import contents
from tests.support.processes import program, python
from tests.support.publishing import SERA, sera_root, sera_row
from tests.support.pushing import Pusher

ALL = ["sera", "swe-zero-1k-32k", "swe-zero-1k-8k", "swe-zero-12m"]
REPO = "org/set"


def plain_python(hub: LoopbackHub, script: str, *arguments: str) -> Any:
    """Run a script that knows nothing of this package; its last line of output is JSON."""
    done = python("-I", "-c", textwrap.dedent(script), *arguments, env=hub.env(), well=True)
    return json.loads(done.stdout.splitlines()[-1])


READ = """
    import hashlib, json, sys
    from datasets import load_dataset
    found = {}
    for config in sys.argv[2:]:
        found[config] = []
        for streaming in (False, True):
            rows = list(load_dataset(sys.argv[1], config, split="train", streaming=streaming))
            text = json.dumps(rows, sort_keys=True)
            found[config].append([len(rows), hashlib.sha256(text.encode()).hexdigest()])
    assert "sera_swezero" not in sys.modules
    print(json.dumps(found))
"""


def of_the_builder(config: str) -> list[Any]:
    builder = SeraSweZero(config_name=config, dataset_name="sera_swezero", upstream="sample")
    rows = list(builder.as_streaming_dataset(split="train"))
    return [len(rows), hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()]


@pytest.mark.matrix
def test_every_config_loads_back_without_the_plugin_equal_to_the_builder_s_rows(
    hub: LoopbackHub, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    build(ALL, out, upstream="sample", workers=1, shard_bytes=1_000_000)
    build(["sera"], out, upstream="sample", workers=1, views=["hermes"])
    build(["swe-zero-1k-8k"], out, upstream="sample", workers=1, views=["hermes", "sharegpt"])
    names = list(card.groups(manifest.read(out)))
    if hasattr(datasets, "Json"):
        build([SERA, "swe-zero-1k-8k"], out, upstream="sample", workers=1, views=["openai"])
        names += [f"{SERA}-openai", "swe-zero-1k-8k-openai"]
    else:
        as_a_newer_version_would_publish(out)
    assert {"sera", "sera-hermes", "swe-zero-1k-8k-sharegpt", *ALL} <= set(names)
    program("push", out, REPO, env=hub.env(), well=True)
    found = plain_python(hub, READ, REPO, *names)
    for name in names:
        expected = of_the_builder(name)
        assert found[name] == [expected, expected], name


def as_a_newer_version_would_publish(out: Path) -> None:
    """Add a config with Json leaves, which this version of datasets cannot build."""
    name = f"{SERA}-openai"
    path = out / name / "train-00000-of-00001.parquet"
    path.parent.mkdir()
    features = {"messages": [{"_type": "Json"}]}
    schema = pa.schema([("messages", pa.list_(pa.json_()))]).with_metadata(
        {"huggingface": json.dumps({"info": {"features": features}})}
    )
    plain = pa.table({"messages": [['{"role": "user", "content": [1]}']]})
    pq.write_table(plain.cast(schema), path, write_page_index=True)
    local = manifest.read(out)
    base = local.configs[SERA]
    file = BuiltFile(path=f"{name}/{path.name}", bytes=path.stat().st_size, sha256=sha256(path), rows=1)
    shard = msgspec.structs.replace(base.shards[0], data=file, arrow_bytes=100, rejected=None)
    described = {**base.described, "view": "openai"}
    made = msgspec.structs.replace(
        base, view="openai", described=described, columns=[("messages", "json")], json=True, shards=[shard]
    )
    union = manifest.make({**local.configs, name: made})
    (out / "manifest.json").write_bytes(manifest.encode(union))


@pytest.mark.matrix
def test_json_leaves_tell_no_features_and_break_no_other_config(hub: LoopbackHub, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build([SERA, "swe-zero-1k-8k"], out, upstream="sample", workers=1)
    as_a_newer_version_would_publish(out)
    local = manifest.read(out)
    hub.add_dataset(REPO, {**contents(out), "README.md": card.render(local, REPO).encode()})
    infos = card.card_infos(local)
    assert "features" not in infos[f"{SERA}-openai"]
    assert infos[SERA]["features"]
    read = plain_python(hub, READ, REPO, SERA, "swe-zero-1k-8k")
    assert read[SERA][0] == of_the_builder(SERA)
    if hasattr(datasets, "Json"):
        assert plain_python(hub, READ, REPO, f"{SERA}-openai")[f"{SERA}-openai"][0][0] == 1


LOOP = """
    import itertools, json, sys
    from datasets import load_dataset
    for number in itertools.count():
        streaming = bool(number % 2)
        rows = load_dataset(sys.argv[1], sys.argv[2], split="train", streaming=streaming)
        print(json.dumps([row["instance_id"] for row in rows]), flush=True)
"""


def test_a_reader_during_pushes_sees_whole_versions_only(hub: LoopbackHub, tmp_path: Path) -> None:
    versions = []
    for number, rows in enumerate((range(6), range(20, 24), range(40, 50))):
        root = sera_root(tmp_path / f"root{number}", [sera_row(seed, 3_000) for seed in rows])
        build([SERA], tmp_path / f"v{number}", upstream=root, workers=1, shard_bytes=15_000)
        versions.append([f"made_{seed}" for seed in rows])
    pusher = Pusher(hub.env())
    assert pusher.push(tmp_path / "v0", REPO).done == "published"
    # Slow writes, so that many reads fall between any two of them.
    hub.faults.add(
        "latency", method="POST", path=r"/(commit|merge|discussions|status|v1/xorbs)", seconds=0.7, times=None
    )
    given = [sys.executable, "-c", textwrap.dedent(LOOP), REPO, SERA]
    env = hub.env(HF_HOME=str(tmp_path / "reader-home"))
    reader = subprocess.Popen(given, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert reader.stdout
        seen = [json.loads(reader.stdout.readline())]
        for number in (1, 2):
            assert pusher.push(tmp_path / f"v{number}", REPO).done == "published"
        while seen[-1] != versions[2]:
            assert seen[-1] in versions, "a version that nobody published"
            line = reader.stdout.readline()
            assert line, reader.stderr.read() if reader.stderr else ""
            seen.append(json.loads(line))
    finally:
        reader.kill()
        reader.communicate()
    order = [versions.index(rows) for rows in seen]
    assert order == sorted(order), "versions are seen in the order they were published"
    assert order[0] == 0
    assert len(order) >= 4


@pytest.mark.parametrize("way", ["xet", "lfs"])
def test_a_version_with_one_row_in_a_hundred_changed_sends_a_small_part_under_xet(
    hub: LoopbackHub, tmp_path: Path, way: str, record_property: Any
) -> None:
    rows = [sera_row(seed, 80_000) for seed in range(300)]
    root = sera_root(tmp_path / "root", rows)
    build([SERA], tmp_path / "v1", upstream=root, workers=1)
    for at in (40, 150, 260):
        rows[at] = sera_row(1_000 + at, 80_500)
    sera_root(tmp_path / "root", rows)
    build([SERA], tmp_path / "v2", upstream=root, workers=1)
    pusher = Pusher(hub.env(**({"HF_HUB_DISABLE_XET": "1"} if way == "lfs" else {})))
    sent = []
    for version in ("v1", "v2"):
        since = len(hub.log)
        assert pusher.push(tmp_path / version, REPO).done == "published"
        uploads = [one for one in hub.log[since:] if "/xorbs/" in one.path or one.method == "PUT"]
        sent.append(sum(one.received for one in uploads))
    size = next((tmp_path / "v2" / SERA).iterdir()).stat().st_size
    record_property("share", sent[1] / size)
    print(f"{way}: {sent[1]:,} of {size:,} bytes, {sent[1] / size:.1%}")
    assert sent[0] > 0.9 * size
    if way == "xet":
        assert 0 < sent[1] < 0.2 * size
    else:
        assert sent[1] >= size, "LFS knows whole files only"

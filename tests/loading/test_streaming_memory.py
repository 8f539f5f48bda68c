"""Memory of one process while it streams, whatever the file's size: at most 100 MB over what it imports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.hub import LoopbackHub
from tests.support.processes import python
from tests.support.streams import CONFIG, T2, make

MOST = 100_000_000  # bytes over imports

SCRIPT = """
import json, logging, sys
from pathlib import Path

import datasets
import sera_swezero.loading.builder, sera_swezero.loading.examples

logging.getLogger("sera_swezero").setLevel(logging.ERROR)

def resident(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(key)).split()[1])

name, arguments, most = json.loads(sys.argv[1])
before = resident("VmRSS")
Path("/proc/self/clear_refs").write_text("5")
rows = sera_swezero.load_dataset(name, split="train", streaming=True, lineage=True, **arguments)
offsets = [row["source_offset"] for row in (rows.take(most) if most else rows)]
print(json.dumps({"grown": resident("VmHWM") - before, "offsets": offsets}))
"""

pytestmark = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux records peaks")


def read(env: dict[str, str] | None, rows: int = 0, **arguments: Any) -> dict[str, Any]:
    """Stream T2 in a fresh process, all of it or the first `rows`; gives the growth in bytes and the rows' offsets."""
    done = python("-c", SCRIPT, json.dumps([CONFIG[T2], arguments, rows]), env=env, well=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def sparse(folder: Path, size: int) -> Path:
    """A file of `size` bytes: rows, a hole that is one long line, and rows again."""
    file = make(folder, 32)
    rows = file.read_bytes()
    with file.open("r+b") as handle:
        handle.truncate(size - len(rows) - 1)
        handle.seek(size - len(rows) - 1)
        handle.write(b"\n" + rows)
    assert file.stat().st_size == size
    assert file.stat().st_blocks * 512 < 4 * len(rows), "the hole takes no room"
    return file


@pytest.mark.parametrize("order", [pytest.param({}, marks=pytest.mark.long), {"shuffle_seed": 1}])
def test_a_file_of_some_hundred_shards_is_never_held(tmp_path: Path, order: dict[str, Any]) -> None:
    make(tmp_path, 400)
    found = read(None, upstream=str(tmp_path), **order)
    assert len(set(found["offsets"])) == 400
    assert found["grown"] < MOST


@pytest.mark.long
@pytest.mark.parametrize("order", [{}, {"shuffle_seed": 1}])
def test_a_file_of_five_gigabytes_is_never_held(tmp_path: Path, order: dict[str, Any]) -> None:
    file = sparse(tmp_path / "root", 5_000_000_000)
    with LoopbackHub(tmp_path / "hub") as hub:
        hub.add_dataset(T2, {file.name: file})
        found = read(hub.env(), **order)
        requests = len(hub.requests("GET", host="cdn"))
    assert len(set(found["offsets"])) == 64, "the rows before the hole and behind it; the hole itself is one bad record"
    assert found["grown"] < MOST
    assert requests >= 320, "one GET per shard"


def test_the_first_rows_of_five_gigabytes_cost_one_shard(tmp_path: Path) -> None:
    file = sparse(tmp_path / "root", 5_000_000_000)
    with LoopbackHub(tmp_path / "hub") as hub:
        hub.add_dataset(T2, {file.name: file})
        found = read(hub.env(), rows=8)
        (request,) = [one for one in hub.requests("GET", host="cdn") if (one.range or "").startswith("bytes=0-")]
    assert len(found["offsets"]) == 8
    assert found["grown"] < MOST
    assert request.sent < 20_000_000

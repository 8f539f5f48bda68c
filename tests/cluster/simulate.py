"""The 12-million-row set as if it were built: only its listing is made up, the rest is the program's own.

    python -m tests.cluster.simulate SHARDS FOLDER

prints, as JSON, what planning, the tasks' files, the manifest, the card and the plan of a push take for so many
upstream files of 29 MB, each a shard. No row is read: the entry of every shard is that of one real shard, scaled up.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

REPO = "AlienKevin/SWE-ZERO-12M-trajectories"
CONFIG = "swe-zero-12m"
COMMIT = "12" * 20
ROWS = 12_290_800
FILE = 29_000_000  # bytes: some 1,230 files of 10,000 rows, one row group each


def list_upstream(home: Path, shards: int) -> None:
    """Remember a listing, as if the hub had been asked once; offline it then serves."""
    files = [
        (f"data/train-{i:05d}-of-{shards:05d}.parquet", FILE, hashlib.sha256(b"%d" % i).hexdigest())
        for i in range(shards)
    ]
    path = home / "sera_swezero" / "listings.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({f"https://huggingface.co {REPO}@{COMMIT}": {"commit": COMMIT, "files": files}}))


def entry(unit: Any, real: Any, shards: int) -> Any:
    """The entry of a unit, had it been built: the real shard's, for its share of all rows."""
    import msgspec

    from sera_swezero.build.manifest import BuiltFile, BuiltShard, ShardSource

    rows = ROWS // shards + (unit.index < ROWS % shards)
    more = rows // real.report.rows_in
    plain = msgspec.to_builtins(real)
    for field in ("report", "figures"):
        plain[field] = _scaled(plain[field], more)
    plain["report"] |= {"rows_in": rows, "rows_out": rows, "rejected": {}}
    made: BuiltShard = msgspec.convert(plain, BuiltShard)
    made.sources = [ShardSource(shard.repo, shard.file, shard.start, shard.stop) for shard in unit.shards]
    digest = hashlib.sha256(unit.stem.encode()).hexdigest()
    made.data = BuiltFile(path=f"{unit.stem}.parquet", bytes=real.data.bytes * more, sha256=digest, rows=rows)
    made.rejected = None
    return made


def _scaled(figures: Any, more: int) -> Any:
    if isinstance(figures, dict):
        return {key: value if key in ("least", "most") else _scaled(value, more) for key, value in figures.items()}
    return [_scaled(one, more) for one in figures] if isinstance(figures, list) else figures * more


def simulate(shards: int, folder: Path) -> dict[str, Any]:
    """All figures; sizes in bytes, times in seconds of one core."""
    from sera_swezero.build import card, jobs, manifest, runner
    from sera_swezero.build.estimate import hub_problem
    from sera_swezero.build.measure import peak_memory
    from sera_swezero.cluster import tasks
    from sera_swezero.hub.listing import RepositoryFile
    from sera_swezero.push.difference import difference as compare
    from sera_swezero.push.publish import BATCH

    sample = runner.build([CONFIG], folder / "sample", upstream="sample", workers=1).configs[CONFIG].shards[0]
    figures: dict[str, Any] = {"shards": shards, "memory_before": peak_memory()}
    since = time.process_time()

    def took(name: str) -> None:
        nonlocal since
        figures[name], since = time.process_time() - since, time.process_time()

    (job,) = jobs.plan([CONFIG], (), {"revision": COMMIT}, jobs.SHARD_BYTES, None)
    took("plan_seconds")
    dealt = tasks.write(job.units, folder, len(job.units))
    took("tasks_seconds")
    sizes = [path.stat().st_size for path in dealt.iterdir()]
    figures |= {"tasks": len(sizes), "largest_task_bytes": max(sizes)}
    since = time.process_time()
    entries = {unit.stem: entry(unit, sample, shards) for unit in job.units}
    took("made_up_seconds")
    made = manifest.make({CONFIG: runner.built_config(job, entries, None)})
    encoded = manifest.encode(made)
    took("manifest_seconds")
    shuffled = random.Random(1).sample(sorted(entries), len(entries))
    other = manifest.make({CONFIG: runner.built_config(job, {stem: entries[stem] for stem in shuffled}, None)})
    figures["same_in_any_order"] = manifest.encode(other) == encoded
    figures["read_back"] = manifest.decode(encoded, "here") == made
    since = time.process_time()
    text = card.render(made)
    took("card_seconds")
    there = {
        file.path: RepositoryFile(path=file.path, size=file.bytes, blob="", sha256=file.sha256) for file in made.files
    }
    pushed = compare(folder, made, "org/set", None, there)
    took("push_plan_seconds")
    return figures | {
        "rows": made.configs[CONFIG].rows,
        "manifest_bytes": len(encoded),
        "card_bytes": len(text.encode()),
        "files_in_folder": len({built.path for built in made.files}),
        "files_left_to_send": sorted(send.path for send in pushed.add),
        "files_a_commit": BATCH,
        "commits_of_the_pull_request": -(-(len(there) + 2) // BATCH),
        "problem": hub_problem(CONFIG, len(job.units), job.own_files, job.snapshot.bytes),
        "memory": peak_memory(),
    }


if __name__ == "__main__":
    place = Path(sys.argv[2])
    # Before anything of the hub's client is imported, which reads these once.
    os.environ |= {"HF_HOME": str(place / "home"), "HF_HUB_OFFLINE": "1"}
    os.environ.pop("HF_ENDPOINT", None)
    list_upstream(place / "home", int(sys.argv[1]))
    print(json.dumps(simulate(int(sys.argv[1]), place), indent=1))

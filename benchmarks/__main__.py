"""Measure everything and print it: `python -m benchmarks`. Fails where variants differ in rows or settings, never on a
figure."""

from __future__ import annotations

import argparse
import json
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks import growth, many_files, results, startup, table
from benchmarks.corpus import SERA, SWE_ZERO, corpus
from benchmarks.runs import by_itself, compare, cpus_at_hand, fresh, middle
from benchmarks.variants import TRAINING, write_kept_rows

LIBRARIES = ("pyarrow", "datasets", "msgspec", "orjson", "jsonschema", "pysimdjson")
SMALL = 600
"""Rows of a build that is measured with its start."""

PARTS = ("sera", "views", "two_views", "filters", "swe_zero", "startup", "growth")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, default=3_000, help="SERA rows (default 3,000: 580 MB)")
    parser.add_argument("--swe-zero-rows", type=int, default=5_000, help="SWE-ZERO rows (default 5,000)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each variant runs, in turn (default 5)")
    parser.add_argument("--most", type=int, default=growth.ROWS[-1], help="rows of the largest growing corpus")
    parser.add_argument("--only", action="append", choices=PARTS, help="a part; may repeat (default: all)")
    parser.add_argument("--json", type=Path, default=table.RESULTS, help="where results go (default %(default)s)")
    parser.add_argument("--page", action="store_true", help="only write docs/benchmarks.md anew from the results")
    given = parser.parse_args()
    measured = json.loads(given.json.read_text(encoding="utf-8")) if given.json.exists() else {}
    if not given.page:
        measured |= measure(given)
        given.json.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
        print(table.render(measured))
    if given.json == table.RESULTS:
        table.write_page(measured)


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """The parts that were asked for."""
    measured: dict[str, Any] = {}
    for part in given.only or PARTS:
        before = (os.getloadavg()[0], cpus_at_hand())
        measured[part] = _PARTS[part](given)
        after = (os.getloadavg()[0], cpus_at_hand())
        measured[part]["load"], measured[part]["at_hand"] = map(sorted, zip(before, after, strict=True))
    versions = {name: metadata.version(name) for name in LIBRARIES}
    cpus = len(os.sched_getaffinity(0))
    measured["machine"] = {"cpus": cpus, "python": platform.python_version(), "versions": versions}
    return measured


def _sera(given: argparse.Namespace) -> dict[str, Any]:
    root = corpus(SERA, given.rows)
    names = [results.BASELINE, results.BARE, results.ORJSON, results.ONE, results.TWO]
    stages: list[dict[str, float]] = []
    taken = compare(names, root, given.rounds, lambda: stages.append(_seconds(fresh("benchmarks.stages", str(root)))))
    checks = _seconds(fresh("benchmarks.checks", str(root)))
    return {
        "title": f"SERA to Parquet, {given.rows:,} rows",
        "rows": given.rows,
        "variants": _medians(taken),
        "stages": {name: middle(stages, name) for name in stages[0]},
        "checks": checks,
        "targets": results.as_json(results.conversion_targets(taken, stages, checks)),
    }


def _views(given: argparse.Namespace) -> dict[str, Any]:
    taken: dict[str, list[dict[str, float]]] = {}
    for view in TRAINING:
        taken |= compare([f"{view} by hand", f"project, {view}"], corpus(SERA, given.rows), given.rounds)
    return {
        "title": f"SERA to the training views, {given.rows:,} rows",
        "rows": given.rows,
        "variants": _medians(taken),
        "targets": results.as_json(results.view_targets(taken, TRAINING)),
    }


def _two_views(given: argparse.Namespace) -> dict[str, Any]:
    root = corpus(SERA, given.rows)
    one: list[dict[str, float]] = []
    taken = compare([results.TWO_VIEWS], root, given.rounds, lambda: one.append(by_itself(results.ONE, root)))
    return {
        "title": f"SERA to two views, {given.rows:,} rows",
        "rows": given.rows,
        "variants": _medians({results.ONE: one, **taken}),
        "targets": results.as_json(results.two_views_targets(taken[results.TWO_VIEWS], one)),
    }


def _filters(given: argparse.Namespace) -> dict[str, Any]:
    root = corpus(SERA, given.rows)
    write_kept_rows(root)
    taken = compare([results.ONE, results.FILTERED], root, given.rounds)
    return {
        "title": f"Filters, {given.rows:,} rows",
        "rows": given.rows,
        "variants": _medians(taken),
        "targets": results.as_json(results.filter_targets(taken)),
    }


def _swe_zero(given: argparse.Namespace) -> dict[str, Any]:
    rows = given.swe_zero_rows
    taken = compare([results.MAP, results.SWE_ZERO], corpus(SWE_ZERO, rows), given.rounds)
    targets = results.as_json(results.swe_zero_targets(taken))
    taken |= compare([results.SWE_ZERO_12M], many_files.layout(1, rows, 100), given.rounds)
    return {
        "title": f"SWE-ZERO to Parquet, {rows:,} rows",
        "rows": rows,
        "variants": _medians(taken),
        "targets": targets,
        "core_hours": results.core_hours(taken, rows),
    }


def _startup(given: argparse.Namespace) -> dict[str, Any]:
    took = startup.measure(3 * given.rounds)
    batches = startup.first_batch(SMALL, given.rounds)
    builds = startup.small_builds(SMALL, given.rounds)
    return {"took": took, "targets": results.as_json(results.startup_targets(took, batches, builds))}


def _growth(given: argparse.Namespace) -> dict[str, Any]:
    counts = [rows for rows in growth.ROWS if rows < given.most] + [given.most]
    by_rows, by_bytes = growth.by_rows(counts, min(given.rounds, 3)), growth.by_bytes(rounds=min(given.rounds, 3))
    targets = results.as_json(results.growth_targets(by_rows, by_bytes))
    return {"by_rows": by_rows, "by_bytes": by_bytes, "targets": targets}


def _medians(taken: dict[str, list[dict[str, float]]]) -> dict[str, dict[str, float]]:
    keys = ("wall", "cpu", "memory", "process_wall", "process_cpu")
    return {
        name: {**{key: middle(figures, key) for key in keys}, "workers": 2 if name == results.TWO else 1}
        for name, figures in taken.items()
    }


def _seconds(printed: dict[str, float]) -> dict[str, float]:
    """A module's own figures without those of its process."""
    return {name: seconds for name, seconds in printed.items() if not name.startswith("process_")}


_PARTS = {
    "sera": _sera,
    "views": _views,
    "two_views": _two_views,
    "filters": _filters,
    "swe_zero": _swe_zero,
    "startup": _startup,
    "growth": _growth,
}

if __name__ == "__main__":
    main()

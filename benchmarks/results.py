"""The figures of a run held to their targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.runs import Figures, middle, ratio

BASELINE, BARE, ORJSON = "baseline", "baseline without schema", "orjson by hand"
ONE, TWO = "project, one process", "project, two processes"
FILTERED = "project, filtered"
TWO_VIEWS = "project, two views"
MAP, SWE_ZERO, SWE_ZERO_12M = "datasets.map", "project, SWE-ZERO", "project, SWE-ZERO-12M"

MB = 1_000_000


@dataclass(frozen=True)
class Target:
    """One figure and its bound. way: which side of the bound is right."""

    name: str
    figure: float
    way: Literal["at least", "at most"]
    bound: float
    unit: str

    @property
    def met(self) -> bool:
        """Whether the figure is on the right side."""
        return self.figure >= self.bound if self.way == "at least" else self.figure <= self.bound


def conversion_targets(
    sera: dict[str, list[Figures]], stages: list[dict[str, float]], checks: dict[str, float]
) -> list[Target]:
    """The targets of converting SERA. `stages`: seconds by stage, a round each; `checks`: seconds by check."""
    one = sera[ONE]
    sums = [{"cpu": sum(seconds.values())} for seconds in stages]
    return [
        Target("one process against the baseline, CPU", ratio(sera[BASELINE], one), "at least", 4.5, "x"),
        Target("one process against the baseline without schema, CPU", ratio(sera[BARE], one), "at least", 2.8, "x"),
        Target("one process against orjson by hand, CPU", ratio(sera[ORJSON], one), "at least", 1.1, "x"),
        Target("one process against the sum of stages, CPU", ratio(one, sums), "at most", 1.6, "x"),
        Target("two processes against one, wall", ratio(one, sera[TWO], "wall"), "at least", 1.8, "x"),
        Target(
            "two processes against the baseline, wall", ratio(sera[BASELINE], sera[TWO], "wall"), "at least", 8, "x"
        ),
        Target("validation, share of CPU", 100 * sum(checks.values()) / middle(one, "cpu"), "at most", 5, "%"),
        Target("memory over imports, one process", max(f["memory"] for f in one) / MB, "at most", 100, "MB"),
    ]


def view_targets(taken: dict[str, list[Figures]], views: Sequence[str]) -> list[Target]:
    """The targets of converting to the training views."""
    return [
        Target(
            f"{view}, one process against a hand-written converter, CPU",
            ratio(taken[f"{view} by hand"], taken[f"project, {view}"]),
            "at least",
            4,
            "x",
        )
        for view in views
    ]


def filter_targets(taken: dict[str, list[Figures]]) -> list[Target]:
    """The target of filtering."""
    name = "a build with min_recall, dedup and decontaminate against one without, CPU"
    return [Target(name, ratio(taken[FILTERED], taken[ONE]), "at most", 1.1, "x")]


def two_views_targets(two: list[Figures], one: list[Figures]) -> list[Target]:
    """The target of building two views. `one`: the build of one of them, in the same rounds."""
    memory = max(f["memory"] for f in two) / MB
    return [
        Target(
            "rectified and openai from one reading against rectified alone, CPU", ratio(two, one), "at most", 1.4, "x"
        ),
        Target("memory over imports, two views", memory, "at most", 100, "MB"),
    ]


def core_hours(taken: dict[str, list[Figures]], rows: int) -> float:
    """Hours of one core that the 12,290,800 rows of SWE-ZERO-12M take."""
    return middle(taken[SWE_ZERO_12M], "cpu") / rows * 12_290_800 / 3600


def swe_zero_targets(taken: dict[str, list[Figures]]) -> list[Target]:
    """The targets of converting SWE-ZERO."""
    memory = max(f["memory"] for f in taken[SWE_ZERO]) / MB
    return [
        Target("SWE-ZERO against datasets.map, CPU", ratio(taken[MAP], taken[SWE_ZERO]), "at least", 3, "x"),
        Target("memory over imports, SWE-ZERO", memory, "at most", 100, "MB"),
    ]


COMMANDS = {"build": 0.6, "check": 0.5, "stats": 0.4, "show": 0.35}
"""Seconds of CPU that a command on one row may take."""


def startup_targets(
    took: dict[str, dict[str, float]], batches: dict[str, list[Figures]], builds: dict[str, list[Figures]]
) -> list[Target]:
    """The targets of starting."""
    row = "first streamed row of the sample without importing datasets, CPU"
    return [
        Target("import sera_swezero, CPU", took["import"]["cpu"], "at most", 0.15, "s"),
        Target("sera-swezero --help, CPU", took["help"]["cpu"], "at most", 0.3, "s"),
        *(
            Target(f"sera-swezero {name} on one row, CPU", took[name]["cpu"], "at most", most, "s")
            for name, most in COMMANDS.items()
        ),
        Target(row, took["first_row"]["cpu"], "at most", 0.1, "s"),
        Target(
            "first 8 rows from the hub (50 ms) after the process starts, times sooner than with `datasets` alone",
            ratio(batches["theirs"], batches["ours"], "wall"),
            "at least",
            2,
            "x",
        ),
        Target(
            "build of 600 rows as a whole process against the baseline, CPU",
            ratio(builds["baseline"], builds["build"]),
            "at least",
            3.5,
            "x",
        ),
    ]


def growth_targets(by_rows: list[dict[str, float]], by_bytes: list[dict[str, float]]) -> list[Target]:
    """Flat: the dearest corpus costs no more than 1.25 times the cheapest, per row where rows are of one size, per byte
    where they are not."""
    rows = [one["us_per_row"] for one in by_rows]
    sizes = [one["ns_per_byte"] for one in by_bytes]
    spread = f"{by_bytes[0]['row_bytes'] / 1000:,.0f} KB to {by_bytes[-1]['row_bytes'] / 1000:,.0f} KB"
    return [
        Target(f"cost per row, 1,000 to {by_rows[-1]['rows']:,.0f} rows", rows[-1] / rows[0], "at most", 1.25, "x"),
        Target(f"cost per byte, rows of {spread}", sizes[-1] / sizes[0], "at most", 1.25, "x"),
    ]


def as_json(targets: list[Target]) -> list[dict[str, Any]]:
    """Targets as plain values."""
    return [{**vars(target), "met": target.met} for target in targets]

"""Which rows a corpus has: plain ones, and where the odd ones stand among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from . import (
    sera,
    sera_call_edges,
    sera_end_edges,
    sera_reject_edges,
    sera_row_edges,
    sera_rows,
    sera_text_edges,
    swe_zero,
    swe_zero_edges,
)
from .edges import Edge
from .plan import Plan
from .project import World
from .sera_rows import Size
from .sets import SETS, Set

EDGES: dict[str, Edge] = {
    **sera_text_edges.EDGES,
    **sera_call_edges.EDGES,
    **sera_end_edges.EDGES,
    **sera_row_edges.EDGES,
    **sera_row_edges.PATCHES,
    **sera_reject_edges.EDGES,
    **{f"zero_{name}": edge for name, edge in {**swe_zero_edges.EDGES, **swe_zero_edges.TWINS}.items()},
}
"""Every oddity by name; those of SWE-ZERO begin with `zero_`."""

SHIPPED_SEED = 1
ISSUES: dict[str, Sequence[int]] = {
    "full_t1": range(88),
    "full_t2": (*range(76), *range(900, 904)),
    "lite_t1": range(40, 112),
    "lite_t2": range(40, 110),
}
"""Issues of the shipped SERA rows. Most stand in T1 and T2 (four have no T1 row), and many in both families."""

SEVERAL_IN_LARGE = 16
"""In a large corpus with edges, every how-manieth row is odd."""


@dataclass(frozen=True)
class Recipe:
    """The rows of one set."""

    one: Set
    world: World
    size: Size
    numbers: Sequence[int]
    """The issues of SERA rows; of SWE-ZERO, the rows' own numbers."""
    edge: Callable[[int], str | None]
    """The edge of the row at a position."""
    rollouts: int = 1
    """SWE-ZERO: rows per issue."""

    def rows(self) -> Iterator[tuple[Plan, Any]]:
        """Each row's plan and the raw row: a line of JSON, or a dict for Parquet."""
        make = self._sera if self.one.kind == "sera" else self._swe_zero
        for at, number in enumerate(self.numbers):
            yield make(number, self.edge(at))

    def _sera(self, number: int, name: str | None) -> tuple[Plan, str]:
        edge = EDGES[name] if name else None
        alter = edge.make if edge and edge.issues else None
        scene, plan = sera_rows.plain(self.world, self.one, number, self.size, alter)
        if edge and not edge.issues:
            edge.make(scene, plan)
        plan.edge = name
        return plan, sera.line(plan, scene.rng)

    def _swe_zero(self, number: int, name: str | None) -> tuple[Plan, dict[str, Any]]:
        edge = EDGES[name] if name else None
        like = number - 1 if edge and edge.issues else number
        submitted = self.world.rng(self.one.config, "submitted", like).random() < self.one.submitted
        scene, plan = swe_zero.plain(self.world, self.one, like, like // self.rollouts, self.size, submitted)
        if edge:
            edge.make(scene, plan)
        plan.edge = name
        return plan, swe_zero.row(plan, self.one, scene)


def shipped(key: str) -> Recipe:
    """The rows of a set in the shipped corpus."""
    one = SETS[key]
    world = World(f"sample/{SHIPPED_SEED}", projects=14, files=3, lines=150)
    numbers = ISSUES.get(key, range(one.rows))
    assert len(numbers) == one.rows, key
    placed = _place(key, world, numbers)
    size = sera_rows.SMALL if one.kind == "sera" else swe_zero.SMALL
    return Recipe(one, world, size, numbers, placed.get, rollouts=9 if one.wide else 32)


def _place(key: str, world: World, numbers: Sequence[int]) -> dict[int, str]:
    """Positions of the set's edges: those of certain issues where these are, the others anywhere but at the file's ends."""
    edges = {name: edge for name, edge in EDGES.items() if key in edge.sets}
    placed = {at: name for at, number in enumerate(numbers) for name, edge in edges.items() if number in edge.issues}
    before_twins = {at - 1 for at, name in placed.items() if name.startswith("zero_")}
    free = [at for at in range(2, len(numbers) - 2) if at not in placed and at not in before_twins]
    world.rng(key, "places").shuffle(free)
    for name, edge in edges.items():
        if not edge.issues:
            placed.update((free.pop(), name) for _ in range(edge.sets[key]))
    return placed


def large(key: str, seed: int, rows: int, row_bytes: int | None, odd: bool) -> Recipe:
    """`rows` rows of a set, of realistic size; `odd`: with edges of every kind among them."""
    one = SETS[key]
    sera_set = one.kind == "sera"
    world = World(f"large/{seed}", projects=120, files=3, lines=700)
    size = Size.of(row_bytes or 190_000) if sera_set else swe_zero.size(row_bytes or 45_000)
    names = [name for name, edge in EDGES.items() if key in edge.sets and not edge.issues] if odd else []

    def edge(at: int) -> str | None:
        turn, inside = at // SEVERAL_IN_LARGE, 0 < at < rows - 1 and at % SEVERAL_IN_LARGE == SEVERAL_IN_LARGE // 2
        return names[turn % len(names)] if names and inside else None

    return Recipe(one, world, size, range(rows), edge, rollouts=10 if one.wide else 100)

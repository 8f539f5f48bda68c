"""Which rows a corpus has: plain ones, and where the odd ones are among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tools.sample_corpus.chat import atif
from tools.sample_corpus.chat import edges as chat_edges
from tools.sample_corpus.chat import rows as chats
from tools.sample_corpus.edges import Edge
from tools.sample_corpus.project import World
from tools.sample_corpus.runs import mini_swe_agent, swe_agent
from tools.sample_corpus.sera import edge_calls, edge_ends, edge_hostile, edge_rejects, edge_rows, edge_texts, raw
from tools.sample_corpus.sera import rows as sera
from tools.sample_corpus.sets import SETS, Set, Size
from tools.sample_corpus.swe_zero import edge_ends as zero_ends
from tools.sample_corpus.swe_zero import edge_turns as zero_turns
from tools.sample_corpus.swe_zero import raw as zero_raw
from tools.sample_corpus.swe_zero import rows as swe_zero

EDGES: dict[str, Edge] = {
    **edge_texts.EDGES,
    **edge_hostile.EDGES,
    **edge_calls.EDGES,
    **edge_ends.EDGES,
    **edge_rows.EDGES,
    **edge_rows.PATCHES,
    **edge_rejects.EDGES,
    **{f"zero_{name}": edge for name, edge in {**zero_turns.EDGES, **zero_ends.EDGES, **zero_ends.TWINS}.items()},
    **{f"chat_{name}": edge for name, edge in chat_edges.EDGES.items()},
    **{f"atif_{name}": edge for name, edge in atif.EDGES.items()},
    **{f"traj_{name}": edge for name, edge in swe_agent.EDGES.items()},
    **{f"mini_{name}": edge for name, edge in mini_swe_agent.EDGES.items()},
}
"""Every oddity by name. Those of SWE-ZERO begin with `zero_`, of chats with `chat_` or `atif_`, and of files of runs
with `traj_` or `mini_`."""

ISSUES: dict[str, Sequence[int]] = {
    "full_t1": range(88),
    "full_t2": (*range(76), *range(900, 904)),
    "lite_t1": range(40, 112),
    "lite_t2": range(40, 110),
    "air_lite_t1": range(12, 16),
    "air_lite_t2": range(12, 16),
    "django_t1": range(200, 203),
    "django_t2": range(200, 203),
    "sympy_t1": range(210, 213),
    "sympy_t2": range(210, 213),
    "sphinx_t1": range(220, 223),
    "sphinx_t2": range(220, 223),
    "best": range(60, 65),
    "zero_32k": range(112),
    "zero_8k": range(110),
    "zero_12m": range(126),
    "zero_96k": range(6),
    "zero_multilang": range(6),
    "openhands_zero": range(12),
    "openhands_hero": range(10),
    "rebench": range(12),
    "traces": range(13),
    "own_chat": range(24),
    "own_atif": range(14),
    "own_swe_agent": range(13),
    "own_mini": range(14),
}
"""The shipped rows: SERA's by their issues, of which most are in T1 and T2 (four have no T1 row) and many in both
families, the others' by their own numbers."""

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

    def rows(self) -> Iterator[Any]:
        """Yield each raw row: a line of JSON, or what becomes one, a row of Parquet or a file."""
        kinds = {"sera": self._sera, "swe_zero": self._swe_zero, "swe_agent": self._swe_agent}
        make = kinds.get(self.one.kind, self._chat)
        for at, number in enumerate(self.numbers):
            yield make(at, number, self.edge(at))

    def _sera(self, at: int, number: int, name: str | None) -> str:
        edge = EDGES[name] if name else None
        alter = edge.make if edge and edge.issues else None
        joined = [SETS[key] for key in self.one.joins]
        one = joined[at % len(joined)] if joined else self.one
        scene, plan = sera.plain(self.world, one, number, self.size, alter)
        if joined:
            plan.columns["source"] = None if at == 0 else one.repo.removeprefix("allenai/")
        if edge and not edge.issues:
            edge.make(scene, plan)
        return raw.line(plan, scene.rng)

    def _swe_zero(self, at: int, number: int, name: str | None) -> dict[str, Any]:
        del at
        edge = EDGES[name] if name else None
        like = number - 1 if edge and edge.issues else number
        scene, plan = swe_zero.plain(self.world, self.one, like, like // self.rollouts, self.size)
        if edge:
            edge.make(scene, plan)
        return zero_raw.row(plan, self.one, scene.rng)

    def _swe_agent(self, at: int, number: int, name: str | None) -> dict[str, Any]:
        del at
        scene, plan = sera.plain(self.world, self.one, number, self.size)
        if name:
            EDGES[name].make(scene, plan)
        return swe_agent.file(plan, scene.rng)

    def _chat(self, at: int, number: int, name: str | None) -> Any:
        del at
        scene, chat = chats.plain(self.world, self.one, number, self.size)
        if name:
            EDGES[name].make(scene, chat)
        written = {"atif": atif.trajectory, "mini_swe_agent": mini_swe_agent.file}.get(self.one.kind)
        return written(chat) if written else chats.raw(chat, self.one)


def shipped(key: str) -> Recipe:
    """The rows of a set in the shipped corpus."""
    one = SETS[key]
    world = World("sample", projects=14, files=3, lines=150, stock=600)
    numbers = ISSUES[key]
    placed = _place(key, world, numbers)
    sizes = {"sera": sera.SMALL, "swe_zero": swe_zero.SMALL, "swe_agent": swe_agent.SMALL}
    size = sizes.get(one.kind, chats.SMALL)
    return Recipe(one, world, size, numbers, placed.get, one.rollouts)


def _place(key: str, world: World, numbers: Sequence[int]) -> dict[int, str]:
    """Positions of the set's edges: those of certain issues where these are, the others anywhere but at the ends."""
    edges = {name: edge for name, edge in EDGES.items() if key in edge.sets}
    placed = {at: name for at, number in enumerate(numbers) for name, edge in edges.items() if number in edge.issues}
    before_twins = {at - 1 for at, name in placed.items() if name.startswith("zero_")}
    free = [at for at in range(2, len(numbers) - 2) if at not in placed and at not in before_twins]
    world.rng(key, "places").shuffle(free)
    for name, edge in edges.items():
        if not edge.issues:
            placed.update((free.pop(), name) for _ in range(edge.sets[key]))
    return placed


@cache
def _large_world(seed: int) -> World:
    return World(f"large/{seed}", projects=100, files=5, lines=500, stock=16_000)


def large(key: str, seed: int, rows: int, row_bytes: int | None, *, odd: bool) -> Recipe:
    """`rows` rows of a set, of realistic size; `odd`: with edges of every kind among them."""
    one = SETS[key]
    world = _large_world(seed)
    size = sera.size(row_bytes or 190_000) if one.kind == "sera" else swe_zero.size(row_bytes or 45_000)
    names = [name for name, edge in EDGES.items() if key in edge.sets and not edge.issues] if odd else []
    world.rng(key, "edges").shuffle(names)

    def edge(at: int) -> str | None:
        turn, inside = at // SEVERAL_IN_LARGE, 0 < at < rows - 1 and at % SEVERAL_IN_LARGE == SEVERAL_IN_LARGE // 2
        return names[turn % len(names)] if names and inside else None

    return Recipe(one, world, size, range(rows), edge, 100 if one.turns < 30 else 10)

"""The table of oddities: what each is, and in which sets of the shipped corpus it occurs how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Maker = Callable[..., None]
"""Gets a scene and a plain plan, and makes the plan odd; an edge of `issues` gets the issue before there is a plan."""


@dataclass(frozen=True)
class Edge:
    """One oddity of the upstream files."""

    description: str
    sets: dict[str, int]
    """Rows that have it, by set."""
    make: Maker
    issues: tuple[int, ...] = ()
    """The issues whose rows have it; else the corpus chooses rows."""


class Table(dict[str, Edge]):
    """Edges by name, filled by the functions that make them."""

    def edge(self, **sets: int) -> Callable[[Maker], Maker]:
        """Enter the decorated function: its name is the edge's, its docstring the description, `sets` the counts."""

        def enter(make: Maker) -> Maker:
            self.add(make.__name__, (make.__doc__ or "").strip(), make, **sets)
            return make

        return enter

    def add(self, name: str, description: str, make: Maker, **sets: int) -> None:
        """Enter one edge."""
        if name in self or not description:
            raise ValueError(f"edge {name!r}: a name of its own and a description were expected")
        self[name] = Edge(description, sets, make)

"""What a row of each kind must be: one contract per row schema, made from the registries of views and sources."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sera_swezero.errors import ConfigError, did_you_mean
from sera_swezero.plugins import load_installed
from sera_swezero.schemas.columns import types_of
from sera_swezero.schemas.validate import Fault, brief, decode, faults, inner
from sera_swezero.sources import SOURCES
from sera_swezero.views import LINEAGE, VIEWS, Columns, Row

_LEAST_ALIKE = 0.5  # share of columns in common below which a file holds no rows of that kind


@dataclass(frozen=True)
class Contract:
    """One kind of row: the name of its JSON Schema, its view, its source and its columns by name and type."""

    schema: str
    view: str
    source: str
    columns: Columns

    def faults(self, row: Row) -> list[Fault]:
        """Every problem of the row, each named once."""
        own, lineage = self._split(row)
        found = faults(self.schema, own)
        if lineage:
            found += faults("lineage", lineage)
        decoded: dict[str, Any] = {}
        for column, (schema, each) in inner(self.schema).items():
            texts = own.get(column)
            values = []
            for index, text in enumerate(texts if each and isinstance(texts, list) else [texts]):
                if not isinstance(text, str):
                    continue  # found already
                path = f"$.{column}[{index}]" if each else f"$.{column}"
                try:
                    values.append(self._inside(text))
                except ValueError as error:
                    found.append(Fault(path, f"{brief(text)}, which is not JSON ({error})", "JSON text"))
                    continue
                found += faults(schema, values[-1], path)
            if values:
                decoded[column] = values if each else values[0]
        # A source reads only records of its own shape, so it would report a problem of the schema once more.
        order_faults = VIEWS[self.view].order_faults
        if order_faults and (self.view != "native" or not found):
            found += order_faults(SOURCES[self.source], own, decoded)
        return list(dict.fromkeys(found))

    def _split(self, row: Row) -> tuple[Row, Row]:
        """The row's own columns, and those of its lineage."""
        own, lineage = row, {}
        if not LINEAGE.keys().isdisjoint(row):
            lineage = {name: value for name, value in row.items() if name in LINEAGE}
            own = {name: value for name, value in row.items() if name not in lineage}
        for column, (_, each) in inner(self.schema).items():
            # `datasets` returns Json leaves as objects and writes these to JSONL; here they become text, as in Parquet.
            if each and isinstance(own.get(column), list):
                own = {**own, column: [_text(leaf) for leaf in own[column]]}
        return own, lineage

    def _inside(self, text: str) -> Any:
        try:
            return decode(text)
        except ValueError:
            if self.view != "native":
                raise
            # That view keeps upstream's text, in which half a surrogate pair may occur as an escape, and a number
            # that no float holds in a key that nobody reads.
            return _decode_leniently(text)

    def shared(self, names: Iterable[str]) -> float:
        """The share of column names that a file and this contract have in common: 0.0 to 1.0."""
        given = set(names) - LINEAGE.keys()
        return len(given & self.columns.keys()) / len(given | self.columns.keys())

    def alike(self, kinds: Mapping[str, str]) -> float:
        """How much columns (name -> kind, "" where unknown) look like this contract's: `shared` and half a point."""
        # Two kinds of row differ only in the type of `messages`.
        fits = kinds.get("messages", "") in ("", self.columns.get("messages", ""))
        return self.shared(kinds) + fits / 2


def _decode_leniently(text: str) -> Any:
    def refuse(constant: str) -> None:
        msg = f"{constant} is not JSON"
        raise ValueError(msg)

    try:
        return json.loads(text, parse_int=lambda _: 0, parse_float=lambda _: 0.0, parse_constant=refuse)
    except RecursionError as error:
        raise ValueError(str(error)) from None


def _text(leaf: Any) -> Any:
    return leaf if isinstance(leaf, str) else json.dumps(leaf, ensure_ascii=False)


def contracts() -> dict[str, Contract]:
    """Every kind of row, by the name of its schema: one for each view of each shape of each source."""
    load_installed()
    made = [
        Contract(
            schema=view.schema(source, shape),
            view=view.name,
            source=source.name,
            columns=types_of(view.columns(source, shape)),
        )
        for view in VIEWS.values()
        for source in SOURCES.values()
        for shape in source.native_columns
    ]
    return {contract.schema: contract for contract in made}


def candidates(wanted: str | None) -> list[Contract]:
    """The contracts that a view's or a schema's name stands for; all of them for None. Raises ConfigError."""
    known = contracts()
    if wanted is None:
        return list(known.values())
    found = [contract for contract in known.values() if wanted in (contract.view, contract.schema)]
    if not found:
        names = dict.fromkeys([*VIEWS, *known])
        msg = f"as {wanted!r}: no such view or kind of row{did_you_mean(wanted, names)}; there are {', '.join(names)}"
        raise ConfigError(msg)
    return found


def recognise(kinds: Mapping[str, str], among: Sequence[Contract], *, forced: bool) -> Contract | None:
    """The contract that columns look most like, None where they look like none; `forced` gives the best in any case."""
    best = max(among, key=lambda contract: contract.alike(kinds))
    return best if forced or best.shared(kinds) >= _LEAST_ALIKE else None


def kinds_of(row: Mapping[str, Any]) -> dict[str, str]:
    """The columns of a decoded row: name -> "string", "messages" for a list, "" for anything else."""
    return {
        name: "string" if isinstance(v, str) else "messages" if isinstance(v, list) else "" for name, v in row.items()
    }


def describe_contracts(among: Sequence[Contract]) -> str:
    """The kinds of rows with their columns, for an error."""
    return "; ".join(f"{contract.schema} ({', '.join(contract.columns)})" for contract in among)

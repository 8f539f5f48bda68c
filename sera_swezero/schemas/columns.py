"""Columns of rows, each declared once: its type, what it means and what a value must be.

The column's `datasets` feature and its part of the row's JSON Schema follow from the declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sera_swezero.core.conversions import CONVERSIONS

INT64 = 2**63 - 1
"""The largest whole number that a column can hold."""

_TEXT = {"dtype": "string", "_type": "Value"}
_COUNT = {"type": "integer", "minimum": 0}


def _value(dtype: str) -> dict[str, str]:
    return {"dtype": dtype, "_type": "Value"}


FEATURES: dict[str, Any] = {
    "string": _TEXT,
    "int64": _value("int64"),
    "float64": _value("float64"),
    "binary": _value("binary"),
    "messages": [{"role": _TEXT, "content": _TEXT}],
    "trained_messages": [{"role": _TEXT, "content": _TEXT, "train": _value("bool")}],
    "conversations": [{"from": _TEXT, "value": _TEXT}],
    "counts": {kind: _value("int32") for kind in CONVERSIONS},
    "json": [{"_type": "Json"}],
}
"""Types of columns -> their features, as plain values that `datasets.Features.from_dict` of every version reads.

A list is `[...]`: later versions write it as `List`, which 3.6 refuses. A column of the type `json` holds JSON texts,
which `datasets` >= 4.8 returns as objects ("Json leaves")."""

_SCHEMAS: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "int64": {"type": "integer", "maximum": INT64},
    "float64": {"type": "number"},
    "counts": {"type": "object", "additionalProperties": _COUNT},
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a kind of rows."""

    type: str
    """A key of `FEATURES`."""
    about: str
    """What it holds, as the schema says it to its readers."""
    nullable: bool = False
    """Whether a value may be null."""
    rules: Mapping[str, Any] = field(default_factory=dict)
    """Further JSON Schema keywords, such as `minLength`."""
    choices: Callable[[], Collection[str]] | None = None
    """Returns the values that it may have, where these are a list; called when the schema is made."""
    roles: Sequence[str] = ()
    """The roles that a message of the column may have, where it is a list of messages."""
    content: str = ""
    """The name of the schema of the JSON text that it holds, or of each of its JSON texts."""

    def __str__(self) -> str:
        """The type, with `?` after it where a value may be null."""
        return f"{self.type}?" if self.nullable else self.type

    @property
    def schema(self) -> dict[str, Any]:
        """Its part of the row's JSON Schema."""
        made: dict[str, Any] = {"description": self.about, **self.rules}
        if self.type in _SCHEMAS:
            made = {**_SCHEMAS[self.type], **made}
            if self.content:
                made |= self._content
        elif self.type == "json":
            made |= {"type": "array", "items": {"type": "string", **self._content}}
        else:
            made |= {"type": "array", "items": self._message}
        if self.choices is not None:
            made["enum"] = list(self.choices())
        if self.nullable:
            made["type"] = [made["type"], "null"]
            if "enum" in made:
                made["enum"].append(None)
        return made

    @property
    def _content(self) -> dict[str, Any]:
        return {
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": f"{self.content}.schema.json"},
        }

    @property
    def _message(self) -> dict[str, Any]:
        (members,) = FEATURES[self.type]
        properties: dict[str, Any] = {
            name: {"type": "boolean" if member == _value("bool") else "string"} for name, member in members.items()
        }
        properties[next(iter(members))] = {"enum": list(self.roles)}
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }


def filled_text(about: str) -> Column:
    """A column of text that is never empty."""
    return Column(type="string", about=about, rules={"minLength": 1})


def optional_text(about: str) -> Column:
    """A column of text that may be null."""
    return Column(type="string", nullable=True, about=about)


def types_of(columns: Mapping[str, Column]) -> dict[str, str]:
    """The types of columns by name, each as `str(column)`."""
    return {name: str(column) for name, column in columns.items()}


def features(types: Mapping[str, str]) -> dict[str, Any]:
    """The features of columns given by name and type (`str(column)`), as plain values.

    Nothing here needs `datasets`, which takes a second to import.
    """
    return {name: FEATURES[kind.removesuffix("?")] for name, kind in types.items()}


def row_schema(
    name: str, title: str, columns: Mapping[str, Column], optional: Mapping[str, Column] | None = None
) -> dict[str, Any]:
    """The JSON Schema of a row with these columns; it may have the `optional` ones as well, and no others."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{name}.schema.json",
        "title": title,
        "type": "object",
        "properties": {key: column.schema for key, column in {**columns, **(optional or {})}.items()},
        "required": list(columns),
        "additionalProperties": False,
    }

"""Check values against the JSON Schemas in `schemas`, and name every problem with its path.

jsonschema-rs compiles the schema and says whether a value is right, in some 0.4 us for a row of plain columns. For a
value that is not, `jsonschema` lists the problems. Both read JSON as the standard defines it, without NaN and
infinities. `$` in a pattern is the end of the text, unlike Python's own `$`, which lets a trailing newline pass. A
column of JSON text says so by `contentMediaType` and names the schema of its content in `contentSchema`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import msgspec

from sera_swezero import schemas
from sera_swezero.display.formatting import counted
from sera_swezero.errors import RowError


class Fault(NamedTuple):
    """One problem of a value."""

    path: str
    """Its JSON path."""
    found: str
    expected: str
    """What would have been right."""

    def __str__(self) -> str:
        return f"{self.path}: {self.found}; expected {self.expected}"


def faults(schema: str, value: Any, path: str = "$") -> list[Fault]:
    """Every problem of the value by the schema of this name; `path` is the value's own place."""
    try:
        right = _compiled(schema)(value)
    except ValueError:  # for bytes, and in some versions for a lone surrogate
        right = False
    return [] if right else list(_explain_all(list(_validator(schema).iter_errors(value)), path))


class Inner(NamedTuple):
    """What is inside a column of JSON text."""

    schema: str
    """The name of its schema."""
    each: bool
    """Whether the column is a list of such texts."""


@cache
def inner(schema: str) -> Mapping[str, Inner]:
    """The columns of a row's schema that hold JSON text."""
    found = {}
    for name, described in schemas.load(schema)["properties"].items():
        each = "contentSchema" in described.get("items", {})
        text = described["items"] if each else described
        if "contentSchema" in text:
            found[name] = Inner(text["contentSchema"]["$ref"].removesuffix(".schema.json"), each)
    return found


def decode(text: str) -> Any:
    """Decode JSON text. Raises ValueError where it is not JSON, has NaN or lone surrogates, or is nested too deeply."""
    try:
        return msgspec.json.decode(text)
    except (UnicodeError, RecursionError, msgspec.DecodeError) as error:
        raise ValueError(str(error)) from None


def check_row(schema: str, row: Mapping[str, Any]) -> None:
    """Check a row's columns against the schema: names, types, nulls and closed lists.

    The content of JSON text is not looked at, so the text may also be UTF-8 bytes.

    Raises:
        RowError: reason `bad_record`, with every problem.
    """
    plain = {name: _without_bytes(value) if type(value) in (bytes, list) else value for name, value in row.items()}
    if found := faults(schema, plain):
        raise RowError("bad_record", "; ".join(map(str, found)), found[0].path)


def _without_bytes(value: Any) -> Any:
    if type(value) is list and value and type(value[0]) is bytes:
        return [""] * len(value)
    return "" if type(value) is bytes else value


def forget() -> None:
    """Compile schemas again when they are next needed, because their declarations changed."""
    for made in (_compiled, _validator, inner):
        made.cache_clear()


@cache
def _compiled(schema: str) -> Callable[[Any], bool]:
    import jsonschema_rs

    known = [(loaded["$id"], loaded) for loaded in map(schemas.load, schemas.names())]
    validator = jsonschema_rs.validator_for(schemas.load(schema), registry=jsonschema_rs.Registry(known))
    return validator.is_valid


@cache
def _validator(schema: str) -> Any:
    """A `jsonschema` validator with the standard's own definition of numbers and `$`."""
    import jsonschema
    from referencing import Registry, Resource

    known = [(loaded["$id"], Resource.from_contents(loaded)) for loaded in map(schemas.load, schemas.names())]
    standard = jsonschema.Draft202012Validator
    checker = standard.TYPE_CHECKER.redefine("number", _is_number)
    made = jsonschema.validators.extend(standard, {"pattern": _pattern}, type_checker=checker)  # type: ignore[no-untyped-call]
    return made(schemas.load(schema), registry=Registry().with_resources(known))


def _is_number(_checker: Any, value: Any) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[Any]:
    import jsonschema

    if isinstance(value, str) and re.search(re.sub(r"\$$", r"\\Z", pattern), value) is None:
        yield jsonschema.ValidationError(f"{value!r} does not match {pattern!r}")


def _explain_all(errors: list[Any], root: str) -> Iterator[Fault]:
    """Every error in words; a value outside a closed list is answered with the list, not with its type as well."""
    listed = {error.json_path for error in errors if error.validator == "enum"}
    for error in errors:
        if error.validator != "type" or error.json_path not in listed:
            yield from _explain(error, root)


def _explain(error: Any, root: str) -> Iterator[Fault]:
    """One error of `jsonschema` in words; extra and missing keys are a fault each, at their own path."""
    path = root + error.json_path[1:]
    keyword, wanted, value = error.validator, error.validator_value, error.instance
    if keyword == "required":
        # One error for each missing key; the key itself is in the message alone.
        for name in wanted:
            if name not in value and error.message.startswith(repr(name)):
                yield Fault(_child(path, name), "nothing: the key is missing", _described(error.schema, name))
    elif keyword == "additionalProperties":
        known = error.schema.get("properties", {})
        for name in value:
            if name not in known:
                yield Fault(_child(path, name), f"an extra key {name!r}", f"only {', '.join(known)}")
    elif keyword in ("anyOf", "oneOf") and error.context:
        yield from _explain_all(_nearest(error), root)
    elif keyword in _WORDS:
        yield Fault(path, brief(value), _WORDS[keyword](wanted))
    else:
        yield Fault(path, brief(value), f"{keyword} {wanted!r}")


def _nearest(error: Any) -> list[Any]:
    """The errors of the alternative that the value comes nearest to: the right role first, then the fewest errors."""
    branches: dict[int, list[Any]] = {}
    for one in error.context:
        branches.setdefault(one.schema_path[0], []).append(one)
    return min(branches.values(), key=lambda errors: (any(one.validator == "const" for one in errors), len(errors)))


def _child(path: str, name: str) -> str:
    return f"{path}.{name}" if name.isidentifier() else f"{path}[{name!r}]"


def _described(schema: Mapping[str, Any], name: str) -> str:
    about = schema.get("properties", {}).get(name, {})
    return _types(about["type"]) if "type" in about else f"the key {name!r}"


def _types(wanted: str | list[str]) -> str:
    return " or ".join([wanted] if isinstance(wanted, str) else wanted)


def _likeness(pattern: str) -> str:
    """A pattern as a person writes it: `<think>...</think>`."""
    return pattern.removeprefix("^").removesuffix("$").replace(r"[\s\S]*", "...")


_WORDS: dict[str, Callable[[Any], str]] = {
    "type": _types,
    "enum": lambda wanted: "one of " + ", ".join("null" if one is None else repr(one) for one in wanted),
    "const": repr,
    "pattern": _likeness,
    "minLength": lambda wanted: f"at least {counted(wanted, 'character')}",
    "minimum": lambda wanted: f"{wanted} or more",
    "maximum": lambda wanted: f"{wanted} or less",
    "exclusiveMinimum": lambda wanted: f"more than {wanted}",
    "minItems": lambda wanted: f"at least {counted(wanted, 'item')}",
    "maxItems": lambda wanted: f"at most {counted(wanted, 'item')}",
}


def brief(value: Any) -> str:
    """A value in short: its type and its beginning and end."""
    if value is None:
        return "null"
    kinds = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
    kind = kinds.get(type(value), type(value).__name__)
    if isinstance(value, list | dict):
        return f"{kind} of {counted(len(value), 'item' if isinstance(value, list) else 'key')}"
    # Cut before repr: a value may be megabytes long.
    text = value if isinstance(value, str) else repr(value)
    if len(text) > 60:
        text = f"{text[:40]} ... {text[-20:]}"
    return f"{kind} {text!r}" if kind == "string" else f"{kind} {text}"

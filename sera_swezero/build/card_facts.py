"""What the card says about your own runs that none of their files says: licence, name, model, description."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from sera_swezero.errors import ConfigError

_LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]*")


class CardFacts(msgspec.Struct, omit_defaults=True, frozen=True):
    """What the publisher says; "" for what was not said."""

    license: str = ""
    """The hub's id of the licence, such as "mit", "apache-2.0" or "cc-by-4.0"."""
    pretty_name: str = ""
    """The title of the card, one line."""
    model: str = ""
    """The model that made the runs, one line."""
    description: str = ""
    """Markdown below the title."""


def card_facts(given: Mapping[str, str | None], file: Path | None = None) -> CardFacts:
    """The facts that a caller gives by name, and those of a TOML file that has keys of the same names.

    What is given takes precedence over the file. None stands for a fact that is not given.

    Raises:
        ConfigError: the file cannot be read as TOML, or a fact has another name or form.
    """
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8")) if file is not None else {}
    except (OSError, ValueError) as error:
        msg = f"{file}: cannot be read as TOML: {error}"
        raise ConfigError(msg) from error
    found |= {name: value for name, value in given.items() if value is not None}
    for name, value in found.items():
        if expected := _expected(name, value):
            msg = f"{file or 'card'}: {name} = {value!r}; {expected}"
            raise ConfigError(msg)
    return CardFacts(**found)


def _expected(name: str, value: object) -> str:
    """What would have been right; "" if the fact is right."""
    if name not in CardFacts.__struct_fields__:
        return f"one of {', '.join(CardFacts.__struct_fields__)} was expected"
    if not isinstance(value, str):
        return "a text was expected"
    if name == "license" and not _LICENSE.fullmatch(value):
        return "the hub's id of a licence was expected, such as 'mit' or 'cc-by-4.0'"
    return "one line was expected" if name != "description" and len(value.splitlines()) > 1 else ""

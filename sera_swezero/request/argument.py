"""How one argument of a config is declared, and how a value is checked against the declaration."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from sera_swezero.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Argument:
    """The declaration of one argument."""

    name: str
    type: Any
    """The type of a value. None, which stands for the default, is not part of it."""
    default: Any
    meaning: str
    """What the argument does, as the README and the help of the commands say it; code is in backticks."""
    words: str
    """What a value may be, in words; empty where there is a closed list."""
    listed: Callable[[], list[str]] | None
    """Gives the closed list of values that a registry or the catalog knows."""
    order: bool
    """Whether the argument decides only the place of a row, not which rows there are or what they say."""
    bounds: msgspec.Meta

    @property
    def choices(self) -> list[str]:
        """The closed list of values; empty if there is none."""
        if self.listed is not None:
            return self.listed()
        return list(get_args(self.type)) if get_origin(self.type) is Literal else []

    @property
    def values(self) -> str:
        """What a value may be, in words or as a list; code is in backticks."""
        return self.words or ", ".join(f"`{choice}`" for choice in self.choices)

    def check(self, value: Any) -> Any:
        """Return the value, a path as text. Raises ConfigError for a wrong value, and says what would be right."""
        plain = os.fspath(value) if isinstance(value, os.PathLike) else value
        try:
            checked = msgspec.convert(plain, Annotated[self.type, self.bounds])
            if self.listed is None or checked in self.listed():
                return checked
        except msgspec.ValidationError:
            pass
        expected = self.values.replace("`", "'")
        msg = f"{self.name}={value!r}; {'' if self.words else 'one of '}{expected} was expected"
        raise ConfigError(msg)


def declare(
    meaning: str,
    words: str = "",
    *,
    default: Any = None,
    listed: Callable[[], list[str]] | None = None,
    order: bool = False,
    **bounds: Any,
) -> Any:
    """Declare an argument: the fields of `Argument`, and the bounds of its values as `msgspec.Meta` takes them."""
    about = {"meaning": meaning, "words": words, "listed": listed, "order": order, "bounds": msgspec.Meta(**bounds)}
    return field(default=default, metadata=about)

"""What commands share: the options for the arguments of a config, and output as JSON."""

from __future__ import annotations

import functools
import inspect
import json
import re
from collections.abc import Callable, Collection
from typing import Annotated, Any, get_type_hints

import typer

from sera_swezero.errors import ConfigError
from sera_swezero.request.argument import Argument
from sera_swezero.request.arguments import ARGUMENTS
from sera_swezero.request.config_names import config_names


def complete_config(incomplete: str) -> list[str]:
    """The config names that begin with these letters, for the shell's completion."""
    return [name for name in config_names() if name.startswith(incomplete)]


def config_argument(text: str, metavar: str = "CONFIG") -> Any:
    """A positional argument for names of configs, which the shell completes; `text` is its help."""
    return typer.Argument(metavar=metavar, help=text, autocompletion=complete_config)


ConfigName = Annotated[str, config_argument("A config name, such as glm-4.6-lite-t2 or sera-native.")]
ShardSize = Annotated[str, typer.Option(metavar="SIZE", help="Raw bytes of a shard, such as 256MiB, 100MB or 5000.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for other programs.")]

ORDER = frozenset(argument.name for argument in ARGUMENTS.values() if argument.order)
"""The arguments that only decide the order of rows, which is of no use to a command that reads all rows."""

_PANEL = "Arguments of the config"
_UNITS = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3, "KI": 1024, "MI": 1024**2, "GI": 1024**3}


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """Print a value as JSON; with `indent=None` on one line."""
    typer.echo(json.dumps(value, indent=indent, ensure_ascii=False))


def parse_size(text: str) -> int:
    """Bytes of a size such as 256MiB, 100MB or 5000. Raises ConfigError."""
    found = re.fullmatch(r"\s*(\d+)\s*([KMG]I?)?B?\s*", text.upper())
    if found is None or not int(found[1]):
        msg = f"shard size {text!r}; a positive number of bytes was expected, such as 256MiB, 100MB or 5000"
        raise ConfigError(msg)
    return int(found[1]) * _UNITS[found[2] or ""]


def takes_arguments(
    *, only: Collection[str] = ARGUMENTS, without: Collection[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command one option for each argument of a config.

    The command gets the values that were given as its keyword `arguments`, an `ArgumentsDict`.

    Args:
        only: the arguments that the command takes.
        without: those of them for which the command has no option, or has an option of its own.
    """
    declared = [ARGUMENTS[name] for name in only if name not in without]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def with_options(**values: Any) -> None:
            arguments: Any = {argument.name: values.pop(argument.name) for argument in declared}
            command(**values, arguments={name: value for name, value in arguments.items() if value is not None})

        hints = get_type_hints(command, include_extras=True)
        own = inspect.signature(command).parameters.values()
        parameters = [
            one.replace(annotation=hints[one.name], kind=one.KEYWORD_ONLY) for one in own if one.name != "arguments"
        ] + [_option(argument) for argument in declared]
        with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        with_options.__annotations__ = {one.name: one.annotation for one in parameters}
        return with_options

    return decorate


def _option(argument: Argument) -> inspect.Parameter:
    flag = f"--{argument.name.replace('_', '-')}"
    values = "" if argument.type is bool else f" ({argument.values.replace('`', '')})"
    text = argument.meaning[0].upper() + argument.meaning[1:] + values
    kind = argument.type if argument.type in {bool, int, float} else str
    metavar = {bool: None, int: "N", float: "X"}.get(kind, argument.name.upper())
    option = typer.Option(flag, metavar=metavar, help=text, rich_help_panel=_PANEL, show_default=False)
    return inspect.Parameter(
        argument.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
    )

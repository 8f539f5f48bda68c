"""`sera-swezero render`: what a chat template keeps of the rows of a config, before anyone trains on them."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sera_swezero.cli.options import ConfigName, Json, print_json, takes_arguments
from sera_swezero.errors import ConfigError
from sera_swezero.request.arguments import ArgumentsDict

if TYPE_CHECKING:
    from sera_swezero.templates.chat_template import ChatTemplate
    from sera_swezero.templates.survival import SurvivalCounts


@takes_arguments(without={"tokenizer"})
def render(
    config: ConfigName,
    *,
    template: Annotated[
        str | None,
        typer.Option(
            "--template",
            help="A Jinja file, or the name of one in the installed trl or transformers, such as qwen3_training; "
            "without it, the tokenizer's own.",
        ),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            "--tokenizer",
            help="Hub id or folder: counts tokens, and which of them are the model's; also for --max-tokens.",
        ),
    ] = None,
    max_length: Annotated[
        int | None,
        typer.Option(
            "--max-length",
            min=1,
            metavar="N",
            help="The trainer's own limit in tokens (TRL: max_length, Axolotl: sequence_len, LLaMA-Factory: "
            "cutoff_len): counts the turns of the model that it cuts off.",
        ),
    ] = None,
    rows: Annotated[int, typer.Option("--rows", min=1, metavar="N", help="How many rows to render.")] = 100,
    as_json: Json = False,
    arguments: ArgumentsDict,
) -> None:
    """Render rows through a chat template and count what survived; exit code 1 if anything was lost."""
    from sera_swezero.loading.builder import SeraSweZero
    from sera_swezero.templates.chat_template import load_template
    from sera_swezero.templates.survival import look
    from sera_swezero.views.token_limit import spans

    if tokenizer is not None:
        spans(tokenizer, "")  # loads the tokenizer before any row is read
    elif max_length is not None:
        msg = "--max-length counts tokens; give --tokenizer, too"
        raise ConfigError(msg)
    found_template = load_template(template, tokenizer)
    logging.getLogger("sera_swezero").setLevel(logging.ERROR)  # rejected rows are reported by other commands
    if "max_tokens" in arguments:
        arguments["tokenizer"] = tokenizer
    builder = SeraSweZero(config_name=config, **arguments)
    stream = builder.as_streaming_dataset(split="train")
    found = look(itertools.islice(stream, rows), builder.request.view.name, found_template, tokenizer, max_length)
    if as_json:
        print_json(_figures(found, found_template))
    else:
        _show(found, found_template, builder.request.name, max_length)
    if not found.whole:
        raise typer.Exit(1)


def _figures(found: SurvivalCounts, template: ChatTemplate) -> dict[str, Any]:
    from sera_swezero.templates.survival import KINDS

    kinds = {kind: {"kept": found.kept[kind], "of": found.total[kind]} for kind in KINDS}
    return {
        "template": template.name,
        "rows": found.rows,
        "failed": dict(found.failed),
        **kinds,
        "nulls": found.nulls,
        "argument_nulls": found.argument_nulls,
        "characters": found.characters,
        "tokens": found.tokens,
        "trained_tokens": found.trained,
        "turns": found.turns,
        "cut_turns": found.cut_turns,
        "whole": found.whole,
    }


def _show(found: SurvivalCounts, template: ChatTemplate, name: str, max_length: int | None) -> None:
    from rich.console import Console

    from sera_swezero.display.formatting import NONE
    from sera_swezero.display.table import Table, print_table
    from sera_swezero.templates.survival import KINDS

    console = Console(soft_wrap=True)
    console.print(f"{name} through the template {template.name}: {found.rows} rows rendered")
    for error, count in found.failed.most_common():
        console.print(f"{count} rows failed: {error}", style="red", markup=False)
    shares = [found.share(kind) for kind in KINDS]
    rows = [
        [kind, str(found.kept[kind]), str(found.total[kind]), NONE if share is None else f"{share:.1%}"]
        for kind, share in zip(KINDS, shares, strict=True)
    ]
    lossy = [index for index, share in enumerate(shares) if share is not None and share < 1]
    print_table(Table(header=["", "kept", "of", "share"], rows=rows, marked_rows=lossy))
    console.print(f"nulls in the rows: {found.nulls}, and {found.argument_nulls} inside the model's own arguments")
    if found.tokens is None:
        return
    if found.trained is None:
        console.print(
            "tokens: no share of trained ones, since the template marks none ({% generation %})", markup=False
        )
    else:
        share = found.trained / found.tokens if found.tokens else 0
        console.print(f"tokens: {found.tokens:,}, of which {found.trained:,} ({share:.1%}) are the model's")
    if max_length is not None:
        share = found.cut_turns / found.turns if found.turns else 0
        cut = f"{found.cut_turns:,} ({share:.1%}) are cut off by a limit of {max_length:,} tokens"
        console.print(f"turns of the model: {found.turns:,}, of which {cut}")

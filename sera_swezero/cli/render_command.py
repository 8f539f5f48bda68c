"""`sera-swezero render`: what a chat template keeps of the rows of a config, before anyone trains on them."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sera_swezero.cli.options import ConfigName, Json, print_json, takes_arguments
from sera_swezero.display.formatting import NONE, escaped, share
from sera_swezero.display.table import Table, print_table
from sera_swezero.errors import ConfigError
from sera_swezero.request.arguments import ArgumentsDict

if TYPE_CHECKING:
    from sera_swezero.templates.parity import ParityCheck
    from sera_swezero.templates.survival import SurvivalCounts
    from sera_swezero.views.chat_template import ChatTemplate


@takes_arguments(without={"tokenizer"})
def render(  # noqa: PLR0913 (options of a command)
    config: ConfigName,
    *,
    template: Annotated[
        str | None,
        typer.Option(
            metavar="TEMPLATE",
            help="The template that you train with: a Jinja file, or the name of one in the installed trl, such as "
            "qwen3_training. Without it, the tokenizer's own.",
        ),
    ] = None,
    serve: Annotated[
        str | None,
        typer.Option(
            metavar="TEMPLATE",
            help="The template that you serve with, to compare every turn. Without it, the tokenizer's own.",
        ),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            metavar="TOKENIZER",
            help="A hub id or a folder: counts the tokens, and those that the model wrote; also for --max-tokens.",
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="TOKENIZER",
            help="The tokenizer that a training run started from, where --tokenizer is the one that it saved.",
        ),
    ] = None,
    max_length: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Count the turns that a trainer with this limit cuts off (TRL: max_length, Axolotl: sequence_len, "
            "LLaMA-Factory: cutoff_len).",
        ),
    ] = None,
    rows: Annotated[int, typer.Option(min=1, metavar="N", help="How many rows to render.")] = 100,
    as_json: Json = False,
    arguments: ArgumentsDict,
) -> None:
    """Check what a chat template keeps of the rows, and that a model is trained on what it is served.

    The exit code is 1 if the template loses anything, or if any turn is trained differently from how it is served.
    """
    from sera_swezero.loading.builder import SeraSweZero
    from sera_swezero.templates.parity import ParityCheck
    from sera_swezero.templates.survival import look
    from sera_swezero.views.chat_template import load_template, own_template
    from sera_swezero.views.tokenizer import encode

    if tokenizer is None and (max_length is not None or against is not None):
        option = "--max-length counts tokens" if against is None else "--against compares two tokenizers"
        msg = f"{option}; give --tokenizer, too"
        raise ConfigError(msg)
    trained_with = against or tokenizer
    for one in filter(None, (tokenizer, against)):
        encode(one, "")  # loads the tokenizer before any row is read
    training = load_template(template, trained_with)
    serving = load_template(serve, tokenizer) if serve else own_template(tokenizer) if tokenizer else None
    parity = ParityCheck(training, serving, tokenizer) if serving is not None else None
    logging.getLogger("sera_swezero").setLevel(logging.ERROR)  # rejected rows are reported by other commands
    if "max_tokens" in arguments:
        arguments["tokenizer"] = trained_with
    builder = SeraSweZero(config_name=config, **arguments)
    stream = itertools.islice(builder.as_streaming_dataset(split="train"), rows)
    found = look(stream, builder.request.view.name, training, trained_with, max_length, parity)
    if as_json:
        serving_figures = {"serving": _serving(parity)} if parity else {}
        print_json(_figures(found, training) | serving_figures)
    else:
        _show(found, training, builder.request.name, max_length)
        if parity is not None:
            _show_parity(parity)
    if not (found.whole and (parity is None or parity.counts.whole)):
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


def _serving(parity: ParityCheck) -> dict[str, Any]:
    counts = parity.counts
    return {
        "template": parity.serving.name,
        "rows": counts.rows,
        "rows_in_parity": counts.rows_in_parity,
        "turns": counts.turns,
        "turns_in_parity": counts.turns_in_parity,
        "causes": dict(counts.causes),
        "examples": {cause: example._asdict() for cause, example in counts.examples.items()},
        "unit": "characters" if parity.tokenizer is None else "tokens",
        "trained_not_generated": counts.amounts["trained_not_generated"],
        "generated_not_trained": counts.amounts["generated_not_trained"],
    }


def _show_parity(parity: ParityCheck) -> None:
    from rich.console import Console

    from sera_swezero.templates.parity import CAUSES

    counts = parity.counts
    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(f"\nserved with the template {parity.serving.name}")
    console.print(f"turns in parity: {share(counts.turns_in_parity, counts.turns)} of {counts.turns:,}")
    console.print(f"rows in parity: {share(counts.rows_in_parity, counts.rows)} of {counts.rows:,}")
    if not counts.causes:
        return
    rows = [[CAUSES[cause], share(count, counts.turns)] for cause, count in counts.causes.most_common()]
    print_table(Table(header=["what the others differ in", "turns"], rows=rows, marked_rows=range(len(rows))))
    for cause, amount in counts.amounts.items():
        console.print(f"{cause}: {amount:,} {'characters' if parity.tokenizer is None else 'tokens'}")
    for cause, _ in counts.causes.most_common():
        _, row, message, training, serving = counts.examples[cause]
        console.print(f"{cause}, first in row {row}, message {message}:")
        console.print(f"  trained: {escaped(training)}\n  served:  {escaped(serving)}")


def _show(found: SurvivalCounts, template: ChatTemplate, name: str, max_length: int | None) -> None:
    from rich.console import Console

    from sera_swezero.templates.survival import KINDS

    console = Console(soft_wrap=True)
    console.print(f"{name} through the template {template.name}: {found.rows} rows rendered")
    for error, count in found.failed.most_common():
        console.print(f"{count} rows failed: {error}", style="red", markup=False)
    shares = [found.share(kind) for kind in KINDS]
    rows = [
        [kind, str(found.kept[kind]), str(found.total[kind]), NONE if kept is None else f"{kept:.1%}"]
        for kind, kept in zip(KINDS, shares, strict=True)
    ]
    lossy = [index for index, kept in enumerate(shares) if kept is not None and kept < 1]
    print_table(Table(header=["", "kept", "of", "share"], rows=rows, marked_rows=lossy))
    console.print(f"nulls in the rows: {found.nulls}, and {found.argument_nulls} inside the model's own arguments")
    if found.tokens is None:
        return
    if found.trained is None:
        console.print(
            "tokens: no share of trained ones, since the template marks none ({% generation %})", markup=False
        )
    else:
        console.print(f"tokens: {found.tokens:,}, of which {share(found.trained, found.tokens)} are the model's")
    if max_length is not None:
        cut = f"{share(found.cut_turns, found.turns)} are cut off by a limit of {max_length:,} tokens"
        console.print(f"turns of the model: {found.turns:,}, of which {cut}")

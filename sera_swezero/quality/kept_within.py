"""What each way to treat rows that are too long would keep of a record: what `stats --max-tokens` counts."""

from __future__ import annotations

from dataclasses import replace

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.errors import RowError
from sera_swezero.views import ViewInput
from sera_swezero.views.token_counts import count_tagged
from sera_swezero.views.token_limit import DROP, SPLIT, TRUNCATE, fitting
from sera_swezero.views.training import show_rollout, tagged_messages, with_tools

UNITS = ("rows", "turns", "tokens")
"""What is counted: records that are kept in part or in whole, turns of the model, and the tokens of these turns."""


def kept_within(view_input: ViewInput, max_tokens: int, tokenizer: str) -> dict[str, int]:
    """Counts of one record by names such as "drop turns": a way of `overlong`, or "all", and one of `UNITS`.

    They count what the training views show with submit calls. A record that gives them no row has no counts.
    """
    try:
        shown = show_rollout(replace(view_input, submit="call", conversions=ConversionLog()))
    except RowError:
        return {}
    texts = tagged_messages(shown.trajectory, with_tools(shown.system, view_input.tools))
    tokens = count_tagged(shown.trajectory, texts, tokenizer)
    begun, turns = tokens
    kept = {"all": turns, DROP: turns, TRUNCATE: turns, SPLIT: turns}
    if tokens.of() > max_tokens:
        kept[DROP] = []
        kept[TRUNCATE] = turns[: fitting(turns, begun, max_tokens)]
        kept[SPLIT] = [turn for turn in turns if begun + turn.said <= max_tokens]
    counts: dict[str, int] = {}
    for way, chosen in kept.items():
        figures = (int(bool(chosen)), len(chosen), sum(turn.said for turn in chosen))
        counts |= {f"{way} {unit}": figure for unit, figure in zip(UNITS, figures, strict=True)}
    return counts

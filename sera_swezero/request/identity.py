"""What makes two requests give the same rows in the same order: for cache keys, build entries and saved states.

The identity of rows is a number that people raise, never a hash of source text, so editing a comment voids nothing.
A test keeps the hash of every golden row with `ROWS_VERSION` and fails if one changes without the other.
"""

from __future__ import annotations

import hashlib
from typing import Any

from sera_swezero.request.arguments import ARGUMENTS, NARROWING
from sera_swezero.request.filters import described
from sera_swezero.request.settle import Request
from sera_swezero.views.token_limit import Limit
from sera_swezero.views.tokenizer import digest as tokenizer_digest

ROWS_VERSION = 3
"""Raised when, and only when, a row of any config changes for the same record and arguments."""

ORDER_VERSION = 2
"""Raised when, and only when, the order of a stream changes for the same files and arguments."""


_DESCRIBED_OTHERWISE = frozenset(
    {
        *("view", "submit"),  # by the names that were settled
        *NARROWING,  # by the repositories that they leave
        *("upstream", "revision"),  # by the snapshot of what is read
        # by the limit, with the content of the tokenizer and of the template
        *("max_tokens", "tokenizer", "chat_template", "overlong", "context"),
        *("dedup", "decontaminate", "tools"),  # by the content of their files
        "on_error",  # not at all: it changes no row
    }
)
"""Arguments whose own values do not describe the rows. All others do, so a new argument is never forgotten."""


def describe(request: Request) -> dict[str, Any]:
    """The parts of a request that decide its rows, as plain values."""
    arguments = request.arguments
    deciding = [one.name for one in ARGUMENTS.values() if not one.order and one.name not in _DESCRIBED_OTHERWISE]
    return {
        "config": request.config.name,
        "view": request.view.name,
        "submit": request.submit,
        "repos": [origin.repo for origin in request.origins],
        **{name: getattr(arguments, name) for name in deciding},
        "limit": request.limit and _described(request.limit),
        "tools": hashlib.sha256("\n".join(request.tools).encode()).hexdigest() if request.tools else None,
        **described(request),
    }


def _described(limit: Limit) -> list[Any]:
    described = [limit.max_tokens, limit.overlong, limit.context, tokenizer_digest(limit.tokenizer)]
    if limit.chat_template is not None:
        from sera_swezero.views.chat_template import load_template  # imports Jinja, which few requests need

        described.append(load_template(limit.chat_template, limit.tokenizer).digest)
    return described

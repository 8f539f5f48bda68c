"""What makes two requests give the same rows in the same order: for cache keys, build entries and saved states.

The identity of rows is a number that people raise, never a hash of source text, so editing a comment voids nothing.
A test keeps the hash of all golden rows beside `ROWS_VERSION` and fails if one changes without the other.
"""

from __future__ import annotations

from typing import Any

from sera_swezero.request.filters import described
from sera_swezero.request.settle import Request
from sera_swezero.views.token_limit import digest as tokenizer_digest

ROWS_VERSION = 1
"""Raised when, and only when, a row of any config changes for the same record and arguments."""

ORDER_VERSION = 1
"""Raised when, and only when, the order of a stream changes for the same files and arguments."""


def describe(request: Request) -> dict[str, Any]:
    """What of a request decides its rows, as plain values."""
    limit = request.limit
    return {
        "config": request.config.name,
        "view": request.view.name,
        "submit": request.submit,
        "incomplete": request.incomplete,
        "repos": [origin.repo for origin in request.origins],
        "min_recall": request.min_recall,
        "lineage": request.lineage,
        "limit": limit and [limit.max_tokens, limit.overlong, tokenizer_digest(limit.tokenizer)],
        **described(request),
    }

"""How a rollout's texts are held while it is converted: plain, or still escaped as JSON has them.

Upstream's texts come as JSON strings and the rectified view writes JSON strings, so nearly every character would be
unescaped only to be escaped again. `escaped.ESCAPED` leaves that out: a text is the inside of a JSON string, and moving
it costs a copy. The rules (adapter, machine, rectify) are the same code for both dialects and touch texts only by the
methods here. `PLAIN` is the slow twin that every other view uses; tests hold the two equal.
"""

from __future__ import annotations

from typing import Protocol

from sera_swezero import text as plain_text


class Dialect(Protocol):
    """What the rules ask of texts: each method does to texts of the dialect what its namesake in `text` does."""

    def of(self, plain: str) -> str:
        """A plain text in this dialect."""

    def plain(self, text: str) -> str:
        """A text of this dialect as plain text."""

    def join(self, *parts: str) -> str:
        """The parts that are not empty, a blank line between."""

    def ends(self, text: str, tail: str) -> bool:
        """Whether the text ends with the tail."""

    def split_thinking(self, text: str) -> tuple[str, str]:
        """A turn's text as (reasoning, visible)."""

    def strip_prefix(self, text: str) -> tuple[str, str]:
        """An observation as (the text, the prefix that was taken off or "", in plain)."""


class _Plain:
    """Texts as Python has them."""

    join = staticmethod(plain_text.join)
    ends = staticmethod(str.endswith)
    split_thinking = staticmethod(plain_text.split_thinking)
    strip_prefix = staticmethod(plain_text.strip_prefix)

    def of(self, plain: str) -> str:
        return plain

    def plain(self, text: str) -> str:
        return text


PLAIN: Dialect = _Plain()

r"""Texts as the inside of a JSON string: the fast dialect, see `dialect`.

An escaped text has one spelling: that of `msgspec.json.encode`, which is `json.dumps` with ensure_ascii=False. Whatever
is spelt otherwise (`\u2713`, `\/`) is decoded and encoded once. It is a `str` of one character a UTF-8 byte (latin-1),
so that joining never widens it and the whole row becomes bytes by a copy.
"""

from __future__ import annotations

import re

import msgspec

from sera_swezero import text as plain_text
from sera_swezero.dialect import Dialect
from sera_swezero.text import END_THINK, PREFIXES, THINK

_decode = msgspec.json.Decoder(str).decode
_encode = msgspec.json.Encoder().encode


class _Escaped:
    """Texts as the inside of a JSON string."""

    def of(self, plain: str) -> str:
        return str(_encode(plain), "latin-1")[1:-1]

    def plain(self, text: str) -> str:
        if "\\" not in text and text.isascii():
            return text
        return _decode(f'"{text}"'.encode("latin-1"))

    def join(self, *parts: str) -> str:
        return r"\n\n".join([part for part in parts if part])

    def ends(self, text: str, tail: str) -> bool:
        # The tail may begin inside an escape (`\n` ends with `n`, `\u001b` with `b`). Then only the plain texts tell.
        if not text.endswith(tail):
            return False
        start = len(text) - len(tail)
        return "\\" not in text[max(start - 5, 0) : start] or self.plain(text).endswith(self.plain(tail))

    def split_thinking(self, text: str) -> tuple[str, str]:
        if text.startswith(THINK):
            end = text.find(END_THINK)
            if end >= 0 and text.find("think>", end + len(END_THINK)) < 0:
                return _strip(text[len(THINK) : end]), _strip(text[end + len(END_THINK) :])
        elif "think>" not in text:
            return "", _strip(text)
        reasoning, visible = plain_text.split_thinking(self.plain(text))
        return self.of(reasoning), self.of(visible)

    def strip_prefix(self, text: str) -> tuple[str, str]:
        if text.startswith(_FIRST):
            return text[len(_FIRST) :], PREFIXES[0]
        if text.startswith(_SECOND):
            return text[len(_SECOND) :], PREFIXES[1]
        return text, ""


ESCAPED: Dialect = _Escaped()

# Escapes with more than one spelling; also the tail of an escaped backslash and a letter, which then is only slow.
_VARIANT = re.compile(r"\\[u/]").search
_BEGINS, _ENDS = ("", " ", "\\"), ("", " ", "n", "t", "r")  # what a blank begins and ends with
_FIRST, _SECOND = map(ESCAPED.of, PREFIXES)


def read(raw: msgspec.Raw, dialect: Dialect) -> str:
    """The text of a JSON string, quotes included, in the dialect. Raises msgspec.DecodeError where it is none."""
    if dialect is not ESCAPED:
        return _decode(raw)
    text = str(raw, "latin-1")
    if text[:1] != '"' or _VARIANT(text):
        return str(_encode(_decode(raw)), "latin-1")[1:-1]
    return text[1:-1]


def _strip(text: str) -> str:
    """`text.strip(BLANKS)` of an escaped text, in one pass however many blanks there are."""
    if text[:1] not in _BEGINS and text[-1:] not in _ENDS:
        return text
    end = len(text)
    while end:
        last = text[end - 1]
        if last == " ":
            end -= 1
            continue
        slash = end - 2  # of the run of backslashes before a letter the last one escapes it if their number is odd
        while slash >= 0 and last in "ntr" and text[slash] == "\\":
            slash -= 1
        if (end - 2 - slash) % 2 == 0:
            break
        end -= 2
    start, stop = 0, end
    while start < stop and (text[start] == " " or text.startswith((r"\n", r"\t", r"\r"), start, stop)):
        start += 1 if text[start] == " " else 2
    return text[start:end]

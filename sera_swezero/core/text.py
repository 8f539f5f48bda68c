"""Pure text functions that sources and views share. Blank means the four JSON blanks, never Unicode's."""

from __future__ import annotations

import re

BLANKS = " \t\r\n"
JOIN = "\n\n"
THINK, END_THINK = "<think>", "</think>"

_TAG = re.compile("</?think>")
_LONE_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair: fine as it is
    r"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"  # half of one
    r"|\\."  # any other escape, so that an escaped backslash never begins one
)
_LONE = re.compile("[\ud800-\udfff]")
REPLACEMENT = "\ufffd"


def join(*parts: str) -> str:
    """Join the parts that are not empty by a blank line."""
    return JOIN.join([part for part in parts if part])


def split_thinking(text: str) -> tuple[str, str]:
    """Split a turn's text into (reasoning, visible).

    Text between think tags is reasoning, all other text is visible; several blocks are joined in order. A block that is
    not closed goes on to the end, and a closing tag alone ends a block that began with the text. Both results are
    stripped of surrounding blanks.
    """
    block, end, rest = text.partition(END_THINK)
    if end and block.startswith(THINK) and "think>" not in rest:
        # Nearly every turn: one block at the start, and at most one piece of visible text behind it.
        return block[len(THINK) :].strip(BLANKS), rest.strip(BLANKS)
    if "think>" not in text:
        return "", text.strip(BLANKS)
    reasoning: list[str] = []
    visible: list[str] = []
    at, inside = 0, False
    for tag in _TAG.finditer(text):
        if tag.group() == END_THINK:
            reasoning.append(text[at : tag.start()])
        elif inside:
            continue  # an opening tag inside a block is text
        else:
            visible.append(text[at : tag.start()])
        at, inside = tag.end(), tag.group() == THINK
    (reasoning if inside else visible).append(text[at:])
    return join(*(part.strip(BLANKS) for part in reasoning)), join(*(part.strip(BLANKS) for part in visible))


def mend_json(line: bytes) -> tuple[bytes, int]:
    """Replace every lone surrogate in a JSON text, escaped or as raw bytes, by U+FFFD. Returns (text, how many).

    It works on the text, not on parsed values, so spacing, numbers and the order of keys stay as they were. Other bytes
    that are not UTF-8 are replaced, too.
    """
    try:
        text, count = _LONE.subn(REPLACEMENT, line.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        text = line.decode("utf-8", "replace")
        count = text.count(REPLACEMENT) - line.count(REPLACEMENT.encode())

    def mend(match: re.Match[str]) -> str:
        nonlocal count
        if match.group(1):
            count += 1
            return "\\ufffd"
        return match.group()

    return _LONE_ESCAPE.sub(mend, text).encode(), count


def mend_text(text: str) -> tuple[str, int]:
    """Replace every lone surrogate in a str by U+FFFD. Returns (text, how many)."""
    return _LONE.subn(REPLACEMENT, text)

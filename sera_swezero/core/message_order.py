"""The order and the wrappers of rectified messages, as the card has them. Every rectified row must follow them.

system user (reasoning tool_call tool_output)* reasoning answer        a submitted rollout: 4 + 3 x calls messages
a proper prefix of that                                                any other rollout; [] where it never began
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

WRAPPERS: dict[str, tuple[str, str]] = {
    "system": ("", ""),
    "user": ("", ""),
    "reasoning": ("<think>", "</think>"),
    "tool_call": ("<tool_call>", "</tool_call>"),
    "tool_output": ("<tool_response>", "</tool_response>"),
    "answer": ("<answer>", "</answer>"),
}
"""Every role of a rectified message and what its content begins and ends with."""

_LETTERS = {"system": "s", "user": "u", "reasoning": "r", "tool_call": "c", "tool_output": "o", "answer": "a"}
_FOLLOWS = {"": "s", "s": "u", "u": "r", "r": "ca", "c": "o", "o": "r", "a": ""}
_NAMES = {letter: role for role, letter in _LETTERS.items()}
_WHOLE, _PREFIX = "su(rco)*ra", "(su(rco)*(rc?)?)?"
_RIGHT = {True: re.compile(_WHOLE), False: re.compile(_PREFIX), None: re.compile(f"{_WHOLE}|{_PREFIX}")}
_END = {
    True: "a submitted rollout ends on its answer",
    False: "a rollout that was not submitted has no answer",
    None: "a rollout ends on its answer, or before it has one on user, reasoning, tool_call or tool_output",
}


def wrapped(role: str, content: str) -> bool:
    """Whether the content carries its role's wrapper."""
    opening, closing = WRAPPERS[role]
    return len(content) >= len(opening) + len(closing) and content.startswith(opening) and content.endswith(closing)


class OrderFault(NamedTuple):
    """One place where the order breaks."""

    position: int
    """The index of the message."""
    found: str
    expected: str


def faults(roles: Sequence[str], *, submitted: bool | None = None) -> list[OrderFault]:
    """Every place where the order breaks. With None for `submitted`, the order of either kind of rollout will do."""
    letters = [_LETTERS.get(role, "?") for role in roles]
    if _RIGHT[submitted].fullmatch("".join(letters)):
        return []
    found: list[OrderFault] = []
    before = ""
    for index, letter in enumerate(letters):
        if letter == "?":
            found.append(OrderFault(index, f"role {roles[index]!r}", f"one of {', '.join(_LETTERS)}"))
            continue
        if letter not in _FOLLOWS[before]:
            allowed = " or ".join(_NAMES[name] for name in _FOLLOWS[before]) or "nothing"
            after = f"after {_NAMES[before]}" if before else "at the start"
            found.append(OrderFault(index, f"{roles[index]} {after}", allowed))
        before = letter
    end = f"the messages end on {roles[-1] if roles else 'nothing'}"
    return found or [OrderFault(max(len(roles) - 1, 0), end, _END[submitted])]

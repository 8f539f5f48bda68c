"""The order and the wrappers of rectified messages, as the card has them. Every rectified row is held to them.

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
_WHOLE = re.compile("su(rco)*ra")
_PREFIX = re.compile("(su(rco)*(rc?)?)?")


def follows(roles: Sequence[str], *, submitted: bool | None = None) -> bool:
    """Whether roles in this order are a rectified rollout; `submitted` None means that either kind will do."""
    try:
        letters = "".join([_LETTERS[role] for role in roles])
    except KeyError:
        return False
    whole = _WHOLE.fullmatch(letters) is not None
    if submitted is True or whole:
        return whole and submitted is not False
    return _PREFIX.fullmatch(letters) is not None


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
    """Every place where the order breaks."""
    found: list[OrderFault] = []
    before = ""
    for index, role in enumerate(roles):
        letter = _LETTERS.get(role)
        if letter is None:
            found.append(OrderFault(index, f"role {role!r}", f"one of {', '.join(_LETTERS)}"))
            continue
        if letter not in _FOLLOWS[before]:
            allowed = " or ".join(_NAMES[name] for name in _FOLLOWS[before]) or "nothing"
            after = f"after {_NAMES[before]}" if before else "at the start"
            found.append(OrderFault(index, f"{role} {after}", allowed))
        before = letter
    if not found and not follows(roles, submitted=submitted):
        end = roles[-1] if roles else "nothing"
        expected = _expected_end(submitted=submitted)
        found.append(OrderFault(max(len(roles) - 1, 0), f"the messages end on {end}", expected))
    return found


def _expected_end(*, submitted: bool | None) -> str:
    if submitted is None:
        return "a rollout ends on its answer, or before it has one on user, reasoning, tool_call or tool_output"
    return "a submitted rollout ends on its answer" if submitted else "a rollout that was not submitted has no answer"

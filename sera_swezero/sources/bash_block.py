"""A SWE-ZERO turn: words around one ```bash block, as mini-swe-agent writes and reads it."""

from __future__ import annotations

import re

import msgspec

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.text import BLANKS, join

_FENCE = "```bash"
_OPEN = re.compile(_FENCE + r"(\s*)")
_LABEL = "THOUGHT:"
_ANNOUNCE = re.compile(r"""echo\s+(["']?)(COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT|MINI_SWE_AGENT_FINAL_OUTPUT)\1\s*;?""")
_encode = msgspec.json.Encoder().encode


def split_turn(content: str, conversions: ConversionLog) -> tuple[str, str | None]:
    """Split a turn into the words around its first bash block, and the command (None where there is no block)."""
    block = find_block(content)
    if block is None:
        return _unlabelled(content), None
    start, command, end = block
    before, after = _unlabelled(content[:start]), content[end:].strip(BLANKS)
    if after:
        if find_block(content[end:]):
            conversions.add("extra_block")
        before = join(before, after)
    return before, command.strip(BLANKS)


def find_block(content: str) -> tuple[int, str, int] | None:
    r"""Find the first bash block: (where it starts, what is inside, where it ends), None where there is none.

    What the generator's own pattern finds, ```` ```bash\s*\n(.*?)\n``` ````, but in one pass: that pattern takes
    quadratic time on a turn that repeats an opening fence, or blank lines behind one, and never closes it.
    """
    start = content.find(_FENCE)
    if start < 0:
        return None
    inside = start + len(_FENCE) + 1
    if content.startswith("\n", inside - 1) and not content[inside : inside + 1].isspace():
        # Nearly every block; the loop says the same, and what else there may be.
        close = content.find("\n```", inside)
        if close >= 0:
            return start, content[inside:close], close + 4
    for opening in _OPEN.finditer(content):
        lines = opening.group(1).rfind("\n") + 1
        if not lines:
            continue
        inside = opening.start(1) + lines
        close = content.find("\n```", inside)
        if close >= 0:
            return opening.start(), content[inside:close], close + 4
        # Nothing closes behind the blank lines; the last of them may itself begin the closing fence.
        if content.startswith("```", inside) and "\n" in opening.group(1)[: lines - 1]:
            return opening.start(), "", inside + 3
        return None  # and nothing closes any later block
    return None


def _unlabelled(words: str) -> str:
    return words.strip(BLANKS).removeprefix(_LABEL).strip(BLANKS)


def as_arguments(command: str) -> str:
    """A command as the arguments of a call of the tool `bash`, which upstream does not have: as JSON text."""
    return f'{{"command": {_encode(command).decode()}}}'


def announces(command: str) -> bool:
    """Whether the command does no more than announce the submission."""
    return _ANNOUNCE.fullmatch(command.strip(BLANKS)) is not None

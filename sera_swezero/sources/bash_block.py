"""A turn of mini-swe-agent's text models: words around one ```bash block."""

from __future__ import annotations

import re
from functools import cache

import msgspec

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.text import BLANKS, join
from sera_swezero.core.trajectory import ToolCall

FENCE = "```bash"
"""How a block opens, unless a program has another word for it."""

_LABEL = "THOUGHT:"
_SUBMITS = re.compile("COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT|MINI_SWE_AGENT_FINAL_OUTPUT|MICRO_SWE_AGENT_FINAL_OUTPUT")
_ANNOUNCE = re.compile(rf"""echo\s+(["']?)({_SUBMITS.pattern})\1\s*;?""")


class _Arguments(msgspec.Struct):
    command: str | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Arguments).decode


def split_turn(content: str, conversions: ConversionLog) -> tuple[str, str | None]:
    """Split a turn into the words around its first bash block, and the command (None where there is no block)."""
    block = find_block(content)
    if block is None:
        return unlabelled(content), None
    start, command, end = block
    before, after = unlabelled(content[:start]), content[end:].strip(BLANKS)
    if after:
        if find_block(content[end:]):
            conversions.add("extra_block")
        before = join(before, after)
    return before, command.strip(BLANKS)


def find_block(content: str, fence: str = FENCE) -> tuple[int, str, int] | None:
    r"""Find the first bash block: (where it starts, what is inside, where it ends), None where there is none.

    It is what the generator's own pattern finds, ```` ```bash\s*\n(.*?)\n``` ````, but found in one pass. That pattern
    takes quadratic time on a turn that repeats an opening fence, or blank lines after one, and never closes it.
    """
    start = content.find(fence)
    if start < 0:
        return None
    inside = start + len(fence) + 1
    if content.startswith("\n", inside - 1) and not content[inside : inside + 1].isspace():
        # Nearly every block is so plain; the loop below would find the same.
        close = content.find("\n```", inside)
        if close >= 0:
            return start, content[inside:close], close + 4
    for opening in _opening(fence).finditer(content):
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
        return None  # nothing closes any later block either
    return None


@cache
def _opening(fence: str) -> re.Pattern[str]:
    return re.compile(re.escape(fence) + r"(\s*)")


def unlabelled(words: str) -> str:
    """A turn's words without the label `THOUGHT:`."""
    return words.strip(BLANKS).removeprefix(_LABEL).strip(BLANKS)


def as_arguments(command: str) -> str:
    """The JSON text of the arguments with which the tool `bash`, which upstream does not have, runs the command."""
    return f'{{"command": {_encode(command).decode()}}}'


def command_of(arguments: str) -> str | None:
    """The member `command` of a call's arguments; None where they have none, or one that is not text."""
    try:
        return _decode(arguments).command
    except (msgspec.DecodeError, UnicodeError):
        return None


def submits(text: str) -> bool:
    """Whether a turn's text, or a command, holds the words that a submission prints first."""
    return _SUBMITS.search(text) is not None


def announces(command: str | None) -> bool:
    """Whether the command does no more than announce the submission."""
    return command is not None and _ANNOUNCE.fullmatch(command.strip(BLANKS)) is not None


def beyond_announcing(call: ToolCall) -> str:
    """The command of a call of the tool `bash` where it does more than announce the submission, else ""."""
    command = command_of(call.arguments)
    return "" if command is None or announces(command) else command

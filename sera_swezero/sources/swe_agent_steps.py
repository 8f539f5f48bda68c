"""The steps under `trajectory` in SWE-agent's files, which supply what a history lacks."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.text import BLANKS
from sera_swezero.errors import RowError
from sera_swezero.sources.run_files import ABSENT, nested
from sera_swezero.sources.swe_agent_history import SUBMIT
from sera_swezero.sources.swe_agent_run import HISTORY, RunMessage
from sera_swezero.sources.tool_arguments import ChatCall, ChatFunction

WHERE = "$.trajectory"
"""The steps' path in the file."""


class RunStep(msgspec.Struct):
    """A turn of the model and what came back. Steps also hold the turns that SWE-agent asked for again."""

    response: str | None = None
    thought: str | None = None
    action: str | None = None
    observation: str | None = None
    query: msgspec.Raw = ABSENT
    """What the model was sent: a list of messages."""
    messages: msgspec.Raw = ABSENT
    """The same, as version 1.0 names it."""

    def as_messages(self, *, calling: bool = False) -> list[RunMessage]:
        """The step as messages of a history; with `calling`, its submission is a tool call."""
        turn = RunMessage("assistant", self.response, self.thought, self.action)
        if calling:
            turn.tool_calls = [ChatCall(ChatFunction(SUBMIT, msgspec.Raw(b"{}")))]
        observed = RunMessage("tool" if calling else "user", self.observation)
        return [turn, observed] if turn.shell_line or calling else [turn]


_STEPS = msgspec.json.Decoder(list[RunStep])


def from_steps(trajectory: msgspec.Raw, conversions: ConversionLog) -> list[RunMessage]:
    """The messages of a file without a history. Raises RowError `bad_record`, `bad_messages`."""
    steps = _steps(trajectory, conversions)
    if not steps:
        raise RowError("bad_record", "there are neither messages nor steps; expected `history` or `messages`")
    first = steps[0]
    query = first.messages if first.query == ABSENT else first.query
    asked = nested(query, HISTORY, conversions, wrong="bad_messages", where=f"{WHERE}[0].query").value
    if not asked:
        problem = "no history, and the first step does not say what the model was asked; expected `history` or `query`"
        raise RowError("bad_record", problem, WHERE)
    return [*asked, *(message for step in steps for message in step.as_messages())]


def submission(messages: Sequence[RunMessage], trajectory: msgspec.Raw, conversions: ConversionLog) -> list[RunMessage]:
    """The messages of the submission of a submitted run, where its steps have them and its history does not."""
    turns = [one for one in messages if one.role == "assistant" and not one.is_demo]
    if not turns or turns[-1].ends_run:
        return []
    *_, last = _steps(trajectory, conversions) or [RunStep()]
    calling = any(one.tool_calls for one in turns)
    return last.as_messages(calling=calling) if (last.action or "").strip(BLANKS) == SUBMIT else []


def _steps(trajectory: msgspec.Raw, conversions: ConversionLog) -> list[RunStep]:
    return nested(trajectory, _STEPS, conversions, wrong="bad_record", where=WHERE).value or []

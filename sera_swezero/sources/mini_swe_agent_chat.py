"""The messages of mini-swe-agent as events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.events import Called, Ended, Event, Observed, Replied, Said, System, Task
from sera_swezero.core.text import join
from sera_swezero.core.trajectory import ERRORED, EXITED, INCOMPLETE, SUBMITTED, Outcome, Step
from sera_swezero.errors import RowError
from sera_swezero.sources.bash_block import submits
from sera_swezero.sources.mini_swe_agent_turn import MiniMessage, opening_of, turn_of
from sera_swezero.sources.run_files import RunRecord
from sera_swezero.sources.tool_arguments import written

_STATUSES = {
    "submitted": SUBMITTED,
    "incomplete": INCOMPLETE,
    "limitsexceeded": INCOMPLETE,
    "timeexceeded": INCOMPLETE,
    "repeatedformaterror": EXITED,
    "userinterruption": EXITED,
}


class Chat:
    """The events of a run, as an iterable; use it once.

    Args:
        record: the run, which gets its outcome.
        messages: all messages of the file.
        conversions: gets what is left out or changed.

    Raises:
        RowError: while iterating, `bad_messages` or `bad_arguments`.
    """

    def __init__(self, record: RunRecord, messages: Sequence[MiniMessage], conversions: ConversionLog) -> None:
        self._record, self._messages, self._conversions = record, messages, conversions
        self._exit_status = record.exit_status or ""
        self._opening = opening_of(messages)
        turns = [index for index, message in enumerate(messages) if message.role == "assistant"]
        self._last = turns[-1] if turns else -1
        self._status = _status(self._exit_status, messages[self._last] if turns else None)
        self._asked: list[str] | None = []  # what is said before the first turn; None from there on
        self._waiting = 0  # calls of the last turn without an observation

    def __iter__(self) -> Iterator[Event]:
        ended = ""
        numbered = enumerate(self._messages)
        for index, message in numbered:
            if self._is_harness(index):
                ended = message.text(self._at(index))
                self._conversions.add("harness_exit", ended)
            elif message.role != "assistant":
                yield from self._other(index, message)
            else:
                yield from self._begin()
                turn = self._turn(index, message)
                observation = self._observation(index + 1, turn)
                if observation is None:
                    self._waiting = len(turn.calls)
                    yield Said(turn.reasoning, turn.visible)
                    yield from map(Called, turn.calls)
                else:
                    yield replace(turn, calls=(replace(turn.calls[0], observation=observation),))
                    next(numbered)
        yield from self._begin()
        detail = "" if self._status == SUBMITTED else ended or self._exit_status
        self._record.outcome = Outcome(self._status, detail)
        yield Ended(self._record.outcome)

    def _at(self, index: int) -> str:
        return f"{self._record.place}[{index}]"

    def _begin(self) -> Iterator[Event]:
        """The task: all that was said before the first turn."""
        if self._asked:
            yield Task(join(*self._asked))
        self._asked = None

    def _is_harness(self, index: int) -> bool:
        """Whether a message is the harness's last word; version 1 does not mark it."""
        message = self._messages[index]
        if message.is_exit:
            return True
        if message.role != "user" or index < 2 or index < len(self._messages) - 1:
            return False
        if self._exit_status:
            return message.content == self._record.submission
        return self._status == SUBMITTED and index == self._last + 1

    def _turn(self, index: int, message: MiniMessage) -> Step:
        turn = turn_of(message, self._opening, self._record.tools, self._conversions, self._at(index))
        if index == self._last and self._status == SUBMITTED and turn.calls:
            *others, last = turn.calls
            turn = replace(turn, calls=(*others, replace(last, submits=True)))
        return turn

    def _observation(self, index: int, turn: Step) -> str | None:
        """The text of the message at `index` if it plainly answers the turn's one call."""
        if len(turn.calls) != 1 or index >= len(self._messages) or self._is_harness(index):
            return None
        message = self._messages[index]
        if message.role == "tool" and message.tool_call_id in (None, turn.calls[0].id):
            return message.text(self._at(index))
        return message.text(self._at(index)) if message.role == "user" else None

    def _other(self, index: int, message: MiniMessage) -> Iterator[Event]:
        text = message.text(f"{self._at(index)}.content")
        if message.role == "system":
            yield System(text)
        elif message.role == "tool":
            self._waiting -= 1
            yield Observed(text, message.tool_call_id)
        elif message.role != "user":
            problem = f"role {message.role!r}; expected system, user, assistant, tool or exit"
            raise RowError("bad_messages", problem, f"{self._at(index)}.role")
        elif self._asked is not None:
            self._asked.append(text)
        elif self._waiting > 0:  # a person stepped in, or a text model's command was run
            yield Observed(text)
            if self._waiting > 1:
                self._conversions.add("shared_observation", times=self._waiting - 1)
                yield from [Observed("")] * (self._waiting - 1)
            self._waiting = 0
        else:
            yield Replied(text)


def _status(exit_status: str, last: MiniMessage | None) -> str:
    """How the run ended, as the file says or else as the last command shows. Other statuses are names of exceptions."""
    if exit_status:
        return _STATUSES.get(exit_status.lower(), ERRORED)
    if last is None:
        return INCOMPLETE
    texts = [written(call.function.arguments) for call in last.tool_calls or ()]
    texts += [last.content] if isinstance(last.content, str) else []
    return SUBMITTED if any(map(submits, texts)) else INCOMPLETE

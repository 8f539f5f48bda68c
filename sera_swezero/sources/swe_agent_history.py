"""A SWE-agent history as events: the messages of SERA's rows, and of SWE-agent's own files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.events import Called, Ended, Event, Observed, Said, System, Task
from sera_swezero.core.text import join, split_thinking
from sera_swezero.core.trajectory import EXITED, INCOMPLETE, SUBMITTED, Outcome, Step, ToolCall, Tools
from sera_swezero.errors import RowError
from sera_swezero.sources.decoding import without_prefix
from sera_swezero.sources.swe_agent_messages import (
    Message,
    arguments_of,
    check_unread,
    content_of,
    observation_of,
    turn_text,
)

SUBMIT = "submit"
EXITS = ("Exit due to ", "Exiting due to ")
"""How the turns begin that the harness writes when it gives up."""


class History:
    """The events of a history, in order, as an iterable; use it once.

    Args:
        messages: those of the history.
        history: its JSON text, from which arguments that are objects are taken as they were written.
        tools: those that the model could call.
        conversions: gets what is left out or changed.
        submits: whether a call of this name and these arguments hands in the work.

    Raises:
        RowError: while iterating, `bad_messages` or `bad_arguments`.
    """

    def __init__(
        self,
        messages: Sequence[Message],
        history: str,
        tools: Tools,
        conversions: ConversionLog,
        submits: Callable[[str, str], bool] = lambda name, _arguments: name == SUBMIT,
    ) -> None:
        self._messages, self._history = messages, history
        self._tools, self._conversions, self._submits = tools, conversions, submits
        self._status = INCOMPLETE
        self._exit = ""  # the harness's own words where it gave up
        self._exited = False  # whether these words are the last turn so far
        self._tasked = False
        self._waiting = 0  # calls of the last turn without an observation

    def __iter__(self) -> Iterator[Event]:
        numbered = enumerate(self._messages)
        for index, message in numbered:
            made = self._turn(index, message) if message.role == "assistant" else self._other(index, message)
            if isinstance(made, Step):
                yield made
                next(numbered)
            else:
                yield from made
        status = EXITED if self._exit and self._status == INCOMPLETE else self._status
        yield Ended(Outcome(status, self._exit))

    def _turn(self, index: int, message: Message) -> Step | Iterable[Event]:
        """A turn of the model; a Step where the message after it plainly answers its one call."""
        calls = message.tool_calls or ()
        text = turn_text(message, index, self._conversions)
        if not calls and text.startswith(EXITS):
            self._exited, self._exit = True, text
            self._conversions.add("harness_exit", text)
            return ()
        self._exited = False
        reasoning, visible = split_thinking(text)
        if not calls:
            if reasoning or visible:
                self._status = SUBMITTED
            return (Said(reasoning, visible),)
        self._status = INCOMPLETE
        made: list[ToolCall] = []
        for call in calls:
            try:
                arguments = arguments_of(self._history, index, len(made), call, self._tools, self._conversions)
            except RowError as error:
                return _fails(Said(reasoning, visible), error)
            name = call.function.name
            submits = self._submits(name, arguments)
            if submits:
                self._status = SUBMITTED
            if not calls[1:]:  # nearly all turns
                observation = observation_of(self._messages, index + 1, call.id)
                if observation is not None:
                    observation = without_prefix(observation, self._conversions)
                    return Step(reasoning, visible, (ToolCall(name, arguments, call.id, submits, observation),))
            made.append(ToolCall(name, arguments, call.id, submits))
        self._waiting = len(made)
        return (Said(reasoning, visible), *map(Called, made))

    def _other(self, index: int, message: Message) -> Iterable[Event]:
        if message.tool_calls:
            check_unread(message.tool_calls, index)
        role = message.role
        if role == "tool" or (role == "user" and self._tasked):
            return self._answer(content_of(message, index), index, message)
        if role == "user":
            self._tasked = True
            return (Task(content_of(message, index)),)
        if role == "system":
            return (System(content_of(message, index)),)
        problem = f"role {role!r}; expected system, user, assistant or tool"
        raise RowError("bad_messages", problem, f"$.messages[{index}].role")

    def _answer(self, text: str, index: int, message: Message) -> Iterable[Event]:
        """What came back. The last message before the next turn answers all calls that still wait."""
        if self._exited:
            # The turn and the reply to it are logged as one conversion.
            plain = without_prefix(text, ConversionLog())
            self._conversions[-1] = ("harness_exit", join(self._exit, plain))
            self._exited = False
            return ()
        observed = Observed(
            without_prefix(text, self._conversions), message.tool_call_ids[0] if message.tool_call_ids else None
        )
        self._waiting -= 1
        if self._waiting > 0 and index + 1 < len(self._messages) and self._messages[index + 1].role != "tool":
            self._conversions.add("shared_observation", times=self._waiting)
            return (observed, *[Observed("")] * self._waiting)
        return (observed,)


def _fails(said: Said, error: RowError) -> Iterator[Event]:
    yield said  # first, because a turn out of order is the earlier fault
    raise error

"""One row: the training text against the prompt of every turn, and the loss against what is generated after it.

Every prompt is rendered for itself, because a template may write earlier messages differently once later ones are
there. What is trained between the end of a turn and the text of the next message is left out of the comparison: it is
the sign at which the model stops (for GLM, the role of the next message), or comes after it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sera_swezero.core.text import END_THINK
from sera_swezero.templates.training_tokens import Span, TrainingTokens, common
from sera_swezero.views.chat_template import FAILURES, ChatTemplate, RenderedChat
from sera_swezero.views.text_marks import MarkedText, Marks
from sera_swezero.views.tokenizer import tokens_inside
from sera_swezero.views.view import Message

_AROUND = 30  # characters of an example on each side of a difference

Found = tuple[str, str, str]
"""A key of `parity.CAUSES`, and the text around the difference in training and in serving."""


class TrainingText(NamedTuple):
    """A row and what the training template makes of it."""

    messages: Sequence[Message]
    tools: Sequence[Message] | None
    rendered: RenderedChat
    tokenizer: str | None
    """The tokenizer of the training."""
    encoded: tuple[list[int], list[Span]] | None
    """Its tokens and where each is in the text; None without a tokenizer."""
    marks: Marks
    marked: Sequence[Message]
    """The messages with their texts between marks."""
    probed: str
    """These messages, rendered."""


class RowParity:
    """The comparison of one row. Ask for its turns in order."""

    def __init__(
        self, training: ChatTemplate, serving: ChatTemplate, tokenizer: str | None, trained: TrainingText
    ) -> None:
        self._training, self._serving = training, serving
        self._row = trained
        self._text = trained.rendered.text
        self._last = turns_of(trained.messages)[-1:]
        self._texts = trained.marks.texts(trained.probed)
        self._lost = trained.marks.count(trained.probed)[1]
        self._judged, self._end = -1, 0  # the last turn compared, and where the text after it begins
        self._lead: int | None = None
        self._known = ("", "", "")
        self.amounts: Counter[str] = Counter()
        encoded = None if tokenizer is None else trained.encoded
        self._tokens = (
            None if encoded is None else TrainingTokens(str(tokenizer), trained.tokenizer, self._text, encoded)
        )

    def differences(self, turn: int) -> Iterator[Found]:
        """The causes for which a turn is not in parity, each with the text in training and in serving."""
        messages, tools = self._row.messages, self._row.tools
        if self._lost["calls", turn]:
            call = messages[turn].get("tool_calls") or messages[turn]["content"]
            yield "lost_call", "", json.dumps(call, ensure_ascii=False)[: 2 * _AROUND]
        try:
            prompt = self._serving.render(messages[:turn], tools, generation_prompt=True).text
            whole = self._serving.render(messages[: turn + 1], tools).text
        except FAILURES as error:
            yield "refused", "", f"{type(error).__name__}: {error}"
            return
        if not self._text.startswith(prompt):
            yield self._prompt_difference(prompt, turn)
            return
        if self._tokens is not None and not self._tokens.begin_with(prompt):
            yield "tokens", *self._around(len(prompt), prompt)
        yield from self._target(len(prompt), whole[len(prompt) :] if whole.startswith(prompt) else None, turn)

    def _around(self, at: int, serving: str) -> tuple[str, str]:
        cut = slice(max(0, at - _AROUND), at + _AROUND)
        return self._text[cut], serving[cut]

    def _prompt_difference(self, prompt: str, turn: int) -> Found:
        at = common(self._text, prompt)
        around = self._around(at, prompt)
        if around != self._known[1:]:  # else it is that of the turn before
            self._known = (self._cause(at, prompt, turn), *around)
        return self._known

    def _cause(self, at: int, prompt: str, turn: int) -> str:
        """Name the first difference by what the two texts have next."""
        row = self._row
        before = _text(self._serving, row.messages[:turn], row.tools)
        if before and prompt.startswith(before) and at >= len(before):
            return "generation_prompt"
        begun = row.messages[: turns_of(row.messages)[0]]
        if row.tools and not self._text.startswith(_text(self._serving, begun, row.tools, generation_prompt=True)):
            bare = _text(self._serving, begun, None, generation_prompt=True)
            if bare and _text(self._training, row.messages, None).startswith(bare):
                return "tools"
        if _squeezed(self._text[at:], prompt[at:]):
            return "whitespace"
        ours = _next([text for text in self._texts if text.message < turn], at)
        marked = _text(self._serving, row.marked[:turn], row.tools, generation_prompt=True)
        theirs = _next(row.marks.texts(marked), at)
        return "text" if ours is None else self._kind(at, prompt, ours, theirs)

    def _kind(self, at: int, prompt: str, ours: MarkedText, theirs: MarkedText | None) -> str:
        """Name a difference by the kinds of the two texts that follow it."""
        left, right = self._text[at : ours.start], prompt[at : theirs.start if theirs else None]
        kinds = {one.kind for one in (ours, theirs) if one}
        before = self._row.messages[ours.message - 1]["content"].strip()[:_AROUND]
        if before and before in left:
            return "text"  # of the message before, which may have no marks
        if "reasoning" in kinds or (END_THINK in left) != (END_THINK in right):
            return "reasoning"
        return "calls" if "calls" in kinds else "text"

    def _target(self, start: int, turn_text: str | None, turn: int) -> Iterator[Found]:
        """Compare what the loss covers with what the model generates after the prompt, which ends at `start`."""
        spans = self._row.rendered.trained
        after = self._begin(start, turn)
        if turn_text is not None:
            generated = turn_text.rstrip()
            if not self._text.startswith(generated, start):
                at = start + common(self._text[start : start + len(generated)], generated)
                yield "target", *self._around(at, self._text[:start] + generated)
                return
            end = start + len(generated)
        elif (last := next((z for _, z in spans if z > start), None)) is not None:
            end = max(start, len(self._text[:last].rstrip()))
        else:
            return
        self._judged, self._end = turn, self._next_text(end, turn)
        if not self._training.marks:
            spans = [(start - self._header(turn, start), end)]
        within = (after, len(self._text) if turn in self._last else self._end)
        covered = [(max(a, within[0]), min(z, within[1])) for a, z in spans if a < within[1] and z > within[0]]
        yield from self._amount("trained_not_generated", _outside(covered, (start, self._end)))
        yield from self._amount("generated_not_trained", _outside([(start, end)], *covered))

    def _begin(self, start: int, turn: int) -> int:
        """Where trained parts of this turn may begin: at the message before it, or else after the turn before it."""
        previous = next((at for at in reversed(turns_of(self._row.messages[:turn]))), None)
        if previous in (None, self._judged):
            return self._end
        before = self._row.messages[turn - 1]["content"].strip() if turn - 1 != previous else ""
        if before and (at := self._text.rfind(before, 0, start)) >= 0:
            return at
        return max((z for _, z in self._row.rendered.trained if z <= start), default=0)

    def _next_text(self, end: int, turn: int) -> int:
        """Where the text of the next message begins; without one, where the trained part around `end` ends."""
        following = "" if turn in self._last else self._row.messages[turn + 1]["content"].strip()[:_AROUND]
        if not following:
            return next((z for a, z in self._row.rendered.trained if a < end < z), end)
        text = self._text[end : end + 4 * _AROUND]
        frame = text.find(following)
        return end + (frame if frame >= 0 else len(text) - len(text.lstrip()))

    def _header(self, turn: int, start: int) -> int:
        """How many characters of the prompt are trained where a template marks nothing.

        Axolotl and LLaMA-Factory train a turn from the end of the training template's own generation prompt, and the
        serving template may have a longer one.
        """
        if self._lead is None:
            row = self._row
            own = _text(self._training, row.messages[:turn], row.tools, generation_prompt=True)
            self._lead = start - len(own) if own and self._text.startswith(own) else 0
        return self._lead

    def _amount(self, cause: str, parts: list[Span]) -> Iterator[Found]:
        if parts:
            encoded = self._row.encoded
            characters = sum(end - start for start, end in parts)
            self.amounts[cause] += tokens_inside(encoded[1], parts) if encoded else characters
            found = self._text[slice(*parts[0])][: 2 * _AROUND]
            yield (cause, found, "") if cause == "trained_not_generated" else (cause, "", found)


def turns_of(messages: Sequence[Message], first: int = 0) -> list[int]:
    """The numbers of the messages that the model wrote, from the message of this number on."""
    return [number for number, message in enumerate(messages) if message["role"] == "assistant" and number >= first]


def _text(template: ChatTemplate, messages: Sequence[Message], tools: Any, *, generation_prompt: bool = False) -> str:
    """A rendering that only helps to name a cause; "" where the template refuses."""
    try:
        return template.render(messages, tools, generation_prompt=generation_prompt).text
    except FAILURES:
        return ""


def _next(texts: Iterable[MarkedText], at: int) -> MarkedText | None:
    return next((text for text in texts if text.end > at), None)


def _squeezed(left: str, right: str) -> bool:
    """Whether two texts go on alike but for whitespace."""
    ours, theirs = ("".join(text[: 4 * _AROUND].split()) for text in (left, right))
    least = min(len(ours), len(theirs))
    return least > 0 and ours[:least] == theirs[:least]


def _outside(parts: Iterable[Span], *holes: Span) -> list[Span]:
    """What of the parts is in none of the holes."""
    left = list(parts)
    for start, end in holes:
        left = [piece for a, z in left for piece in ((a, min(z, start)), (max(a, end), z)) if piece[0] < piece[1]]
    return left

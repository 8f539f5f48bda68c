"""What a chat template keeps of rows: a look before training, because templates silently drop what they do not know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sera_swezero.errors import ConfigError
from sera_swezero.templates.parity import ParityCheck
from sera_swezero.templates.training_tokens import Span
from sera_swezero.templates.turn_parity import TrainingText, turns_of
from sera_swezero.views import VIEWS, Row
from sera_swezero.views.chat_template import FAILURES, ChatTemplate, RenderedChat
from sera_swezero.views.text_marks import Marks
from sera_swezero.views.tokenizer import encode, tokens_inside
from sera_swezero.views.view import Message

KINDS = ("reasoning", "calls", "observations", "answers")
"""What is looked for: thinking, tool calls (name and every text argument), what came back, and visible text."""


@dataclass
class SurvivalCounts:
    """What a template did to rows."""

    rows: int = 0
    """Rows that were rendered."""
    failed: Counter[str] = field(default_factory=Counter)
    """Error -> rows that could not be rendered."""
    kept: Counter[str] = field(default_factory=Counter)
    """Texts that survived, by kind."""
    total: Counter[str] = field(default_factory=Counter)
    """Texts there were, by kind."""
    nulls: int = 0
    """Keys of messages and tools that hold null, which some reader put there."""
    argument_nulls: int = 0
    """Such keys inside arguments, which a model may have written."""
    characters: int = 0
    """Characters of the renderings."""
    tokens: int | None = None
    """Tokens of the renderings; None without a tokenizer."""
    trained: int | None = None
    """Tokens of the parts that are marked as the model's; None without a tokenizer or without marks."""
    turns: int = 0
    """Turns of the model in the renderings."""
    cut_turns: int = 0
    """Turns of the model that a trainer with the given limit would cut off or leave out."""

    @property
    def whole(self) -> bool:
        """Whether every row rendered, with all its texts, without a null and within the limit."""
        faults = self.failed or self.nulls or self.cut_turns
        return self.rows > 0 and not faults and self.kept == self.total

    def share(self, kind: str) -> float | None:
        """Share of the texts of a kind that was kept; None where the rows have none."""
        return self.kept[kind] / self.total[kind] if self.total[kind] else None

    def note_nulls(self, messages: list[Message], tools: list[Message] | None) -> None:
        """Count the nulls of a row."""
        everywhere, inside = _nulls(messages) + _nulls(tools), _nulls(_arguments(messages))
        self.nulls += everywhere - inside
        self.argument_nulls += inside

    def note_tokens(
        self, places: list[Span], trained: list[Span] | None, ends: Collection[int], max_length: int | None
    ) -> None:
        """Count the tokens of a rendering, given their places, its trained parts, and where its turns end."""
        self.tokens = (self.tokens or 0) + len(places)
        if trained is not None:
            self.trained = (self.trained or 0) + tokens_inside(places, trained)
        self.turns += len(ends)
        if max_length is not None and len(places) > max_length:
            self.cut_turns += sum(end > places[max_length - 1][1] for end in ends)


def look(
    rows: Iterable[Row],
    view: str,
    template: ChatTemplate,
    tokenizer: str | None = None,
    max_length: int | None = None,
    parity: ParityCheck | None = None,
) -> SurvivalCounts:
    """Render rows, as `datasets` returns them, and count what survived.

    Args:
        rows: of the view.
        view: its name.
        template: what renders them.
        tokenizer: hub id, folder or file; counts tokens.
        max_length: tokens after which a trainer cuts a rendering off; takes a tokenizer.
        parity: compares every row with how it is served.

    Raises:
        ConfigError: the view has no chat; the tokenizer cannot be loaded.
    """
    shows = VIEWS[view]
    if shows.chat is None or shows.mark is None:
        chats = ", ".join(one.name for one in VIEWS.values() if one.chat)
        msg = f"the view {view!r} holds raw records and no chat; take one of {chats}"
        raise ConfigError(msg)
    found = SurvivalCounts()
    for row in rows:
        messages, tools = shows.chat(row)
        found.note_nulls(messages, tools)
        # A row of one turn trains that turn alone, so a template may leave out parts of the prompt.
        first = len(messages) - 1 if shows.one_turn else 0
        marks = Marks()
        marked = list(marks.messages(messages, shows.mark, first))
        try:
            probed = template.render(marked, tools).text
            rendered = template.render(messages, tools)
            if shows.one_turn:
                rendered = _completion(rendered, template.render(messages[:-1], tools, generation_prompt=True))
        except FAILURES as error:
            failure = f"{type(error).__name__}: {error}"
            found.failed[failure] += 1
            if parity is not None:
                parity.refuse(turns_of(messages, first), failure)
            continue
        found.rows += 1
        total, lost = marks.count(probed)
        found.total += total
        found.kept += total - Counter(kind for kind, _ in lost.elements())
        found.characters += len(rendered.text)
        encoded = encode(tokenizer, rendered.text) if tokenizer is not None else None
        if encoded is not None:
            ends = {text.message: text.end for text in marks.texts(probed) if text.kind != "observations"}.values()
            found.note_tokens(encoded[1], rendered.trained if template.marks else None, ends, max_length)
        if parity is not None:
            trained = TrainingText(messages, tools, rendered, tokenizer, encoded, marks, marked, probed)
            parity.add(trained, turns_of(messages, first))
    return found


def _completion(rendered: RenderedChat, prompt: RenderedChat) -> RenderedChat:
    """The rendering, with what follows the prompt as the trained part: so TRL trains a prompt and its completion."""
    if not rendered.text.startswith(prompt.text):
        return rendered
    return RenderedChat(rendered.text, [(len(prompt.text), len(rendered.text))])


def _arguments(messages: list[Message]) -> list[Any]:
    calls = (call for message in messages for call in message.get("tool_calls") or ())
    return [call["function"]["arguments"] for call in calls]


def _nulls(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(1 if item is None else _nulls(item) for item in value.values())
    return sum(map(_nulls, value)) if isinstance(value, list) else 0

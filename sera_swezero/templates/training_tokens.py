"""Whether a training sequence begins with the tokens of a prompt; tokens may merge across the end of the prompt."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from sera_swezero.views.tokenizer import added_tokens, encode

Span = tuple[int, int]
"""(start, end) in characters."""


class TrainingTokens:
    """The tokens of a training text, to be compared with those of prompts.

    A tokenizer splits text at added tokens first, so the text before the last added token is not tokenized again.
    """

    def __init__(
        self, tokenizer: str, trained_with: str | None, text: str, encoded: tuple[list[int], list[Span]]
    ) -> None:
        self._tokenizer = tokenizer
        self._ids, places = encoded
        added = added_tokens(tokenizer)
        self._cuts = [(place[0], place[1], at) for at, place in enumerate(places) if self._ids[at] in added]
        same = tokenizer == trained_with
        self._same = len(self._ids) if same else common(self._ids, encode(tokenizer, text)[0])

    def begin_with(self, prompt: str) -> bool:
        """Whether the training sequence begins with the tokens of the prompt, as its text does."""
        cut = bisect_right(self._cuts, len(prompt), key=lambda one: one[1])
        start, _, at = self._cuts[cut - 1] if cut else (0, 0, 0)
        tail = encode(self._tokenizer, prompt[start:])[0]
        end = at + len(tail)
        return self._ids[at:end] == tail and end <= self._same


def common(left: Sequence[object], right: Sequence[object]) -> int:
    """The length of the longest beginning that two texts or lists share."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low

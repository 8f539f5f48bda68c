"""What can go wrong, as a tree.

    SeraSweZeroError
    ├── ConfigError      a config name, an argument or a pair of arguments that makes no sense
    │   └── StateError   a saved streaming state that another plan was made under
    ├── UpstreamError    a repo, a revision or a file that is missing, gated, moved, empty or of another shape
    ├── RowError         one raw record that cannot become a row; carries a reason from the closed list `REASONS`
    ├── OutputError      a file or a folder that cannot be written: no space, no permission, something else in its place
    ├── BuildError       a build that ended before all shards were there; what is done stays
    └── PublishError     a push that did not happen; the published version is as it was before

A message says where, what, and what would have been right.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

REASONS: dict[str, str] = {
    "not_json": "the record is not a JSON object",
    "bad_record": "a column is missing or has another type",
    "bad_messages": "the messages do not parse, or a message is of no known shape",
    "wrong_order": "a message is where the order of a trajectory does not allow it",
    "bad_arguments": "the arguments of a tool call are not a JSON object, or hold NaN or an infinity",
    "no_turns": "the model never spoke, so there is nothing to train on (training views)",
    "wide_integer": "an argument holds an integer beyond 64 bits, which a Json leaf cannot hold (view openai)",
    "literal_tags": "a text holds a tag that the view's client would take for its own (views hermes, sharegpt)",
    "overlong": "the row has more tokens than `max_tokens` (policy `overlong`)",
    "template": "the chat template that counts tokens does not render a turn (`chat_template`)",
    "no_submission": "the trajectory does not end in a submission (policy `incomplete='reject'`)",
}
"""Why a raw record was rejected: reason -> meaning. Closed: a reason that is not listed here cannot be raised."""

POLICY_REASONS = frozenset({"no_submission", "no_turns", "overlong"})
"""Reasons that are the caller's policy and no fault of the row: `on_error="raise"` never raises them."""


class SeraSweZeroError(Exception):
    """The root of every error that this package raises on purpose."""


class ConfigError(SeraSweZeroError, ValueError):
    """An unknown config, argument or value, or arguments that exclude each other; the message lists what there is."""


class StateError(ConfigError):
    """A saved state of another stream (revision, arguments, converter or share differ); says what would fit."""


class UpstreamError(SeraSweZeroError):
    """An upstream repository, revision or file that cannot be read; says which, and what was expected."""


class OutputError(SeraSweZeroError):
    """A file or a folder that cannot be written; says which and why. A file that was there before is unchanged."""


class BuildError(SeraSweZeroError):
    """A build that ended before every shard was built; finished shards stay, and a rerun builds the others."""


class PublishError(SeraSweZeroError):
    """A push that was refused or failed; the published version is untouched unless the message says otherwise."""


class RowError(SeraSweZeroError):
    """One raw record that cannot become a row.

    Attributes:
        reason: one of `REASONS`.
        problem: one sentence: what was found and what would have been right.
        where: path inside the record, such as `$.messages[7].tool_calls`; `$` for the whole record.
        repo: upstream repo id, "" for your own runs below a root; `located` sets it, as the next two.
        file: path inside the repo.
        offset: byte offset of the line (JSONL) or row number inside the file (Parquet).
    """

    repo, file, offset = "", "", -1

    def __init__(self, reason: str, problem: str, where: str = "$") -> None:
        if reason not in REASONS:
            msg = f"reason {reason!r} is not in the closed list {sorted(REASONS)}"
            raise AssertionError(msg)
        super().__init__(reason, problem, where)
        self.reason = reason
        self.problem = problem
        self.where = where

    def located(self, repo: str, file: str, offset: int) -> RowError:
        """The same error with the place of the record upstream."""
        self.repo, self.file, self.offset = repo, file, offset
        return self

    def __str__(self) -> str:
        place = "/".join(filter(None, (self.repo, self.file)))
        place = f"{place} at {self.offset}: " if place else ""
        return f"{place}{self.reason}: {self.problem} ({self.where})"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The known word that one may be a misspelling of, as a question for a message; "" where there is none."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""

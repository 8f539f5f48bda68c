"""Rows that overlap a benchmark: its repositories, its instances, the texts of its problems.

What to look for is a file, one JSON object a line, with any of these keys (others are ignored):

    {"repo": "owner/name"}                every row from this repository
    {"instance_id": "owner__name-123"}    every row of this instance
    {"text": "the problem statement"}     every row whose task shares 13 words in a row with this text

So a benchmark's own records, with `problem_statement` called `text`, are such a file. `SWE_BENCH_VERIFIED` ships with
the package: the repositories of the 500 instances, and how many of them each has. Names are compared without regard to
case. SERA tells the repository only as the name that its instance ids begin with; there the name alone decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from sera_swezero.errors import ConfigError

SWE_BENCH_VERIFIED = Path(__file__).parent / "swe-bench-verified.jsonl"
"""The 12 repositories of SWE-bench Verified, a fact of that benchmark; `instances` is how many of the 500 each has."""

WORDS = 13
"""Words in a row that make two texts overlap, as in the GPT-3 paper's overlap analysis; a shorter listed text counts as
a whole. Words are runs of letters, digits and underscores, in lower case."""

LEAST_WORDS = 5
"""A listed text of fewer words is no text to look for: it would be found anywhere."""

REASONS: dict[str, str] = {
    "repo": "the row is from a listed repository",
    "instance": "the row is of a listed instance",
    "text": f"the row's task shares {WORDS} words in a row with a listed text",
}
"""How a row can overlap, first match first."""

_WORD = re.compile(r"\w+")
_SERA_ID = re.compile(r"(.+)_\d+")  # the repository's name, then a number from 10000 on
_SWE_BENCH_ID = re.compile(r"(.+?)__(.+)-\d+")  # owner, name, number


class Line(msgspec.Struct):
    """One line of the file."""

    repo: str | None = None
    instance_id: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class Benchmark:
    """What to look for.

    names: the repositories without their owners. grams: runs of words, joined by blanks, by their number of words.
    """

    repos: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    instances: frozenset[str] = frozenset()
    grams: Mapping[int, frozenset[str]] = field(default_factory=dict)

    def overlap(self, instance_id: str, repo: str | None, task: str | None) -> str | None:
        """How a row overlaps: a key of `REASONS`, None where it does not.

        Args:
            instance_id: the row's.
            repo: owner/name where the row says so; else it is taken from the instance id.
            task: what the model was asked, which holds the problem's text.
        """
        if self._from_repo(instance_id, repo):
            return "repo"
        if instance_id.lower() in self.instances:
            return "instance"
        return "text" if self.grams and task and self._shares_words(task) else None

    def _from_repo(self, instance_id: str, repo: str | None) -> bool:
        if not self.repos:
            return False
        if repo:
            return repo.lower() in self.repos
        if found := _SWE_BENCH_ID.fullmatch(instance_id):
            return "/".join(found.groups()).lower() in self.repos
        found = _SERA_ID.fullmatch(instance_id)
        return found is not None and found[1].lower() in self.names

    def _shares_words(self, task: str) -> bool:
        words = _words(task)
        return any(not grams.isdisjoint(_runs(words, length)) for length, grams in self.grams.items())


def load(path: str | Path) -> Benchmark:
    """Read a file of what to look for.

    Raises:
        ConfigError: it cannot be read, or a line is no object of that kind; names file, line and remedy.
    """
    decode = msgspec.json.Decoder(Line).decode
    repos, instances, grams = set(), set(), dict[int, set[str]]()
    try:
        lines = Path(path).read_bytes().splitlines()
    except OSError as error:
        msg = f"decontaminate={str(path)!r}: cannot be read: {error}"
        raise ConfigError(msg) from error
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        try:
            line = decode(raw)
        except (msgspec.DecodeError, UnicodeError) as error:
            msg = f"{path}, line {number}: {error}; expected an object with any of repo, instance_id and text (strings)"
            raise ConfigError(msg) from error
        if line.repo is None and line.instance_id is None and line.text is None:
            msg = (
                f"{path}, line {number}: says nothing to look for; expected any of the keys repo, instance_id and text"
            )
            raise ConfigError(msg)
        repos |= {line.repo.lower()} if line.repo else set()
        instances |= {line.instance_id.lower()} if line.instance_id else set()
        words = _words(line.text or "")
        if len(words) >= LEAST_WORDS:
            length = min(WORDS, len(words))
            grams.setdefault(length, set()).update(_runs(words, length))
    names = frozenset(repo.rpartition("/")[2] for repo in repos)
    frozen = {length: frozenset(runs) for length, runs in grams.items()}
    return Benchmark(frozenset(repos), names, frozenset(instances), frozen)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _runs(words: list[str], length: int) -> Iterator[str]:
    return (" ".join(words[i : i + length]) for i in range(len(words) - length + 1))


def counts() -> dict[str, int]:
    """Instances of SWE-bench Verified by repository, from the shipped list."""
    rows: list[dict[str, Any]] = [msgspec.json.decode(line) for line in SWE_BENCH_VERIFIED.read_bytes().splitlines()]
    return {row["repo"]: row["instances"] for row in rows}

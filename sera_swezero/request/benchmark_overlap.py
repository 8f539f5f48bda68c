"""Rows that overlap a benchmark: its repositories, its instances, the texts of its problems.

What to look for is listed in a file: one JSON object per line, with any of these keys (others are ignored):

    {"repo": "owner/name"}                every row from this repository
    {"instance_id": "owner__name-123"}    every row of this instance
    {"text": "the problem statement"}     every row whose task shares 13 words in a row with this text

So the records of a benchmark, with `problem_statement` renamed to `text`, are such a file. `SWE_BENCH_VERIFIED` ships
with the package: the repositories of the 500 instances, and how many instances each has. Names are compared without
regard to case. SERA records a repository only by its name, at the beginning of instance ids; there the name decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from sera_swezero.errors import ConfigError, did_you_mean

SWE_BENCH_VERIFIED = Path(__file__).parent / "swe-bench-verified.jsonl"
"""The 12 repositories of SWE-bench Verified; `instances` is how many of the 500 instances each has."""

BUILT_IN = {"swe-bench-verified": SWE_BENCH_VERIFIED}
"""The lists that have a name."""

WORDS = 13
"""How many consecutive words two texts must share to overlap, as in the overlap analysis of the GPT-3 paper. A shorter
listed text counts as a whole. Words are runs of letters, digits and underscores, in lower case."""

LEAST_WORDS = 5
"""A listed text of fewer words is ignored, because it would be found anywhere."""

REASONS: dict[str, str] = {
    "repo": "the row is from a listed repository",
    "instance": "the row is of a listed instance",
    "text": f"the row's task shares {WORDS} words in a row with a listed text",
}
"""How a row can overlap -> meaning. The first one that is true counts."""

_WORD = re.compile(r"\w+")


class ListedLine(msgspec.Struct):
    """One line of a list."""

    repo: str | None = None
    instance_id: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class Benchmark:
    """What to look for. All texts are in lower case."""

    repos: frozenset[str] = frozenset()
    """owner/name."""
    names: frozenset[str] = frozenset()
    """The repositories without their owners."""
    instances: frozenset[str] = frozenset()
    """Instance ids."""
    runs: Mapping[int, frozenset[str]] = field(default_factory=dict)
    """Number of words -> runs of that many words, joined by blanks."""

    def overlap(self, instance_id: str, repo: str | None, task: str | None) -> str | None:
        """Say how a row overlaps: a key of `REASONS`, or None if it does not.

        Args:
            instance_id: the row's.
            repo: owner/name; None if the row has no such column, so that the instance id has to say it.
            task: what the model was asked; contains the text of the problem.
        """
        if self._from_repo(instance_id, repo):
            return "repo"
        if instance_id.lower() in self.instances:
            return "instance"
        return "text" if self.runs and task and self._shares_words(task) else None

    def _from_repo(self, instance_id: str, repo: str | None) -> bool:
        if not self.repos:
            return False
        if repo:
            return repo.lower() in self.repos
        # SWE-bench: owner__name-123. A pattern would try every "__" of a long id against every end.
        cut = instance_id.find("__", 1)
        name, _, digits = instance_id[cut + 2 :].rpartition("-")
        if cut > 0 and name and digits.isdecimal():
            return f"{instance_id[:cut]}/{name}".lower() in self.repos
        # SERA: the name of the repository, then a number from 10000 on.
        name, _, digits = instance_id.rpartition("_")
        return digits.isdecimal() and name.lower() in self.names

    def _shares_words(self, task: str) -> bool:
        words = _words(task)
        return any(not runs.isdisjoint(_runs(words, length)) for length, runs in self.runs.items())


def load(path: str | Path) -> Benchmark:
    """Read a list.

    Args:
        path: a file, or a name of `BUILT_IN`.

    Raises:
        ConfigError: the file cannot be read, or a line is not such an object; names file, line and remedy.
    """
    path = benchmark_path(path)
    decode = msgspec.json.Decoder(ListedLine).decode
    repos, instances, runs = set(), set(), dict[int, set[str]]()
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror or error}"
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
            msg = f"{path}, line {number}: expected any of the keys repo, instance_id and text; found none of them"
            raise ConfigError(msg)
        repos |= {line.repo.lower()} if line.repo else set()
        instances |= {line.instance_id.lower()} if line.instance_id else set()
        words = _words(line.text or "")
        if len(words) >= LEAST_WORDS:
            length = min(WORDS, len(words))
            runs.setdefault(length, set()).update(_runs(words, length))
    return Benchmark(
        repos=frozenset(repos),
        names=frozenset(repo.rpartition("/")[2] for repo in repos),
        instances=frozenset(instances),
        runs={length: frozenset(found) for length, found in runs.items()},
    )


def benchmark_path(given: str | Path) -> Path:
    """Return the file that a name of `BUILT_IN` or a path means. Raises ConfigError if there is no such file."""
    path = BUILT_IN.get(str(given)) or Path(given).expanduser()
    if not path.is_file():
        msg = (
            f"no list {str(given)!r}{did_you_mean(str(given), BUILT_IN)}; a JSONL file of repos, instance ids or texts "
            f"was expected, or one of {', '.join(BUILT_IN)}"
        )
        raise ConfigError(msg)
    return path


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _runs(words: list[str], length: int) -> Iterator[str]:
    return (" ".join(words[i : i + length]) for i in range(len(words) - length + 1))

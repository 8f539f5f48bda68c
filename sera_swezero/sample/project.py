"""Invented repos: their files, and what commands run in them print."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from random import Random

from . import text
from .words import NOUNS

EXCEPTIONS = ("ValueError", "KeyError", "TypeError", "AttributeError", "RuntimeError")


class Project:
    """One invented Python repo of `files` modules with about `lines` lines each."""

    def __init__(self, seed: str, files: int, lines: int) -> None:
        rng = Random(seed)
        self.owner = rng.choice(NOUNS) + rng.choice(("-labs", "works", "hq", "-dev", "team"))
        self.package = rng.choice(NOUNS) + rng.choice(("kit", "io", "py", "lib", "box"))
        self.commit = f"{rng.getrandbits(160):040x}"
        self.files: dict[str, list[str]] = {}
        self.functions: list[tuple[str, str]] = []
        """(function name, path of its module), in file order."""
        for stem in rng.sample(NOUNS, files):
            path = f"{self.package}/{stem}.py"
            called = [text.name(rng) for _ in range(max(3, lines // 15))]
            self.files[path] = text.module(rng, called, classes=2)
            self.functions += [(one, path) for one in called]

    @cached_property
    def numbered(self) -> dict[str, list[str]]:
        """Each file's lines as `cat -n` prints them."""
        return {path: [f"{at:6}\t{line}" for at, line in enumerate(lines, 1)] for path, lines in self.files.items()}

    @cached_property
    def tests(self) -> list[str]:
        """The ids of the repo's tests, as pytest names them."""
        return [f"tests/test_{path.split('/')[1]}::test_{called}" for called, path in self.functions]

    @cached_property
    def listing(self) -> list[str]:
        """Paths two levels deep, relative to the repo's root."""
        stems = [path.split("/")[1] for path in self.files]
        return [
            "README.md",
            "pyproject.toml",
            self.package,
            *self.files,
            "tests",
            *(f"tests/test_{stem}" for stem in stems),
        ]

    def window(self, rng: Random, path: str, chars: int) -> tuple[int, int]:
        """A range of lines of the file, 1-based and inclusive, that `cat -n` shows in about `chars` characters."""
        total = len(self.files[path])
        count = min(total, max(4, chars // 44))
        start = rng.randrange(1, total - count + 2)
        return start, start + count - 1

    def cat(self, path: str, start: int, end: int) -> str:
        """Lines `start` to `end` with their numbers."""
        return "\n".join(self.numbered[path][start - 1 : end])

    def plain(self, path: str, start: int, end: int) -> str:
        """Lines `start` to `end` without numbers."""
        return "\n".join(self.files[path][start - 1 : end])

    def grep(self, rng: Random, word: str, chars: int) -> str:
        """What `grep -rn word` prints, cut to about `chars` characters; made up where too little matches."""
        found: list[str] = []
        size = 0
        for path, lines in self.files.items():
            for at, line in enumerate(lines, 1):
                if size > chars:
                    return "\n".join(found)
                if word in line:
                    found.append(f"./{path}:{at}:{line}")
                    size += len(found[-1]) + 1
        return "\n".join(found) or f"./{self.package}/{rng.choice(NOUNS)}.py:{rng.randrange(9, 400)}:# {word}"

    def pytest(self, rng: Random, chars: int, failed: int) -> str:
        """A pytest run over about `chars / 70` tests, the last `failed` of them failing with a traceback."""
        count = max(failed + 1, chars // 70 - 8 * failed)
        first = rng.randrange(len(self.tests))
        lines = ["=" * 30 + " test session starts " + "=" * 30, f"platform linux -- Python 3.{rng.randrange(9, 14)}.{rng.randrange(9)}",
                 "rootdir: /testbed", f"collected {count} items", ""]  # fmt: skip
        for at in range(count):
            word = "FAILED" if at >= count - failed else "PASSED"
            lines.append(f"{self.tests[(first + at) % len(self.tests)]} {word} [{100 * (at + 1) // count:3}%]")
        for at in range(failed):
            lines += ["", self.traceback(rng, 3)]
        end = f"{failed} failed, {count - failed} passed" if failed else f"{count} passed"
        return "\n".join([*lines, "", "=" * 24 + f" {end} in {rng.randrange(100, 900) / 100}s " + "=" * 24])

    def traceback(self, rng: Random, depth: int) -> str:
        """An uncaught exception, `depth` frames deep."""
        lines = ["Traceback (most recent call last):"]
        for _ in range(depth):
            called, path = rng.choice(self.functions)
            code = self.files[path]
            at = rng.randrange(len(code))
            shown = re.sub(r"^\s*(#|$).*", "pass", code[at]).strip()
            lines += [f'  File "/testbed/{path}", line {at + 1}, in {called}', f"    {shown}"]
        return "\n".join([*lines, f"{rng.choice(EXCEPTIONS)}: {text.title(rng)}"])


class World:
    """All invented repos of one corpus, made when first asked for, and a stock of sentences."""

    def __init__(self, seed: int, projects: int, files: int, lines: int) -> None:
        self.seed, self.projects = seed, projects
        self.project = lru_cache(maxsize=None)(lambda at: Project(f"{seed}/project/{at}", files, lines))
        rng = Random(f"{seed}/sentences")
        self._sentences = [text.sentence(rng) for _ in range(600 if projects < 40 else 6000)]

    def rng(self, *key: object) -> Random:
        """The random numbers that belong to `key`, whatever else was made before."""
        return Random("/".join(str(part) for part in (self.seed, *key)))

    def prose(self, rng: Random, chars: int) -> str:
        """Stock sentences, about `chars` characters of them; never nothing."""
        return " ".join(rng.choices(self._sentences, k=max(1, round(chars / 85))))

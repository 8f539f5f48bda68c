"""Invented repos: their files, and what commands that run in them print."""

from __future__ import annotations

from functools import cache, cached_property
from random import Random

from tools.sample_corpus import text
from tools.sample_corpus.text import pick
from tools.sample_corpus.words import EXCEPTIONS, NOUNS


class Project:
    """One invented Python repo of `files` modules with about `lines` lines each."""

    def __init__(self, seed: str, files: int, lines: int) -> None:
        rng = Random(seed)
        self.owner = pick(rng, NOUNS) + pick(rng, ("-labs", "works", "hq", "-dev", "team"))
        self.package = pick(rng, NOUNS) + pick(rng, ("kit", "io", "py", "lib", "box"))
        self.commit = f"{rng.getrandbits(160):040x}"
        self.files: dict[str, list[str]] = {}
        self.functions: list[tuple[str, str]] = []
        """(function name, path of its module), in file order; methods as `Class.method`."""
        for stem in rng.sample(NOUNS, files):
            path = f"{self.package}/{stem}.py"
            self.files[path], names = text.module(rng, max(3, lines // 14), classes=2)
            self.functions += [(one, path) for one in names]

    @cached_property
    def numbered(self) -> dict[str, list[str]]:
        """Each file's lines as `cat -n` prints them."""
        return {path: [f"{at:6}\t{line}" for at, line in enumerate(lines, 1)] for path, lines in self.files.items()}

    @cached_property
    def tests(self) -> list[str]:
        """The ids of the repo's tests, as pytest names them."""
        return [f"tests/test_{path.split('/')[1]}::test_{one.split('.')[-1]}" for one, path in self.functions]

    @cached_property
    def listing(self) -> list[str]:
        """Paths two levels deep, relative to the repo's root."""
        tests = [f"tests/test_{path.split('/')[1]}" for path in self.files]
        return ["README.md", "pyproject.toml", self.package, *self.files, "tests", *tests]

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
        """What `grep -rn word` prints, cut to about `chars` characters; made up where nothing matches."""
        found: list[str] = []
        size = 0
        for path, lines in self.files.items():
            for at, line in enumerate(lines, 1):
                if size > chars:
                    return "\n".join(found)
                if word in line:
                    found.append(f"./{path}:{at}:{line}")
                    size += len(found[-1]) + 1
        return "\n".join(found) or f"./{self.package}/{pick(rng, NOUNS)}.py:{rng.randrange(9, 400)}:# {word}"

    def pytest(self, rng: Random, chars: int, failed: int) -> str:
        """A pytest run of about `chars` characters; the last `failed` tests fail, each with a traceback."""
        count = max(failed + 1, chars // 70 - 8 * failed)
        first = rng.randrange(len(self.tests))
        lines = [
            f"{' test session starts ':=^80}",
            f"platform linux -- Python 3.{rng.randrange(9, 14)}.{rng.randrange(9)}",
        ]
        lines += ["rootdir: /testbed", f"collected {count} items", ""]
        for at in range(count):
            word = "FAILED" if at >= count - failed else "PASSED"
            lines.append(f"{self.tests[(first + at) % len(self.tests)]} {word} [{100 * (at + 1) // count:3}%]")
        for _ in range(failed):
            lines += ["", self.traceback(rng, 3)]
        passed = f"{failed} failed, {count - failed} passed" if failed else f"{count} passed"
        return "\n".join([*lines, "", f"{f' {passed} in {rng.randrange(100, 900) / 100}s ':=^80}"])

    def traceback(self, rng: Random, depth: int) -> str:
        """An uncaught exception, `depth` frames deep."""
        lines = ["Traceback (most recent call last):"]
        for _ in range(depth):
            called, path = pick(rng, self.functions)
            at = rng.randrange(len(self.files[path]))
            statement = self.files[path][at].strip() or "pass"
            lines += [f'  File "/testbed/{path}", line {at + 1}, in {called.split(".")[-1]}', f"    {statement}"]
        return "\n".join([*lines, f"{pick(rng, EXCEPTIONS)}: {text.title(rng)}"])

    def log(self, rng: Random, chars: int) -> str:
        """What a script of the repo logs, about `chars` characters of it."""
        lines = []
        clock = rng.randrange(80_000)
        for _ in range(chars // 75):
            clock += rng.getrandbits(10)
            called, path = pick(rng, self.functions)
            lines.append(f"{clock / 1000:.3f} {path} {called}: {pick(rng, NOUNS)}=0x{rng.getrandbits(40):010x} \u2713")
        return "\n".join([*lines, "done"])


class World:
    """All invented repos of one corpus, made when first asked for, and stocks of sentences and statements."""

    def __init__(self, seed: str, projects: int, files: int, lines: int, stock: int) -> None:
        self.seed, self.projects = seed, projects
        self.project = cache(lambda at: Project(f"{seed}/project/{at}", files, lines))
        rng = Random(f"{seed}/sentences")
        self._sentences = [text.sentence(rng) for _ in range(stock)]
        self._statements = [text.statement(rng, rng.sample(NOUNS, 4), 2) for _ in range(stock // 2)]

    def rng(self, *key: object) -> Random:
        """The random numbers that belong to `key`, whatever else was made before."""
        return Random("/".join(str(part) for part in (self.seed, *key)))

    def prose(self, rng: Random, chars: int) -> str:
        """Stock sentences, about `chars` characters of them; never nothing."""
        return " ".join(rng.choices(self._sentences, k=max(1, round(chars / 85))))

    def code(self, rng: Random, statements: int) -> list[str]:
        """Lines of stock statements, as they are in a method."""
        return [line for _ in range(statements) for line in pick(rng, self._statements)]

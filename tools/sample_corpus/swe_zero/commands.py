"""Ordinary SWE-ZERO commands, each with what it prints."""

from __future__ import annotations

from collections.abc import Callable

from tools.sample_corpus.scene import Scene
from tools.sample_corpus.text import pick
from tools.sample_corpus.words import NOUNS

Ran = tuple[str, str]
"""A command and its output."""


def find(scene: Scene, chars: int) -> Ran:
    """List the Python files."""
    found = "".join(f"./{path}\n" for path in scene.project.files)
    return f'find . -name "*.py" | head -{scene.rng.randrange(10, 90)}', found


def listing(scene: Scene, chars: int) -> Ran:
    """List everything with sizes and dates."""
    lines = [f"total {len(scene.project.listing) * 4}"]
    for path in scene.project.listing:
        size, day = scene.rng.randrange(200, 90_000), scene.rng.randrange(1, 9)
        lines.append(f"-rw-r--r-- 1 root root {size:6} May  {day} 10:36 {path}")
    return "ls -la", "\n".join(lines) + "\n"


def read(scene: Scene, chars: int) -> Ran:
    """Read some lines of a file."""
    path = scene.path()
    start, end = scene.project.window(scene.rng, path, chars)
    return f"sed -n '{start},{end}p' {path}", scene.project.plain(path, start, end) + "\n"


def numbered(scene: Scene, chars: int) -> Ran:
    """Read some lines of the issue's file, with numbers."""
    path = scene.issue.path
    start, end = scene.project.window(scene.rng, path, chars)
    return f"cat -n {path} | sed -n '{start},{end}p'", scene.project.cat(path, start, end) + "\n"


def grep(scene: Scene, chars: int) -> Ran:
    """Search for a word."""
    word = pick(scene.rng, (scene.issue.called, *scene.issue.called.split("_"), "return", "None"))
    return f'grep -rn "{word}" --include="*.py" .', scene.project.grep(scene.rng, word, chars) + "\n"


def substitute(scene: Scene, chars: int) -> Ran:
    """Replace a word in place: prints nothing."""
    return f"sed -i 's/{pick(scene.rng, NOUNS)}/{pick(scene.rng, NOUNS)}/' {scene.issue.path}", ""


def rewrite(scene: Scene, chars: int) -> Ran:
    """Write a file from a heredoc: prints nothing."""
    path = scene.issue.path
    start, end = scene.project.window(scene.rng, path, chars)
    return f"cat <<'EOF' > {path}\n{scene.project.plain(path, start, end)}\nEOF", ""


def missing(scene: Scene, chars: int) -> Ran:
    """Read a file that is not there."""
    path = f"{scene.project.package}/{pick(scene.rng, NOUNS)}.py"
    return f"cat {path}", f"cat: {path}: No such file or directory\n"


COMMANDS: tuple[Callable[[Scene, int], Ran], ...] = (
    *(read,) * 4,
    *(grep,) * 3,
    *(numbered, substitute) * 2,
    *(find, listing, rewrite, missing),
)
"""Ordinary commands; one that is listed twice is twice as frequent."""

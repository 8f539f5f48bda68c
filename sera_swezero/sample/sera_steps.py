"""Ordinary SERA turns: looking, reproducing, editing, testing, each with what the environment answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from . import text
from .issue import Issue
from .plan import Turn, observe
from .project import World
from .words import NOUNS

Step = tuple[str, dict[str, Any], str, str]
"""Tool, arguments, output, and the words that announce the step."""


@dataclass
class Scene:
    """Where a trajectory plays: an issue, its repo, and the random numbers of the row."""

    world: World
    rng: Random
    issue: Issue

    def step(self, chars: int) -> Step:
        """Any ordinary step, with about `chars` characters of output or of arguments."""
        return self.rng.choice(STEPS)(self, chars)

    def turn(self, chars: int = 300, **how: Any) -> Turn:
        """`step` as a turn; `how` as for `model_turn`."""
        tool, arguments, output, words = self.step(chars)
        how.setdefault("reasoning", f"{words} {self.world.prose(self.rng, 100)}")
        return model_turn(tool, arguments, observe(output), **how)

    def bash(self, output: str, **how: Any) -> Turn:
        """A turn that runs some command which prints `output`."""
        how.setdefault("reasoning", self.world.prose(self.rng, 100))
        return model_turn(
            "bash", {"command": f"cd /testbed && python check_{self.rng.choice(NOUNS)}.py"}, observe(output), **how
        )

    @property
    def file(self) -> str:
        """The file of the issue, as the tools name it."""
        return f"/testbed/{self.issue.path}"


def model_turn(
    tool: str,
    arguments: Any,
    observation: str | None,
    reasoning: str = "",
    visible: str = "",
    tally: Mapping[str, int] | None = None,
    **raw: Any,
) -> Turn:
    """A turn with a call that stays one. Its tally, where not given: visible text joins the reasoning, silence is filled."""
    if tally is None:
        assert not (visible and reasoning.endswith(visible)), "a repeated text needs a tally of its own"
        tally = {"merged_visible": 1} if visible else {} if reasoning else {"filled_reasoning": 1}
    return Turn(reasoning, visible, tool, arguments, observation, tally, **raw)


def look_around(scene: Scene, chars: int) -> Step:
    listing = "\n".join(f"/testbed/{path}" for path in scene.issue.project.listing)
    output = f"Here's the files and directories up to 2 levels deep in /testbed, excluding hidden items:\n/testbed\n{listing}\n\n\n"
    return (
        "str_replace_editor",
        {"command": "view", "path": "/testbed"},
        output,
        "Let me look at how the repo is laid out.",
    )


def view(scene: Scene, chars: int) -> Step:
    path = scene.issue.path if scene.rng.random() < 0.6 else scene.rng.choice(list(scene.issue.project.files))
    start, end = scene.issue.project.window(scene.rng, path, chars)
    arguments = {"command": "view", "path": f"/testbed/{path}", "view_range": [start, end]}
    output = (
        f"Here's the result of running `cat -n` on /testbed/{path}:\n{scene.issue.project.cat(path, start, end)}\n\n"
    )
    return "str_replace_editor", arguments, output, f"I want to read lines {start} to {end} of {path}."


def grep(scene: Scene, chars: int) -> Step:
    word = scene.rng.choice((scene.issue.function, *scene.issue.function.split("_"), "self.", "raise"))
    arguments = {
        "command": f'cd /testbed && grep -rn "{word}" --include="*.py" . | head -{scene.rng.randrange(10, 60)}'
    }
    return (
        "bash",
        arguments,
        scene.issue.project.grep(scene.rng, word, chars) + "\n",
        f"Where else does `{word}` occur?",
    )


def create(scene: Scene, chars: int) -> Step:
    path = f"/testbed/check_{scene.rng.choice(NOUNS)}.py"
    lines = [
        "#!/usr/bin/env python3",
        f'"""{text.title(scene.rng)}: a small script to see it."""',
        "",
        f"from {scene.issue.project.package} import *",
        "",
    ]
    source = scene.issue.path
    start, end = scene.issue.project.window(scene.rng, source, chars // 2)
    lines += ["", "def main():", *(f"    {line}" for line in scene.issue.project.files[source][start - 1 : end])]
    lines += [
        f'    print("\u2713 {scene.issue.function} holds" if result else "\u2717 still broken")',
        "",
        "main()",
        "",
    ]
    arguments = {"command": "create", "path": path, "file_text": "\n".join(lines)}
    return (
        "str_replace_editor",
        arguments,
        f"File created successfully at: {path}\n",
        "A script that reproduces it comes first.",
    )


def run(scene: Scene, chars: int) -> Step:
    broken = chars > 400 and scene.rng.random() < 0.4
    lines = [
        f"{text.name(scene.rng)}: {scene.rng.randrange(999)} {scene.rng.choice(NOUNS)} objects \u2713"
        for _ in range(chars // 60)
    ]
    output = "\n".join(lines + [scene.issue.project.traceback(scene.rng, 3) if broken else "done"])
    return (
        "bash",
        {"command": f"cd /testbed && python check_{scene.rng.choice(NOUNS)}.py"},
        output + "\n",
        "Now let me run the script.",
    )


def test(scene: Scene, chars: int) -> Step:
    output = scene.issue.project.pytest(scene.rng, chars, failed=scene.rng.choice((0, 0, 1)) if chars > 600 else 0)
    arguments = {"command": f"cd /testbed && python -m pytest tests/ -v -k {scene.issue.function.split('_')[-1]}"}
    return "bash", arguments, output + "\n", "The tests should tell whether anything else broke."


def replace(scene: Scene, chars: int) -> Step:
    project, path = scene.issue.project, scene.issue.path
    start, end = project.window(scene.rng, path, min(chars, 1200) // 3)
    old = project.plain(path, start, end)
    new = old + "\n" + "\n".join(text.block(scene.rng, [scene.issue.function, "result", "value"], 2, 2))
    arguments = {"command": "str_replace", "path": scene.file, "old_str": old, "new_str": new}
    if scene.rng.random() < 0.15:
        output = f"No replacement was performed, old_str `{old}` did not appear verbatim in {scene.file}.\n"
    else:
        output = f"The file {scene.file} has been edited. Here's the result of running `cat -n` on a snippet of {scene.file}:\n"
        output += (
            project.cat(path, start, end) + "\nRead the snippet again and edit once more if it is not what you meant.\n"
        )
    return "str_replace_editor", arguments, output, f"I will change `{scene.issue.function}` here."


def insert(scene: Scene, chars: int) -> Step:
    line = scene.rng.randrange(1, len(scene.issue.project.files[scene.issue.path]))
    new = "\n".join(text.block(scene.rng, [scene.issue.function, "result", "value"], 2, max(2, min(20, chars // 90))))
    arguments = {"command": "insert", "path": scene.file, "insert_line": line, "new_str": new}
    output = (
        f"The file {scene.file} has been edited. Here's the result of running `cat -n` on a snippet of {scene.file}:\n"
    )
    output += "\n".join(f"{at:6}\t{one}" for at, one in enumerate(new.split("\n"), line + 1)) + "\n"
    if scene.rng.random() < 0.2:
        output += f"<NOTE>The linter objects to the file as it is now.</NOTE>\n\n<ERRORS>\n- E999 line {line + 2}: unexpected indent\n</ERRORS>\n"
    return "str_replace_editor", arguments, output, "Something is missing here, so let me add it."


def undo(scene: Scene, chars: int) -> Step:
    start, end = scene.issue.project.window(scene.rng, scene.issue.path, chars)
    output = f"Last edit to {scene.file} undone successfully. Here's the result of running `cat -n` on {scene.file}:\n"
    arguments = {"command": "undo_edit", "path": scene.file}
    return (
        "str_replace_editor",
        arguments,
        output + scene.issue.project.cat(scene.issue.path, start, end) + "\n",
        "That was wrong, I take it back.",
    )


def quiet(scene: Scene, chars: int) -> Step:
    command = scene.rng.choice(
        (
            "rm -f check_*.py",
            "git stash list",
            f"sed -i 's/{scene.rng.choice(NOUNS)}/{scene.rng.choice(NOUNS)}/' {scene.file}",
        )
    )
    return "bash", {"command": f"cd /testbed && {command}"}, "", "A little tidying."


def slow(scene: Scene, chars: int) -> Step:
    command = f"cd /testbed && python -m {scene.issue.project.package} --rounds {scene.rng.randrange(100, 9999)}"
    return (
        "bash",
        {"command": command},
        f"The command '{command}' was cancelled because it took more than 300 seconds.\n",
        "Does it also hold for long runs?",
    )


STEPS: tuple[Callable[[Scene, int], Step], ...] = (
    look_around, view, view, view, view, view, grep, grep, create, create, run, run, test, test, replace, replace, insert, undo, quiet, slow,
)  # fmt: skip
"""Ordinary steps; one that stands twice is twice as frequent."""

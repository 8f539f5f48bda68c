"""Ordinary SERA turns: looking, reproducing, editing, testing, each with what the environment answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tools.sample_corpus import text
from tools.sample_corpus.plan import Turn, observe
from tools.sample_corpus.scene import Scene
from tools.sample_corpus.text import pick
from tools.sample_corpus.words import NOUNS


class Step(NamedTuple):
    """What a turn does."""

    words: str
    """What announces the step."""
    tool: str
    arguments: dict[str, Any]
    output: str


def model_turn(
    tool: str,
    arguments: Any,
    observation: str | None,
    reasoning: str = "",
    visible: str = "",
    **raw: Any,
) -> Turn:
    """Make a turn with a call."""
    return Turn(reasoning, visible, tool, arguments, observation, **raw)


def ordinary(scene: Scene, chars: int = 300, **how: Any) -> Turn:
    """Any ordinary step as a turn, with about `chars` characters of output or arguments; `how` as for `model_turn`."""
    step = pick(scene.rng, STEPS)(scene, chars)
    how.setdefault("reasoning", f"{step.words} {scene.prose(100)}")
    return model_turn(step.tool, step.arguments, observe(step.output), **how)


def bash(scene: Scene, output: str, **how: Any) -> Turn:
    """A turn that runs some script which prints `output`."""
    how.setdefault("reasoning", scene.prose(100))
    return model_turn("bash", {"command": _script(scene)}, observe(output), **how)


def _script(scene: Scene) -> str:
    return f"cd /testbed && python check_{pick(scene.rng, NOUNS)}.py"


def _editor(words: str, output: str, command: str, path: str, **arguments: Any) -> Step:
    return Step(words, "str_replace_editor", {"command": command, "path": f"/testbed/{path}", **arguments}, output)


def _shown(path: str, listing: str, done: str = "") -> str:
    """What the editor says when it shows numbered lines, after something was `done` or not."""
    return (
        f"{done}Here's the result of running `cat -n` on {'a snippet of ' if done else ''}/testbed/{path}:\n{listing}\n"
    )


def look_around(scene: Scene, chars: int) -> Step:
    """View the tree of the repo."""
    paths = "\n".join(f"/testbed/{path}" for path in scene.project.listing)
    head = "Here's the files and directories up to 2 levels deep in /testbed, excluding hidden items:\n/testbed\n"
    arguments = {"command": "view", "path": "/testbed"}
    return Step("Let me look at how the repo is laid out.", "str_replace_editor", arguments, f"{head}{paths}\n\n\n")


def view(scene: Scene, chars: int) -> Step:
    """View some lines of a file."""
    path = scene.path()
    start, end = scene.project.window(scene.rng, path, chars)
    output = _shown(path, scene.project.cat(path, start, end)) + "\n"
    return _editor(f"I want to read lines {start} to {end} of {path}.", output, "view", path, view_range=[start, end])


def grep(scene: Scene, chars: int) -> Step:
    """Search for a word."""
    word = pick(scene.rng, (scene.issue.called, *scene.issue.called.split("_"), "self.", "raise"))
    command = f'cd /testbed && grep -rn "{word}" --include="*.py" . | head -{scene.rng.randrange(10, 60)}'
    output = scene.project.grep(scene.rng, word, chars) + "\n"
    return Step(f"Where else does `{word}` occur?", "bash", {"command": command}, output)


def create(scene: Scene, chars: int) -> Step:
    """Write a script that shows the problem."""
    path = f"check_{pick(scene.rng, NOUNS)}.py"
    start, end = scene.project.window(scene.rng, scene.issue.path, chars // 2)
    code = "\n".join(f"    {line}" for line in scene.project.files[scene.issue.path][start - 1 : end])
    source = (
        f'#!/usr/bin/env python3\n"""{text.title(scene.rng)}: a script to see it."""\n\n'
        f"from {scene.project.package} import *\n\n\ndef main():\n{code}\n"
        f'    print("\u2713 {scene.issue.called} holds" if result else "\u2717 still broken")\n\nmain()\n'
    )
    output = f"File created successfully at: /testbed/{path}\n"
    return _editor("A script that reproduces it comes first.", output, "create", path, file_text=source)


def run_script(scene: Scene, chars: int) -> Step:
    """Run the script; now and then it fails."""
    output = scene.project.log(scene.rng, chars)
    if chars > 400 and scene.rng.random() < 0.4:
        output += "\n" + scene.project.traceback(scene.rng, 3)
    return Step("Now let me run the script.", "bash", {"command": _script(scene)}, output + "\n")


def run_tests(scene: Scene, chars: int) -> Step:
    """Run the tests; now and then one fails."""
    failed = pick(scene.rng, (0, 0, 1)) if chars > 600 else 0
    command = f"cd /testbed && python -m pytest tests/ -v -k {scene.issue.called.split('_')[-1]}"
    output = scene.project.pytest(scene.rng, chars, failed) + "\n"
    return Step("The tests should tell whether anything else broke.", "bash", {"command": command}, output)


def replace(scene: Scene, chars: int) -> Step:
    """Replace some lines of the issue's file; now and then the old ones are not found."""
    path = scene.issue.path
    start, end = scene.project.window(scene.rng, path, min(chars, 1200) // 3)
    old = scene.project.plain(path, start, end)
    new = old + "\n" + "\n".join(scene.world.code(scene.rng, 2))
    output = _shown(path, scene.project.cat(path, start, end), f"The file /testbed/{path} has been edited. ")
    output += "Read the snippet again and edit once more if it is not what you meant.\n"
    if scene.rng.random() < 0.15:
        output = f"No replacement was performed, old_str `{old}` did not appear verbatim in /testbed/{path}.\n"
    return _editor(f"I will change `{scene.issue.called}` here.", output, "str_replace", path, old_str=old, new_str=new)


def insert(scene: Scene, chars: int) -> Step:
    """Insert some lines; now and then the linter objects."""
    path = scene.issue.path
    line = scene.rng.randrange(1, len(scene.project.files[path]))
    new = scene.world.code(scene.rng, max(2, min(20, chars // 90)))
    listing = "\n".join(f"{at:6}\t{one}" for at, one in enumerate(new, line + 1))
    output = _shown(path, listing, f"The file /testbed/{path} has been edited. ")
    if scene.rng.random() < 0.2:
        output += "<NOTE>The linter objects to the file as it is now.</NOTE>\n\n<ERRORS>\n"
        output += f"- E999 line {line + 2}: unexpected indent\n</ERRORS>\n"
    words = "Something is missing here, so let me add it."
    return _editor(words, output, "insert", path, insert_line=line, new_str="\n".join(new))


def undo(scene: Scene, chars: int) -> Step:
    """Undo the last edit."""
    path = scene.issue.path
    start, end = scene.project.window(scene.rng, path, chars)
    output = _shown(path, scene.project.cat(path, start, end), f"Last edit to /testbed/{path} undone successfully. ")
    return _editor("That was wrong, I take it back.", output, "undo_edit", path)


def quiet(scene: Scene, chars: int) -> Step:
    """Run a command that prints nothing."""
    old, new = pick(scene.rng, NOUNS), pick(scene.rng, NOUNS)
    command = pick(scene.rng, ("rm -f check_*.py", "git stash list", f"sed -i 's/{old}/{new}/' {scene.issue.path}"))
    return Step("A little tidying.", "bash", {"command": f"cd /testbed && {command}"}, "")


def slow(scene: Scene, chars: int) -> Step:
    """Run a command that takes too long."""
    command = f"cd /testbed && python -m {scene.project.package} --rounds {scene.rng.randrange(100, 9999)}"
    output = f"The command '{command}' was cancelled because it took more than 300 seconds.\n"
    return Step("Does it also hold for long runs?", "bash", {"command": command}, output)


STEPS: tuple[Callable[[Scene, int], Step], ...] = (
    *(view,) * 5,
    *(grep, create, run_script, run_tests, replace) * 2,
    *(look_around, insert, undo, quiet, slow),
)
"""Ordinary steps; one that is listed twice is twice as frequent."""

"""What the site of the docs needs beside the pages in docs/: a hook of mkdocs, named in mkdocs.yml.

README, CONTRIBUTING and CHANGELOG become pages, the examples become files to download, and the page of commands is made
from the command line itself. Links between all of these are written as they are on GitHub, and translated here.
"""

from __future__ import annotations

import posixpath
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

_TOP = Path(__file__).resolve().parents[1]
_PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Pages at the top of the repository, by their place on the site."""
_LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)")
"""The target of a Markdown link to a file, without its anchor."""


def on_files(files: Any, config: Any) -> Any:
    """Add the files that are not in docs/."""
    for source, place in _PAGES.items():
        files.append(File.generated(config, place, abs_src_path=str(_TOP / source)))
    for example in sorted((_TOP / "examples").rglob("*.*")):
        place = example.relative_to(_TOP).as_posix()
        files.append(File.generated(config, place, abs_src_path=str(example)))
    command = [sys.executable, "-m", "typer", "sera_swezero.cli.app", "utils", "docs", "--name", "sera-swezero"]
    commands = subprocess.run([*command, "--title", "Commands"], cwd=_TOP, check=True, capture_output=True, text=True)  # noqa: S603
    files.append(File.generated(config, "commands.md", content=_with_whole_list(commands.stdout)))
    return files


def _with_whole_list(page: str) -> str:
    """The page of commands, whose list has whole sentences and leads to each command; typer cuts the sentences."""
    says = dict(re.findall(r"^## `sera-swezero ([\w-]+)`\n\n(.+)$", page, re.MULTILINE))
    return re.sub(
        r"^\* `([\w-]+)`: .*$",
        lambda line: f"* [`{line[1]}`](#sera-swezero-{line[1]}): {says[line[1]]}" if line[1] in says else line[0],
        page,
        flags=re.MULTILINE,
    )


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Translate the links of a page from places in the repository to places on the site."""
    place = page.file.src_uri
    origin = next((source for source, made in _PAGES.items() if made == place), f"docs/{place}")

    def translated(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(origin), link[1]))
        found = _PAGES.get(target, target.removeprefix("docs/"))
        return posixpath.relpath(found, posixpath.dirname(place) or ".")

    return _LINK.sub(translated, markdown)

"""Write rows as files, one trajectory each, in a format that viewers and other tools open."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from sera_swezero.display.outputs import check_outputs, write_file
from sera_swezero.errors import ConfigError, OutputError, RowError
from sera_swezero.export.pi_session import session
from sera_swezero.report import Report
from sera_swezero.request.arguments import ArgumentsDict
from sera_swezero.rows import iter_rows

_LONGEST = 120
"""Characters of an id in a file's name."""


@dataclass(frozen=True)
class _FileFormat:
    suffix: str
    write: Callable[[str], str]
    """A trajectory of the view `atif`, as JSON text -> the content of its file. Raises RowError."""


FORMATS = {
    "atif": _FileFormat(".json", lambda text: f"{text}\n"),
    "pi": _FileFormat(".jsonl", session),
}
"""What a trajectory may be written as: ATIF-v1.7, or a session of Pi."""


@dataclass(frozen=True)
class Exported:
    """What was written."""

    files: int
    report: Report
    """What became of the records that were read."""


def export(config: str, out: Path, kind: str, rows: int | None = None, **arguments: Unpack[ArgumentsDict]) -> Exported:
    """Write the rows of a config into a new or empty folder, as files `00000-<trajectory id>` and so on.

    Args:
        config: a config's name, without a view after it.
        out: the folder.
        kind: a key of `FORMATS`.
        rows: how many files to write at most; None writes one per row.
        **arguments: the fields of `Arguments` but `view`.

    Raises:
        ConfigError: an unknown format, or as `iter_rows`.
        OutputError: the folder holds something already, or cannot be written.
    """
    if kind not in FORMATS:
        msg = f"format {kind!r}; one of {', '.join(map(repr, FORMATS))} was expected"
        raise ConfigError(msg)
    arguments["view"] = "atif"
    found = iter_rows(config, **arguments)
    check_outputs(folder=True, out=out)
    if any(out.iterdir()):
        msg = f"--out {out} holds files already; a new or an empty folder was expected"
        raise OutputError(msg)
    written = 0
    for row in found:
        try:
            content = FORMATS[kind].write(row["trajectory"])
        except RowError as error:
            if found.request.arguments.on_error == "raise":
                raise
            found.report.rejected[error.reason] += 1
            found.report.rows_out -= 1
            continue
        name = re.sub(r"[^\w.-]", "_", row["trajectory_id"], flags=re.ASCII)[:_LONGEST]
        write_file(out / f"{written:05}-{name}{FORMATS[kind].suffix}", content)
        written += 1
        if written == rows:
            break
    found.close()
    return Exported(written, found.report)

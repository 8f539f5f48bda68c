"""The least that a conversion of SERA has to do, measured stage by stage: nothing of it is logic.

read the file, parse every line and every history (with the fastest parser, making no objects), copy the output,
write it as Parquet with the settings of all variants. Run as a module it prints the seconds of each stage as JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import simdjson

from benchmarks.corpus import KEPT, SERA, data_files
from benchmarks.writing import GROUP_ROWS
from sera_swezero.build.parquet_writer import open_writer
from sera_swezero.rows import iter_rows

CHUNK = 256
"""Rows that are held at a time, so that a corpus of any size fits in memory."""


class _Line(msgspec.Struct):
    messages: str


class Stages:
    """Seconds of CPU by stage, summed over chunks of rows."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def timed(self, stage: str, work: Callable[[], Any]) -> Any:
        """Do the work on the account of the stage."""
        began = time.process_time()
        result = work()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.process_time() - began
        return result


def measure(root: Path) -> dict[str, float]:
    """The stages' seconds for all rows of a root."""
    stages = Stages()
    for path in data_files(root):
        stages.timed("read", path.read_bytes)
    decoder = msgspec.json.Decoder(_Line)
    with tempfile.TemporaryDirectory(dir=KEPT) as folder, data_files(root)[0].open("rb") as lines:
        rows = iter_rows(SERA, upstream=str(root))
        writer = None
        while chunk := [line for line, _ in zip(lines, range(CHUNK), strict=False)]:
            histories = [decoder.decode(line).messages.encode() for line in chunk]
            stages.timed("parse lines", lambda chunk=chunk: _parse(chunk))
            stages.timed("parse histories", lambda histories=histories: _parse(histories))
            made = list(islice(rows, len(chunk)))
            texts = [row["messages"].encode() for row in made]
            stages.timed("copy", lambda texts=texts: b"".join(texts))
            table = pa.Table.from_pylist(made)
            if writer is None:
                writer = open_writer(Path(folder, "rows.parquet"), table.schema)
            stages.timed("write", lambda table=table, writer=writer: writer.write_table(table, GROUP_ROWS))
        if writer is not None:
            stages.timed("write", writer.close)
    return stages.seconds


def _parse(texts: list[bytes]) -> None:
    parser = simdjson.Parser()
    for text in texts:
        parser.parse(text)


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))

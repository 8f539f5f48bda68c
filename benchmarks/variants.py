"""The ways to convert that are compared. Each takes upstream files to Parquet files of the same rows.

What a variant imports it imports in `prepare`, which is not charged to its in-process figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.corpus import SERA, SWE_ZERO, data_files


class Job(NamedTuple):
    """One run: `root` as `upstream=` takes it, `out` a new folder for the files."""

    root: Path
    out: Path


Run = Callable[[Job], int]
"""Does the job; gives the number of rows written."""

SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "role": {"enum": ["system", "user", "reasoning", "tool_call", "tool_output", "answer"]},
            "content": {"type": "string"},
        },
        "required": ["role", "content"],
        "additionalProperties": False,
    },
}
"""What the baseline holds its messages to: types, names and roles. The package's own schema, which holds every wrapper
too, costs `jsonschema` six times as much."""


def baseline(*, validated: bool) -> Run:
    """`json`, a generator of `datasets`, `jsonschema`, a table of roles, Parquet."""
    import json

    import datasets
    import jsonschema

    from benchmarks import by_hand_sera
    from benchmarks.writing import GROUP_ROWS
    from sera_swezero.build.parquet_writer import open_writer

    datasets.disable_progress_bars()
    validator = jsonschema.Draft202012Validator(SCHEMA)

    def tool_call(name: str, arguments: str) -> str:
        return json.dumps({"name": name, "arguments": json.loads(arguments)}, ensure_ascii=False)

    def dumps(messages: Any) -> str:
        if validated:
            validator.validate(messages)
        return json.dumps(messages, ensure_ascii=False)

    def run(job: Job) -> int:
        def rows() -> Iterator[dict[str, Any]]:
            yield from by_hand_sera.rows(data_files(job.root), json.loads, dumps, tool_call)

        made = datasets.Dataset.from_generator(rows, features=_features(SERA), cache_dir=str(job.out / "cache"))
        # The loop of `Dataset.to_parquet`, which itself takes no compression.
        with open_writer(job.out / "rows.parquet", made.features.arrow_schema) as writer:
            for table in made.with_format("arrow").iter(GROUP_ROWS):
                writer.write_table(table)
        return len(made)

    return run


def orjson_by_hand() -> Run:
    """`orjson` and a writer of Parquet, straight on."""
    import orjson

    from benchmarks import by_hand_sera
    from benchmarks.writing import write_rows

    def tool_call(name: str, arguments: str) -> str:
        return orjson.dumps({"name": name, "arguments": orjson.loads(arguments)}).decode()

    def run(job: Job) -> int:
        made = by_hand_sera.rows(
            data_files(job.root), orjson.loads, lambda messages: orjson.dumps(messages).decode(), tool_call
        )
        return write_rows(job.out / "rows.parquet", _features(SERA).arrow_schema, made)

    return run


def project(config: str, workers: int) -> Run:
    """This project: the function behind `sera-swezero build`, with everything that a build does."""
    import sera_swezero.build.build_shard  # noqa: F401 (what the units import)
    from sera_swezero.build.runner import build

    def run(job: Job) -> int:
        size = sum(path.stat().st_size for path in data_files(job.root))
        # A set has some 160 units, so all its processes end at about the same time; of a corpus that is a fiftieth of
        # a set 24 come near to that, and each still fills a row group.
        made = build(
            [config], job.out, views=["rectified"], upstream=str(job.root), workers=workers, shard_bytes=-(-size // 24)
        )
        return sum(one.rows for one in made.configs.values())

    return run


def datasets_map() -> Run:
    """SWE-ZERO by `load_dataset("parquet")` and `map`."""
    import datasets

    from benchmarks import by_hand_swe_zero
    from benchmarks.writing import GROUP_ROWS
    from sera_swezero.build.parquet_writer import open_writer

    datasets.disable_progress_bars()

    def run(job: Job) -> int:
        files = [str(path) for path in data_files(job.root)]
        loaded = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=str(job.out / "cache"))
        made = loaded.map(by_hand_swe_zero.convert, remove_columns=["messages"]).select_columns(by_hand_swe_zero.CARD)
        with open_writer(job.out / "rows.parquet", made.features.arrow_schema) as writer:
            for table in made.with_format("arrow").iter(GROUP_ROWS):
                writer.write_table(table)
        return len(made)

    return run


def _features(config: str) -> Any:
    from sera_swezero.loading.builder import features
    from sera_swezero.request.row_columns import columns
    from sera_swezero.request.settle import settle

    return features(columns(settle(config, view="rectified", upstream="sample")))


VARIANTS: dict[str, Callable[[], Run]] = {
    "baseline": lambda: baseline(validated=True),
    "baseline without schema": lambda: baseline(validated=False),
    "orjson by hand": orjson_by_hand,
    "project, one process": lambda: project(SERA, 1),
    "project, two processes": lambda: project(SERA, 2),
    "datasets.map": datasets_map,
    "project, SWE-ZERO": lambda: project(SWE_ZERO, 1),
}
"""Name -> prepare: imports, and gives the function to run."""

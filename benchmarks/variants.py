"""The ways to convert that are compared. Each takes upstream files to Parquet files of the same rows.

What a variant imports it imports in `prepare`, which is not charged to its in-process figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.corpus import KEPT, SERA, SWE_ZERO, SWE_ZERO_12M, data_files


class Job(NamedTuple):
    """One run: `root` as `upstream=` takes it, `out` a new folder for the files."""

    root: Path
    out: Path


TRAINING = ("openai", "hermes", "sharegpt")
"""The training views that are measured."""

KEPT_ROWS = KEPT / "kept.parquet"
"""The rows that the filters keep: all of them, so that variants write the same rows."""

FILTERS = {"min_recall": 0.0, "dedup": str(KEPT_ROWS), "decontaminate": "swe-bench-verified"}

Run = Callable[[Job], int]
"""Does the job; gives the number of rows written."""


def _schema(role: str, roles: Sequence[str], **texts: str) -> dict[str, Any]:
    """What a baseline holds its messages to: types, names and roles.

    The package's own schema, which holds every wrapper too, costs `jsonschema` six times as much.
    """
    types = {name: {"type": kind} for name, kind in texts.items()}
    properties = {role: {"enum": list(roles)}, **types}
    message = {"type": "object", "properties": properties, "required": [role], "additionalProperties": False}
    return {"type": "array", "items": message}


SCHEMAS = {
    "rectified": _schema(
        "role", ("system", "user", "reasoning", "tool_call", "tool_output", "answer"), content="string"
    ),
    "openai": _schema(
        "role",
        ("system", "user", "assistant", "tool"),
        content="string",
        reasoning_content="string",
        name="string",
        tool_call_id="string",
        tool_calls="array",
    ),
    "hermes": _schema("role", ("system", "user", "assistant"), content="string", train="boolean"),
    "sharegpt": _schema("from", ("human", "gpt", "function_call", "observation"), value="string"),
}


def baseline(*, validated: bool) -> Run:
    """`json`, a generator of `datasets`, `jsonschema`, a table of roles, Parquet."""
    import json

    import datasets
    import jsonschema

    from benchmarks import by_hand_sera

    datasets.disable_progress_bars()
    validator = jsonschema.Draft202012Validator(SCHEMAS["rectified"])

    def tool_call(name: str, arguments: str) -> str:
        return json.dumps({"name": name, "arguments": json.loads(arguments)}, ensure_ascii=False)

    def dumps(messages: Any) -> str:
        if validated:
            validator.validate(messages)
        return json.dumps(messages, ensure_ascii=False)

    def run(job: Job) -> int:
        def rows() -> Iterator[dict[str, Any]]:
            yield from by_hand_sera.rows(data_files(job.root), json.loads, dumps, tool_call)

        made = datasets.Dataset.from_generator(
            rows, features=_features(SERA, "rectified"), cache_dir=str(job.out / "cache")
        )
        return _write(made, job.out)

    return run


def view_by_hand(view: str) -> Run:
    """The same for a training view."""
    import datasets
    import jsonschema

    from benchmarks import by_hand_views

    datasets.disable_progress_bars()
    validator = jsonschema.Draft202012Validator(SCHEMAS[view])

    def run(job: Job) -> int:
        def rows() -> Iterator[dict[str, Any]]:
            for row in by_hand_views.rows(data_files(job.root), SERA, view):
                validator.validate(row.get("messages") or row["conversations"])
                yield row

        made = datasets.Dataset.from_generator(rows, features=_features(SERA, view), cache_dir=str(job.out / "cache"))
        return _write(made, job.out)

    return run


def _write(made: Any, out: Path) -> int:
    """The loop of `Dataset.to_parquet`, which itself takes no compression."""
    from benchmarks.writing import GROUP_ROWS
    from sera_swezero.build.parquet_writer import open_writer

    with open_writer(out / "rows.parquet", made.features.arrow_schema) as writer:
        for table in made.with_format("arrow").iter(GROUP_ROWS):
            writer.write_table(table)
    return len(made)


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
        return write_rows(job.out / "rows.parquet", _features(SERA, "rectified").arrow_schema, made)

    return run


def project(
    config: str,
    workers: int = 1,
    views: Sequence[str] = ("rectified",),
    filters: Mapping[str, Any] | None = None,
) -> Run:
    """This project: the function behind `sera-swezero build`, with everything that a build does."""
    import sera_swezero.build.build_shard  # noqa: F401 (what the units import)
    from sera_swezero.build.runner import build

    def run(job: Job) -> int:
        size = sum(path.stat().st_size for path in data_files(job.root))
        # A set has some 160 units, so all its processes end at about the same time; of a corpus that is a fiftieth of
        # a set 24 come near to that, and each still fills a row group.
        made = build(
            [config],
            job.out,
            views=views,
            upstream=str(job.root),
            workers=workers,
            shard_bytes=-(-size // 24),
            **(filters or {}),
        )
        return sum(one.rows for one in made.configs.values())

    return run


def datasets_map() -> Run:
    """SWE-ZERO by `load_dataset("parquet")` and `map`."""
    import datasets

    from benchmarks import by_hand_swe_zero

    datasets.disable_progress_bars()

    def run(job: Job) -> int:
        files = [str(path) for path in data_files(job.root)]
        loaded = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=str(job.out / "cache"))
        made = loaded.map(by_hand_swe_zero.convert, remove_columns=["messages"]).select_columns(by_hand_swe_zero.CARD)
        return _write(made, job.out)

    return run


def write_kept_rows(root: Path) -> None:
    """Write the file that `dedup=` takes. Raises SystemExit where it leaves out a row."""
    from sera_swezero.quality.row_source import open_rows
    from sera_swezero.quality.write_kept_rows import write_kept

    done = write_kept(open_rows(SERA, upstream=str(root)), KEPT_ROWS)
    if done.kept != done.rows:
        raise SystemExit(f"{done.rows - done.kept} generated rows are near-duplicates: filters would leave them out")


def _features(config: str, view: str) -> Any:
    from sera_swezero.loading.builder import features
    from sera_swezero.request.row_columns import columns
    from sera_swezero.request.settle import settle

    return features(columns(settle(config, view=view, upstream="sample")))


VARIANTS: dict[str, Callable[[], Run]] = {
    "baseline": lambda: baseline(validated=True),
    "baseline without schema": lambda: baseline(validated=False),
    "orjson by hand": orjson_by_hand,
    "project, one process": lambda: project(SERA),
    "project, two processes": lambda: project(SERA, workers=2),
    **{f"{view} by hand": partial(view_by_hand, view) for view in TRAINING},
    **{f"project, {view}": partial(project, SERA, views=[view]) for view in TRAINING},
    "project, two views": lambda: project(SERA, views=("rectified", "openai")),
    "project, filtered": lambda: project(SERA, filters=FILTERS),
    "datasets.map": datasets_map,
    "project, SWE-ZERO": lambda: project(SWE_ZERO),
    "project, SWE-ZERO-12M": lambda: project(SWE_ZERO_12M),
}
"""Name -> prepare: imports, and gives the function to run."""

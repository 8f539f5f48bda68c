"""The stream of a config: the examples iterable of `datasets` with an order, a position and a plan of its own.

Every internal of `datasets` that this depends on (a "seam") is named here. None of them is documented API, but all are
the same in 3.6, 4.8 and 5.2:

* a builder's `_get_examples_iterable_for_split(split_generator)` returns the iterable of a split;
* `ExamplesIterable`: `iter_arrow`, `_iter_arrow`, `shuffle_data_sources`, `shard_data_sources`,
  `reshard_data_sources`, `num_shards`, `_state_dict`, `_init_state_dict`, `split_shard_indices_by_worker`, `features`;
  wrappers (map, filter, interleave, split by node, DataLoader workers) call these and nothing else;
* wrappers load a state key by key into the dict that `_init_state_dict` returned, without calling anything here, so a
  state is only checked when iteration starts;
* `set_epoch(n)` on 4.x and 5.x calls `shuffle_data_sources(numpy.random.default_rng(n))` when iteration starts; on 3.6
  it does nothing without `shuffle()`.

`missing_seams` names what has moved; the builder then returns `datasets`' own iterable over the same windows and warns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy, deepcopy
from typing import Any

import msgspec
import pyarrow as pa
from datasets import Features
from datasets.iterable_dataset import ExamplesIterable

from sera_swezero.convert import convert_window
from sera_swezero.loading.saved_state import SavedState, check_state, move
from sera_swezero.loading.stream_plan import StreamPlan
from sera_swezero.report import Report, log_pass
from sera_swezero.request.row_columns import columns
from sera_swezero.schemas.arrow_columns import arrow_column, schema_of
from sera_swezero.views import Row, text_row

_SEAMS = (
    "iter_arrow",
    "shuffle_data_sources",
    "shard_data_sources",
    "num_shards",
    "load_state_dict",
    "state_dict",
    "_init_state_dict",
    "split_shard_indices_by_worker",
)


def missing_seams() -> list[str]:
    """The names that this module needs but `ExamplesIterable` lacks; empty for every version that is tested."""
    return [name for name in _SEAMS if not hasattr(ExamplesIterable, name)]


class WindowedExamples(ExamplesIterable):  # type: ignore[misc]
    """The examples of a plan, or of some positions in it.

    Positions are places in the order, not windows: each epoch fills them anew. Ranks and workers get positions, so they
    have disjoint rows in every epoch.
    """

    def __init__(self, plan: StreamPlan, report: Report, features: Features) -> None:
        super().__init__(_none, {})
        self._plan, self._report, self._features = plan, report, features
        self._epoch = plan.epoch
        self._positions = list(range(len(plan.windows(plan.epoch))))

    @property
    def num_shards(self) -> int:
        """Windows of this iterable's share."""
        return len(self._positions)

    @property
    def features(self) -> Features:
        """The rows' features. They are validated, and their Json leaves parsed here, so `datasets` need not cast."""
        return self._features

    @property
    def iter_arrow(self) -> Callable[[], Iterator[tuple[str, pa.Table]]]:
        """The method that gives the same rows as Arrow tables."""
        return self._iter_arrow

    def shuffle_data_sources(self, generator: Any) -> WindowedExamples:
        """Take the epoch that `set_epoch` passes in as a generator. Nothing is shuffled on top of the plan's order."""
        return self._but(_epoch=_epoch_of(generator)) if self._plan.shuffle_seed is not None else self._but()

    def shard_data_sources(self, num_shards: int, index: int, contiguous: bool = True) -> WindowedExamples:  # noqa: FBT001, FBT002 (the seam's own signature)
        """The share of one rank or worker."""
        mine = self.split_shard_indices_by_worker(num_shards, index, contiguous=contiguous)
        return self._but(_positions=[self._positions[i] for i in mine])

    def reshard_data_sources(self) -> WindowedExamples:
        """The plan is as fine as it gets; `shard_bytes` makes another."""
        return self._but()

    def _init_state_dict(self) -> dict[str, Any]:
        self._state_dict: dict[str, Any] | None = SavedState(self._key(), type(self).__name__)
        return self._state_dict

    def _key(self) -> str:
        return self._plan.key(self._epoch, self._positions)

    def _but(self, **changed: Any) -> WindowedExamples:
        other = copy(self)
        other.__dict__.update(changed, _state_dict=None)
        return other

    def __iter__(self) -> Iterator[tuple[str, Row]]:
        leaves = [name for name, feature in self._features.items() if _holds_json(feature)]
        for key, row in self._rows():
            yield key, text_row({**row, **{name: [_parse(leaf) for leaf in row[name]] for name in leaves}})

    def _iter_arrow(self) -> Iterator[tuple[str, pa.Table]]:
        """One table per row, so that a state never points into the middle of one."""
        schema = schema_of(columns(self._plan.request))
        waiting = [(field.name, arrow_column(field.type)) for field in schema]
        for key, row in self._rows():
            for name, column in waiting:
                column.extend((row[name],))
            yield key, pa.Table.from_arrays([column.finish() for _, column in waiting], schema=schema)

    def _rows(self) -> Iterator[tuple[str, Row]]:
        """The rows as views render them. Each is yielded once the state points to what comes after it."""
        plan, state, first, mark, skip = self._plan, self._state_dict, 0, -1, 0
        windows = plan.windows(self._epoch)
        mine = plan.joined([windows[position] for position in self._positions])
        if state is not None:
            places = [*(joined.first for joined in mine), len(self._positions)]
            check_state(state, self._key(), type(self).__name__, places)
            first, mark, skip = state["shard_idx"], state["shard_example_idx"], state["row"]
        before = deepcopy(self._report)
        left = [joined for joined in mine if joined.first >= first]
        for joined, records in plan.readers(left, mark):
            rows = convert_window(
                joined.window,
                records,
                plan.snapshot,
                plan.request,
                self._report,
                skip=skip if joined.first == first else 0,
            )
            for record, converted in rows:
                if state is not None and converted.last:
                    move(state, joined.first, record.mark)
                elif state is not None:
                    move(state, joined.first, record.before, converted.number + 1)
                yield record.key(converted.number), converted.row
            if state is not None:
                move(state, joined.after, -1)
        log_pass(plan.request.name, self._report.since(before))


def _holds_json(feature: Any) -> bool:
    """Whether a feature is a list of Json leaves."""
    inner = feature[0] if isinstance(feature, list) else getattr(feature, "feature", None)
    return type(inner).__name__ == "Json"


# This gives what `datasets` makes of a leaf, but exact to the last digit of a float, and faster.
_parse = msgspec.json.Decoder().decode


def _none() -> Iterator[Any]:
    """Never called: `WindowedExamples` iterates by itself."""
    return iter(())


def _epoch_of(generator: Any) -> int:
    """The number that a generator was made from, as in `default_rng(epoch)`; for others, a number that they give."""
    seeds = getattr(generator.bit_generator, "seed_seq", None)
    entropy = getattr(seeds, "entropy", None)
    return entropy if isinstance(entropy, int) else int(copy(generator.bit_generator).random_raw())

"""`sera_swezero.load_dataset`: loads a config through public functions of `datasets` alone, without the hook."""

from __future__ import annotations

from typing import Any, Unpack

import datasets

from sera_swezero.loading.builder import SeraSweZero
from sera_swezero.request.arguments import ArgumentsDict


def load_dataset(  # noqa: PLR0913 (the arguments of datasets.load_dataset that make sense here, by the same names)
    name: str | None = None,
    *,
    split: str | None = None,
    streaming: bool = False,
    num_proc: int | None = None,
    cache_dir: str | None = None,
    download_mode: datasets.DownloadMode | str | None = None,
    verification_mode: datasets.VerificationMode | str | None = None,
    keep_in_memory: bool = False,
    token: str | bool | None = None,
    **arguments: Unpack[ArgumentsDict],
) -> Any:
    """Load a config, plain or streaming: what `datasets.load_dataset("sera_swezero", name, ...)` does.

    Args:
        name: a config name, such as "glm-4.6-lite-t2" or "sera-native"; None means "sera".
        split: "train", the only one, returns a Dataset; None returns a dict of splits.
        streaming: convert while iterating (IterableDataset) rather than into the local Arrow cache first (Dataset).
        num_proc: processes of a plain load.
        cache_dir: folder of the local Arrow cache.
        download_mode: whether cached data is reused, as in `datasets.load_dataset`.
        verification_mode: what is checked after a plain load, as in `datasets.load_dataset`.
        keep_in_memory: whether a plain load keeps its rows in memory.
        token: for gated or private upstream repos; None stands for HF_TOKEN or the stored login.
        **arguments: the fields of `Arguments`, such as `view`, `min_recall` or `upstream`.

    Raises:
        ConfigError: an unknown config, argument or value, or two arguments that make no sense together.
        UpstreamError: the upstream cannot be resolved or read.
        RowError: a record cannot become a row, with `on_error="raise"`.
    """
    builder = SeraSweZero(cache_dir=cache_dir, dataset_name="sera_swezero", config_name=name, token=token, **arguments)
    if streaming:
        return builder.as_streaming_dataset(split=split)
    builder.download_and_prepare(download_mode=download_mode, verification_mode=verification_mode, num_proc=num_proc)
    return builder.as_dataset(split=split, in_memory=keep_in_memory)

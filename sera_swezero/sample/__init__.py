"""The embedded corpus: a small stand-in for the upstream repositories.

`ROOT` holds invented rows in the exact shapes of the upstream files, `<owner>/<repo>/<file>`. Every known oddity occurs
a known number of times. Runs of a set without a repository are in `<set>/`. In a checkout,
`python -m tools.sample_corpus --help` says how to make more rows.
"""

from __future__ import annotations

from pathlib import Path

from sera_swezero.catalog import CONFIGS

ROOT = Path(__file__).resolve().parent / "corpus"
"""The root of the shipped corpus, laid out as `upstream=` takes it."""


def sampled_configs() -> list[str]:
    """The configs whose sets are all in the corpus, which does not have every set of the catalog."""
    return [
        name
        for name, config in CONFIGS.items()
        if all((ROOT / (one.repo or one.name)).is_dir() for one in config.origins)
    ]

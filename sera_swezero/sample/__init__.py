"""The embedded corpus: a small stand-in for the upstream repositories.

`ROOT` holds invented rows in the exact shapes of the upstream files, `<owner>/<repo>/<file>`, with every known oddity
at a known count. Runs of a set without a repository are looked for in `<set>/`. In a checkout,
`python -m tools.sample_corpus --help` says how to make more rows.
"""

from __future__ import annotations

from pathlib import Path

from sera_swezero.catalog import CONFIGS

ROOT = Path(__file__).resolve().parent / "corpus"
"""The root of the shipped corpus, laid out as `upstream=` takes it."""


def sampled_configs() -> list[str]:
    """The configs of which the corpus has every set: a set may be in the catalog alone."""
    return [
        name
        for name, config in CONFIGS.items()
        if all((ROOT / (one.repo or one.name)).is_dir() for one in config.origins)
    ]

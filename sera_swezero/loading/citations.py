"""The papers that describe published sets, as BibTeX."""

from __future__ import annotations

from collections.abc import Iterable

PAPERS = {
    "allenai": """\
@misc{shen2026sera,
  title = {{SERA}: Soft-Verified Efficient Repository Agents},
  author = {Ethan Shen and Danny Tormoen and Saurabh Shah and Ali Farhadi and Tim Dettmers},
  year = {2026},
  eprint = {2601.20789},
  archivePrefix = {arXiv}
}""",
}
"""The owner of repositories on the hub -> the paper on its sets."""


def citation(repos: Iterable[str]) -> str:
    """The papers on these repositories, each once; "" if none is known."""
    owners = sorted({repo.partition("/")[0] for repo in repos})
    return "\n\n".join(PAPERS[owner] for owner in owners if owner in PAPERS)

"""The options that choose rows, as commands take them: the config arguments of `configs.request` by the same names."""

from __future__ import annotations

from typing import Annotated

import typer

Config = Annotated[
    str, typer.Argument(help="A config name, such as glm-4.6-lite-t2 or sera-native.", show_default=False)
]
View = Annotated[str | None, typer.Option("--view", help="Another view than the config's own.")]
Submit = Annotated[str | None, typer.Option("--submit", help="answer or call.")]
Incomplete = Annotated[str | None, typer.Option("--incomplete", help="keep or reject what was not submitted.")]
OnError = Annotated[str | None, typer.Option("--on-error", help="skip or raise.")]
Teacher = Annotated[str | None, typer.Option("--teacher", help="sera only: GLM-4.5-Air or GLM-4.6.")]
Scale = Annotated[str | None, typer.Option("--scale", help="sera only: full or lite.")]
Rollout = Annotated[str | None, typer.Option("--rollout", help="sera only: T1 or T2.")]
MinRecall = Annotated[float | None, typer.Option("--min-recall", help="Least line-level recall, 0 to 1.")]
Lineage = Annotated[bool, typer.Option("--lineage", help="Add where each row came from.")]
Upstream = Annotated[
    str | None, typer.Option("--upstream", help="A folder or URL to read instead of the hub, or sample.")
]
Revision = Annotated[str | None, typer.Option("--revision", help="A commit, tag or branch, or a lock file.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON for machines.")]

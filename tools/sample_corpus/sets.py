"""The upstream sets that the generator imitates: repos, files and shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Set:
    """One upstream repo."""

    config: str
    """The name that loads it."""
    repo: str
    file: str
    """Its files' names; `{rows}` in the whole set, `{at}` and `{of}` for one of several files."""
    kind: Literal["sera", "swe_zero", "chat", "atif", "swe_agent", "mini_swe_agent"]
    rollout: Literal["T1", "T2"] = "T1"
    """SERA: T1 is asked vaguely, T2 is asked to do again what T1 did."""
    joins: tuple[str, ...] = ()
    """SERA: the sets whose rows it repeats in turn. A further column `source` names the set, but for the first row."""
    columns: tuple[str, ...] = ()
    """SWE-ZERO and chats: the columns in order."""
    ids: Literal["all", "calls", "none"] = "all"
    """Chats: which ids there are."""
    tools: Literal["objects", "texts"] = "texts"
    """Chats: how a row lists the tools, where it does."""
    files: int = 1
    """SWE-ZERO: files of the shipped corpus."""
    row_group: int = 1_000
    """SWE-ZERO: rows per Parquet row group in the shipped corpus."""
    rollouts: int = 1
    """SWE-ZERO: rows per issue in the shipped corpus."""
    submitted: float = 1.0
    """SWE-ZERO: the share of rows that end in a submission, as the cards give it."""
    language: str = "Python"
    """SWE-ZERO: what the task says of the repo's language."""
    turns: int = 30
    """SWE-ZERO: turns after which the harness stops a run."""


@dataclass(frozen=True)
class Size:
    """How large rows are."""

    row_bytes: int
    """The mean size of a raw row."""
    calls: int
    """The mean number of calls that are no submits."""
    changed: int
    """The mean number of changed lines in a patch."""


COLUMNS_1K = (
    *("instance_id", "messages", "repo", "exit_status", "exit_status_detail", "n_turns", "n_messages"),
    *("prompt_tokens", "completion_tokens", "duration_sec"),
)
COLUMNS_12M = ("instance_id", "repo", "messages", "trajectory_format", "exit_status", "duration_sec")


_PARQUET = "data/train-{at:05}-of-{of:05}.parquet"


def _sera(config: str, repo: str, rollout: Literal["T1", "T2"] = "T1", **more: Any) -> Set:
    """A set of SERA; its file has the name of its repo in small letters."""
    name = repo.removeprefix("allenai/").lower()
    return Set(config, repo, f"{name}_{{rows}}_string_enriched.jsonl", "sera", rollout=rollout, **more)


def _swe_zero(config: str, name: str, columns: tuple[str, ...], **more: Any) -> Set:
    """A set of SWE-ZERO."""
    return Set(config, f"AlienKevin/SWE-ZERO-{name}", _PARQUET, "swe_zero", columns=columns, **more)


def _chat(
    config: str, repo: str, *columns: str, file: str = "data/train-{at:05}-of-{of:05}.parquet", **more: Any
) -> Set:
    """A set of chats."""
    return Set(config, repo, file, "chat", columns=columns, **more)


_NVIDIA = ("instance_id", "repo", "license", "trajectory_id", "trajectory", "model_patch", "dataset")

SETS = {
    "full_t1": _sera("glm-4.5-air-full-t1", "allenai/Sera-4.5A-Full-T1", "T1"),
    "full_t2": _sera("glm-4.5-air-full-t2", "allenai/Sera-4.5A-Full-T2", "T2"),
    "lite_t1": _sera("glm-4.6-lite-t1", "allenai/Sera-4.6-Lite-T1", "T1"),
    "lite_t2": _sera("glm-4.6-lite-t2", "allenai/Sera-4.6-Lite-T2", "T2"),
    "air_lite_t1": _sera("glm-4.5-air-lite-t1", "allenai/Sera-4.5A-Lite-T1", "T1"),
    "air_lite_t2": _sera("glm-4.5-air-lite-t2", "allenai/Sera-4.5A-Lite-T2", "T2"),
    "django_t1": _sera("glm-4.5-air-django-t1", "allenai/Sera-4.5A-Django-T1", "T1"),
    "django_t2": _sera("glm-4.5-air-django-t2", "allenai/Sera-4.5A-Django-T2", "T2"),
    "sympy_t1": _sera("glm-4.5-air-sympy-t1", "allenai/Sera-4.5A-Sympy-T1", "T1"),
    "sympy_t2": _sera("glm-4.5-air-sympy-t2", "allenai/Sera-4.5A-Sympy-T2", "T2"),
    "sphinx_t1": _sera("glm-4.5-air-sphinx-t1", "allenai/Sera-4.5A-Sphinx-T1", "T1"),
    "sphinx_t2": _sera("glm-4.5-air-sphinx-t2", "allenai/Sera-4.5A-Sphinx-T2", "T2"),
    "best": _sera("glm-4.6-lite-best", "allenai/SERA-4.6-Lite-Best-Subset", joins=("lite_t1", "lite_t2")),
    "zero_32k": _swe_zero(
        "swe-zero-1k-32k", "1k-trajectories-32k", COLUMNS_1K, files=2, row_group=20, rollouts=9, submitted=0.486
    ),
    "zero_8k": _swe_zero("swe-zero-1k-8k", "1k-trajectories", COLUMNS_1K, rollouts=9, submitted=0.154),
    "zero_12m": _swe_zero(
        "swe-zero-12m",
        "12M-trajectories",
        COLUMNS_12M,
        files=3,
        row_group=16,
        rollouts=32,
        submitted=0.0384,
        language="unknown",
        turns=15,
    ),
    "zero_96k": _swe_zero("swe-zero-96k", "96K-trajectories", COLUMNS_1K, rollouts=3),
    "zero_multilang": _swe_zero("swe-zero-multilang-300", "multilang-300-trajectories", COLUMNS_1K, language="Go"),
    "openhands_zero": _chat("swe-zero-openhands", "nvidia/SWE-Zero-openhands-trajectories", *_NVIDIA, ids="calls"),
    "openhands_hero": _chat("swe-hero-openhands", "nvidia/SWE-Hero-openhands-trajectories", *_NVIDIA, ids="calls"),
    "rebench": _chat(
        "swe-rebench-openhands",
        "nebius/SWE-rebench-openhands-trajectories",
        *("trajectory_id", "instance_id", "repo", "trajectory", "tools", "model_patch", "exit_status", "resolved"),
        tools="objects",
    ),
    "traces": _chat(
        "open-swe-traces",
        "nvidia/Open-SWE-Traces",
        *("instance_id", "repo", "license", "language", "trajectory_id", "messages", "tools", "resolved", "metadata"),
        "hf_dataset_name",
        file="data/{harness}/made_up/made-up/train-{at:05}.parquet",
        ids="none",
        files=3,
    ),
    "own_chat": _chat(
        "openai-chat",
        "openai-chat",
        "messages",
        "tools",
        "instance_id",
        "trajectory_id",
        "repo",
        file="made/runs.jsonl",
    ),
    "own_atif": Set("atif", "atif", "made/runs.jsonl", "atif", columns=("instance_id", "trajectory_id")),
    "own_swe_agent": Set("swe-agent", "swe-agent", "made/run_{at:02}/run_{at:02}.traj", "swe_agent"),
    "own_mini": Set(
        "mini-swe-agent",
        "mini-swe-agent",
        "made/run_{at:02}/run_{at:02}.traj.json",
        "mini_swe_agent",
        columns=("instance_id", "model_patch"),
    ),
}
"""The sets by the short names that the table of oddities uses."""

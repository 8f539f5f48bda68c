"""The table of sets and configs: which repositories there are, of which source, and the view that each config shows.

This is the only place that knows repositories, teachers and licences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Origin:
    """One set: an upstream repository, or your own runs, and what is known of it apart from its files."""

    name: str
    """The name of the set, and of the config that reads it alone."""
    repo: str = ""
    """The repository's id on the hub; "" for your own runs, which are where `upstream=` says."""
    source: str
    """A key of `sources.SOURCES`."""
    shape: str
    """Which columns its files have: a key of the source's `native_columns`."""
    patterns: tuple[str, ...]
    """The files to read, as fnmatch patterns of paths inside the repository: their names are upstream's to change."""
    rows: int = 0
    """Rows that upstream says it has; 0 where nobody says."""
    license: str = ""
    """An SPDX-like id, as on its card; "" where nobody says."""
    tools: str = ""
    """The list of tools (`schemas.tools`) that the model had, for rows that do not say; "" where nobody knows."""
    agent: str = "Agent"
    """The program that made the rollouts."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Teacher, scale and rollout as the rectified card spells them; empty for SWE-ZERO. A set without a rollout has
    rows of both, and each row says which."""
    repeats: tuple[str, ...] = ()
    """The names of other sets, one of which holds each row, too."""
    default_view: str = "rectified"
    """The view that its config shows unless asked for another."""
    incomplete: Literal["keep", "reject"] = "reject"
    """What its config does with rows that were not submitted."""

    @property
    def about(self) -> str:
        """The set in a few words."""
        if not self.repo:
            return f"{self.agent} rollouts of your own"
        facts = {"rollout": "T1 or T2", **self.facts}
        what = "{teacher}, {scale} set, rollout {rollout}".format(**facts) if self.facts else self.repo
        return f"{self.agent} rollouts of {what}"


@dataclass(frozen=True, kw_only=True)
class Config:
    """What may be loaded by one name: a set, or several of one source."""

    name: str
    origins: tuple[Origin, ...]
    """The sets that it reads."""
    about: str
    """The config in a few words."""

    @property
    def source(self) -> str:
        """The name of the source of every set: a config never mixes sources."""
        return self.origins[0].source

    @property
    def own(self) -> bool:
        """Whether it reads your own runs: it has no repository, and `upstream=` must say where they are."""
        return not self.origins[0].repo

    @property
    def default_view(self) -> str:
        """The view that it shows unless asked for another."""
        return self.origins[0].default_view

    @property
    def incomplete(self) -> Literal["keep", "reject"]:
        """What it does with rows that were not submitted, unless asked."""
        return self.origins[0].incomplete

    @property
    def rows(self) -> int:
        """Rows upstream."""
        return sum(origin.rows for origin in self.origins)


def _sera(
    name: str, repo: str, rows: int, teacher: str, scale: str, rollout: str = "", repeats: tuple[str, ...] = ()
) -> Origin:
    facts = {"teacher": teacher, "scale": scale, "rollout": rollout}
    return Origin(
        name=name,
        repo=f"allenai/{repo}",
        source="sera",
        agent="SWE-agent",
        shape="sera",
        patterns=("*.jsonl",),
        rows=rows,
        license="odc-by",
        facts={fact: value for fact, value in facts.items() if value},
        repeats=repeats,
    )


def _swe_zero(name: str, repo: str, rows: int, shape: str) -> Origin:
    return Origin(
        name=name,
        repo=f"AlienKevin/{repo}",
        source="swe_zero",
        agent="mini-swe-agent",
        shape=shape,
        patterns=("*.parquet",),
        rows=rows,
        license="apache-2.0",
        default_view="native",
        incomplete="keep",
    )


def _chat(name: str, repo: str, rows: int, shape: str, agent: str = "OpenHands", tools: str = "") -> Origin:
    return Origin(
        name=name,
        repo=repo,
        source="openai_chat",
        agent=agent,
        shape=shape,
        patterns=("*.parquet",),
        rows=rows,
        license="cc-by-4.0",
        tools=tools,
        default_view="native",
        incomplete="keep",
    )


def _own(
    name: str,
    source: str,
    agent: str,
    *patterns: str,
    shape: str = "",
    incomplete: Literal["keep", "reject"] = "reject",
) -> Origin:
    shape = shape or name
    return Origin(name=name, source=source, agent=agent, shape=shape, patterns=patterns, incomplete=incomplete)


AIR, GLM = "GLM-4.5-Air", "GLM-4.6"

SERA = (
    _sera("glm-4.5-air-full-t1", "Sera-4.5A-Full-T1", 72_118, AIR, "full", "T1"),
    _sera("glm-4.5-air-full-t2", "Sera-4.5A-Full-T2", 66_337, AIR, "full", "T2"),
    _sera("glm-4.6-lite-t1", "Sera-4.6-Lite-T1", 36_825, GLM, "lite", "T1"),
    _sera("glm-4.6-lite-t2", "Sera-4.6-Lite-T2", 36_083, GLM, "lite", "T2"),
)
"""The sets of the rectified card, which the config `sera` joins."""

SERA_OTHERS = (
    _sera("glm-4.5-air-lite-t1", "Sera-4.5A-Lite-T1", 36_607, AIR, "lite", "T1", ("glm-4.5-air-full-t1",)),
    _sera("glm-4.5-air-lite-t2", "Sera-4.5A-Lite-T2", 35_615, AIR, "lite", "T2", ("glm-4.5-air-full-t2",)),
    _sera("glm-4.5-air-django-t1", "Sera-4.5A-Django-T1", 24_218, AIR, "django", "T1"),
    _sera("glm-4.5-air-django-t2", "Sera-4.5A-Django-T2", 21_900, AIR, "django", "T2"),
    _sera("glm-4.5-air-sympy-t1", "Sera-4.5A-Sympy-T1", 27_227, AIR, "sympy", "T1"),
    _sera("glm-4.5-air-sympy-t2", "Sera-4.5A-Sympy-T2", 25_397, AIR, "sympy", "T2"),
    _sera("glm-4.5-air-sphinx-t1", "Sera-4.5A-Sphinx-T1", 24_553, AIR, "sphinx", "T1"),
    _sera("glm-4.5-air-sphinx-t2", "Sera-4.5A-Sphinx-T2", 12_676, AIR, "sphinx", "T2"),
    _sera(
        "glm-4.6-lite-best",
        "SERA-4.6-Lite-Best-Subset",
        47_498,
        GLM,
        "lite",
        repeats=("glm-4.6-lite-t1", "glm-4.6-lite-t2"),
    ),
)
"""The further sets that allenai publishes. `sera-all` joins them with those of the card."""

SWE_ZERO = (
    _swe_zero("swe-zero-1k-32k", "SWE-ZERO-1k-trajectories-32k", 1_000, "swe-zero-1k"),
    _swe_zero("swe-zero-1k-8k", "SWE-ZERO-1k-trajectories", 1_000, "swe-zero-1k"),
    _swe_zero("swe-zero-12m", "SWE-ZERO-12M-trajectories", 12_290_800, "swe-zero-12m"),
    _swe_zero("swe-zero-96k", "SWE-ZERO-96K-trajectories", 96_237, "swe-zero-1k"),
    _swe_zero("swe-zero-multilang-300", "SWE-ZERO-multilang-300-trajectories", 300, "swe-zero-1k"),
)

CHATS = (
    _chat(
        "swe-zero-openhands",
        "nvidia/SWE-Zero-openhands-trajectories",
        318_115,
        "openhands-nvidia",
        tools="tools-openhands",
    ),
    _chat(
        "swe-hero-openhands",
        "nvidia/SWE-Hero-openhands-trajectories",
        34_269,
        "openhands-nvidia",
        tools="tools-openhands",
    ),
    _chat("swe-rebench-openhands", "nebius/SWE-rebench-openhands-trajectories", 67_074, "openhands-nebius"),
    _chat(
        "open-swe-traces", "nvidia/Open-SWE-Traces", 207_489, "open-swe-traces", "OpenHands, SWE-agent, mini-swe-agent"
    ),
)
"""Sets in the form of OpenAI's chat API. Row counts: of Open-SWE-Traces those of its version 1.0, to which others were
added since; of SWE-Hero as people who read it say."""

OWN = (
    _own("swe-agent", "swe_agent", "SWE-agent", "*.traj", "*.jsonl", incomplete="keep"),
    _own(
        "mini-swe-agent", "mini_swe_agent", "mini-swe-agent", "*.traj.json", "*.jsonl", "*.parquet", incomplete="keep"
    ),
    _own("openai-chat", "openai_chat", "Chat", "*.jsonl", "*.parquet", shape="chat"),
    _own("atif", "atif_trajectory", "ATIF", "*.json", "*.jsonl", "*.parquet"),
)
"""Your own runs, by the program that made them."""

DEFAULT = "sera"
"""The config where none is named."""

CONFIGS: dict[str, Config] = {}
"""Every config by name."""


def add_set(origin: Origin) -> None:
    """Add a set, which may be loaded by its name."""
    CONFIGS[origin.name] = Config(name=origin.name, origins=(origin,), about=origin.about)


def fact_values(name: str) -> list[str]:
    """The values that a fact of the sets has ("teacher", "scale" or "rollout"), in the table's order, each once."""
    facts = (origin.facts for config in CONFIGS.values() for origin in config.origins)
    return list(dict.fromkeys(fact[name] for fact in facts if name in fact))


for _origin in SERA:
    add_set(_origin)
CONFIGS[DEFAULT] = Config(name=DEFAULT, origins=SERA, about="the four SERA sets of the card")
for _origin in SERA_OTHERS:
    add_set(_origin)
CONFIGS["sera-all"] = Config(name="sera-all", origins=SERA + SERA_OTHERS, about="all thirteen SERA sets")
for _origin in (*SWE_ZERO, *CHATS, *OWN):
    add_set(_origin)

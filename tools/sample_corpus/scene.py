"""Where a trajectory plays."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tools.sample_corpus.issue import Issue
from tools.sample_corpus.project import Project, World
from tools.sample_corpus.text import pick


@dataclass
class Scene:
    """An issue, its repo, and the random numbers of the row."""

    world: World
    rng: Random
    issue: Issue

    @property
    def project(self) -> Project:
        """The repo of the issue."""
        return self.issue.project

    def prose(self, chars: int) -> str:
        """About `chars` characters of thought."""
        return self.world.prose(self.rng, chars)

    def path(self) -> str:
        """A file of the repo, most often the issue's."""
        return self.issue.path if self.rng.random() < 0.6 else pick(self.rng, list(self.project.files))

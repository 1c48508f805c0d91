"""How a model is trained and measured: a file `models/trainers/<name>.py` with `TRAINER`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from tallyman.domain.base import Value

Tell = Callable[[str, int, int], None]
"""Hears what is done, how much of it, and of how much in all."""


class TrainingPlan(Value):
    """documents: how many are printed; steps: how many batches are learned from; device: cpu, cuda."""

    documents: int
    steps: int
    device: str = "cpu"
    seed: int = 1


class Trainer(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def shipped(self) -> TrainingPlan:
        """The plan of the release that comes with the project."""

    @property
    def quick(self) -> TrainingPlan:
        """A plan that proves the whole path in a few minutes; what it makes is worth nothing."""

    def train(self, work: Path, release: Path, plan: TrainingPlan, tell: Tell) -> None:
        """Write a release: weights, card.md, metrics.json and pictures of how it learned.

        What it needs on the way stays in `work`; a training that was stopped goes on from there. The same plan gives
        the same release on one machine. Raises ConfigurationError when a library is missing.
        """

    def evaluate(self, release: Path, work: Path, tell: Tell) -> Mapping[str, Any]:
        """The figures of a release, measured anew on printed documents that no training sees."""

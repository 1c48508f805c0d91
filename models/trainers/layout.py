"""The trainer of the document model. torch is loaded when it is needed: it is in the extra `model`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tallyman.contracts.trainer import Tell, TrainingPlan
from tallyman.errors import ConfigurationError


class LayoutTrainer:
    name = "layout"
    shipped = TrainingPlan(documents=24_000, steps=9_000)
    quick = TrainingPlan(documents=200, steps=100)

    def train(self, work: Path, release: Path, plan: TrainingPlan, tell: Tell) -> None:
        try:
            from models.layout.training.course import train
        except ImportError as error:
            raise ConfigurationError(
                f"Training needs {error.name}, which is not installed.",
                advice="Install it: `pip install 'tallyman[model]'`, or `scripts/setup model` in a clone.",
            ) from error
        train(work, release, plan, os.cpu_count() or 1, tell)

    def evaluate(self, release: Path, work: Path, tell: Tell) -> Mapping[str, Any]:
        from models.layout.training.figures import measured

        del work
        return measured(release, tell)


TRAINER = LayoutTrainer()

"""How likely a value is right, from evidence that is independent of each other.

A logistic regression for each field, learned on printed papers of families of layouts that the network never saw. What
it says holds for such papers only: on a layout that is unlike all of them it promises too much, which is why nothing is
accepted on it alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

EVIDENCE = (
    "odds", "least odds", "rival", "odds of rival", "again", "clearly of its type", "surely read", "sums fit",
    "first page", "words", "read by OCR",
)  # fmt: skip
"""odds: the logit of the mean of its words' odds; least: of the lowest; rival: whether another value has odds, and the
logit of those; again: whether the same value stands there twice."""
_POOL = "*"
_LEAST = 60
"""Values of a field for a regression of its own; other fields share one."""
_RIDGE = 1.0


@dataclass(frozen=True)
class Calibrator:
    """weights: for each field len(EVIDENCE) + 1 numbers, the last one the constant; the field "*" stands for others."""

    weights: Mapping[str, tuple[float, ...]]

    def confidence(self, name: str, evidence: Sequence[float]) -> float:
        weights = np.array(self.weights.get(name, self.weights[_POOL]))
        return float(1 / (1 + np.exp(-np.clip(weights[:-1] @ np.array(evidence) + weights[-1], -30, 30))))

    def to_json(self) -> dict[str, list[float]]:
        return {name: [round(each, 5) for each in weights] for name, weights in self.weights.items()}

    @classmethod
    def from_json(cls, told: Mapping[str, Sequence[float]]) -> "Calibrator":
        """Raises ValueError when it was learned from other evidence."""
        if any(len(weights) != len(EVIDENCE) + 1 for weights in told.values()) or _POOL not in told:
            raise ValueError("This calibration is of another version.")
        return cls({name: tuple(weights) for name, weights in told.items()})


def fitted(samples: Sequence[tuple[str, Sequence[float], bool]]) -> Calibrator:
    """samples: of each value its field, its evidence, and whether it is right."""
    by_field: dict[str, list[tuple[Sequence[float], bool]]] = {}
    for name, evidence, right in samples:
        by_field.setdefault(name, []).append((evidence, right))
    every = [(evidence, right) for _, evidence, right in samples]
    nothing = np.zeros(len(EVIDENCE) + 1)
    pool = _regression(every, nothing) if every else nothing
    weights = {_POOL: tuple(pool.tolist())}
    for name, some in by_field.items():
        if len(some) >= _LEAST:
            weights[name] = tuple(_regression(some, pool).tolist())
    return Calibrator(weights)


def _regression(some: Sequence[tuple[Sequence[float], bool]], prior: Any) -> Any:
    """Weights by Newton's method, drawn towards `prior` so that a field with few errors stays humble."""
    seen = np.array([[*evidence, 1.0] for evidence, _ in some])
    right = np.array([float(right) for _, right in some])
    weights = prior.copy()
    for _ in range(30):
        odds = 1 / (1 + np.exp(-np.clip(seen @ weights, -30, 30)))
        slope = seen.T @ (right - odds) - _RIDGE * (weights - prior)
        curve = (seen * (odds * (1 - odds))[:, None]).T @ seen + _RIDGE * np.eye(len(weights))
        step = np.linalg.solve(curve, slope)
        weights = weights + step
        if float(np.abs(step).max()) < 1e-6:
            break
    return weights


def coverage(confidences: Sequence[float], rights: Sequence[bool], precision: float) -> float:
    """The largest share of values that can be accepted, the surest first, with such a share of them right."""
    given = -np.array(confidences)
    order = np.argsort(given, kind="stable")
    right = np.cumsum(np.array(rights, float)[order]) / np.arange(1, len(order) + 1)
    can_end = np.append(np.diff(given[order]) > 0, True)[: len(order)]  # equal confidences are taken or left together
    good = np.flatnonzero((right >= precision) & can_end)
    return float((good[-1] + 1) / len(order)) if len(good) else 0.0


def reliability(confidences: Sequence[float], rights: Sequence[bool], bins: int = 10) -> list[tuple[float, float, int]]:
    """For each tenth of values, the least sure first: the mean confidence, the share that is right, how many."""
    order = np.argsort(np.array(confidences), kind="stable")
    told = []
    for part in np.array_split(order, bins):
        if len(part):
            told.append(
                (float(np.array(confidences)[part].mean()), float(np.array(rights, float)[part].mean()), len(part))
            )
    return told

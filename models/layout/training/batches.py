"""Labelled pages as batches of tensors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from models.layout.features import features_of, windows_of
from models.layout.torch_network import inputs_of
from models.layout.training.labelled import IGNORED, LabelledPage
from models.layout.training.noise import noisy

_WORDS = 6000
"""Of one batch, those included that only fill up its shorter pages."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """`inputs` are those of LayoutModel.forward; the others are what it should say, IGNORED where nobody knows."""

    inputs: dict[str, Tensor]
    classes: Tensor
    starts: Tensor
    kind: Tensor
    role: Tensor

    def to(self, device: str) -> "Batch":
        return Batch(
            inputs={name: each.to(device) for name, each in self.inputs.items()},
            classes=self.classes.to(device),
            starts=self.starts.to(device),
            kind=self.kind.to(device),
            role=self.role.to(device),
        )


class Pages(Dataset[Any]):
    """Batches of pages: an item is asked for as (pass, numbers of pages), and is the same each time it is asked for."""

    def __init__(self, pages: Sequence[LabelledPage], seed: int, *, noise: bool) -> None:
        self._pages, self._seed, self._noise = pages, seed, noise

    def __getitem__(self, asked: tuple[int, Sequence[int]]) -> Batch:
        turn, numbers = asked
        return batch_of([self._seen(turn, number) for number in numbers])

    def _seen(self, turn: int, number: int) -> LabelledPage:
        page = self._pages[number]
        return noisy(page, np.random.default_rng((self._seed, turn, number))) if self._noise else page


def batch_of(pages: Sequence[LabelledPage]) -> Batch:
    """Of a page that holds more words than are looked at together, the first window."""
    features, classes, starts = [], [], []
    for page in pages:
        window = windows_of(page.words)[0]
        features.append(features_of(page.words).part(window))
        classes.append(page.classes[window])
        starts.append(page.starts[window])
    inputs = inputs_of(features)
    longest = inputs["mask"].shape[1]
    return Batch(
        inputs=inputs,
        classes=_filled(classes, longest),
        starts=_filled(starts, longest),
        kind=torch.tensor([page.kind for page in pages]),
        role=torch.tensor([page.role for page in pages]),
    )


def _filled(rows: Sequence[Any], longest: int) -> Tensor:
    made = np.full((len(rows), longest), IGNORED, np.int64)
    for number, row in enumerate(rows):
        made[number, : len(row)] = row
    return torch.from_numpy(made)


class Passes:
    """The order of batches: pass after pass over all pages, pages of like length together. Made of the seed alone, so
    a training that goes on at a step goes on as if it had never stopped."""

    def __init__(self, pages: Sequence[LabelledPage], seed: int) -> None:
        self._sizes = np.array([min(len(page.words), 640) for page in pages])
        self._seed = seed

    def from_step(self, step: int) -> Iterator[tuple[int, list[int]]]:
        turn = 0
        while True:
            batches = self._of(turn)
            if step < len(batches):
                yield from ((turn, batch) for batch in batches[step:])
                step = 0
            else:
                step -= len(batches)
            turn += 1

    def _of(self, turn: int) -> list[list[int]]:
        dice = np.random.default_rng((self._seed, turn))
        order = np.argsort(self._sizes + dice.uniform(0, 60, len(self._sizes)), kind="stable")
        batches: list[list[int]] = [[]]
        for number in order.tolist():
            longest = max([int(self._sizes[number])] + [int(self._sizes[one]) for one in batches[-1][-1:]])
            if batches[-1] and (len(batches[-1]) + 1) * longest > _WORDS:
                batches.append([])
            batches[-1].append(number)
        return [batches[place] for place in dice.permutation(len(batches)).tolist()]


def loader(pages: Sequence[LabelledPage], seed: int, step: int, *, noise: bool, workers: int) -> Iterator[Batch]:
    """Batches from a step on, without end, prepared by other processes."""
    order = Passes(pages, seed).from_step(step)
    data = Pages(pages, seed, noise=noise)
    return iter(
        DataLoader(data, batch_size=None, sampler=order, num_workers=workers, prefetch_factor=8 if workers else None)
    )

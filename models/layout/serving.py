"""The document model at work: pages in, a document out."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.layout.calibration import Calibrator
from models.layout.decode import Said, document_of
from models.layout.features import DENSE, Features, features_of, windows_of
from models.layout.fields import CLASSES, ROLES, TYPES
from models.layout.page import PageWords, words_of
from models.layout.wordhash import PLACES, TABLE
from tallyman.contracts.document_reader import DocumentReader
from tallyman.domain.document import Document
from tallyman.domain.page import Reading
from tallyman.errors import ConfigurationError

RELEASED, CALIBRATION = "model.onnx", "calibration.json"
Network = Callable[[Sequence[Features]], list[dict[str, Any]]]
"""Of windows of words: odds and logits of each, as arrays: words (n, classes), starts (n,), type, role."""


@dataclass(frozen=True)
class LayoutReader:
    """Fields by the document model, of all pages of a document."""

    network: Network
    calibrator: Calibrator | None = None
    name: str = "model"
    order: int = 50

    def read(self, reading: Reading) -> Document | None:
        """None when the pages hold no words."""
        count = len(reading.pages)
        pages = [words for words in (words_of(page, count) for page in reading.pages) if len(words)]
        return self.document(pages) if pages else None

    def document(self, pages: Sequence[PageWords], kind: str | None = None) -> Document:
        """Of at least one page with words. kind: its type, where that is known."""
        return document_of(self.said(pages), kind, self.calibrator)

    def said(self, pages: Sequence[PageWords]) -> list[Said]:
        """What the network says of each page."""
        windows = [windows_of(page) for page in pages]
        features = [features_of(page) for page in pages]
        parts = [one.part(window) for one, some in zip(features, windows, strict=True) for window in some]
        told = iter(self.network(parts))
        return [_together(page, some, [next(told) for _ in some]) for page, some in zip(pages, windows, strict=True)]


def digest_of_names() -> str:
    """Of all that a network's numbers stand for: one that was made with others would tell wrong fields."""
    told = json.dumps([CLASSES, TYPES, ROLES, DENSE, PLACES, TABLE])
    return hashlib.sha256(told.encode()).hexdigest()


def check_names(digest: str, what: Path) -> None:
    """Raises ConfigurationError for a network whose numbers stand for something else than ours."""
    if digest != digest_of_names():
        raise ConfigurationError(
            f"The model {what} was made by another version of Tallyman.",
            advice="It is not used. Train it anew, or go back: `tallyman model rollback`.",
        )


def reader_of(folder: Path, device: str = "cpu") -> DocumentReader:
    """A reader by what lies in a folder: a release, served by onnxruntime; a checkpoint of ours, of LayoutLMv3 or of
    LiLT, served by torch on a device. Raises ConfigurationError when it is none of them."""
    if (folder / RELEASED).is_file():
        from models.layout import onnx_network

        return LayoutReader(onnx_network.loaded(folder / RELEASED), calibrator_of(folder))
    try:
        told = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"No model can be loaded from {folder}: {error}") from error
    if told.get("model_type") == "tallyman-layout":
        from models.layout import torch_network

        return LayoutReader(torch_network.loaded(folder, device))
    from models.layout import checkpoint

    return checkpoint.load(folder, device)


def calibrator_of(folder: Path) -> Calibrator | None:
    """That of a release, None where it has none. Raises ConfigurationError when it was learned from other evidence."""
    file = folder / CALIBRATION
    try:
        return Calibrator.from_json(json.loads(file.read_text("utf-8"))) if file.exists() else None
    except ValueError as error:
        raise ConfigurationError(f"{file} can't be used: {error}", advice="Train the model anew.") from error


def _together(page: PageWords, windows: Sequence[Any], told: Sequence[dict[str, Any]]) -> Said:
    """Where windows overlap, the one in which a word stands farther from the edge."""
    words = np.zeros((len(page), told[0]["words"].shape[1]), np.float32)
    starts, depth = np.zeros(len(page), np.float32), np.full(len(page), -1)
    for window, one in zip(windows, told, strict=True):
        inside = np.minimum(np.arange(len(window)), np.arange(len(window))[::-1])
        better = inside > depth[window]
        chosen = window[better]
        words[chosen], starts[chosen] = one["words"][better], one["starts"][better]
        depth[chosen] = inside[better]
    kind = np.mean([one["type"] for one in told], axis=0)
    role = np.mean([one["role"] for one in told], axis=0)
    assert kind.shape == (len(TYPES),)
    assert role.shape == (len(ROLES),)
    return Said(page=page, words=words, starts=starts, type=kind, role=role)

"""The document model at work: pages in, a document out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from models.layout.decode import Said, document_of
from models.layout.features import Features, features_of, windows_of
from models.layout.fields import ROLES, TYPES
from models.layout.page import PageWords, words_of
from tallyman.domain.document import Document
from tallyman.domain.page import Reading

Network = Callable[[Sequence[Features]], list[dict[str, Any]]]
"""Of windows of words: odds and logits of each, as arrays: words (n, classes), starts (n,), type, role."""


@dataclass(frozen=True)
class LayoutReader:
    """Fields by the document model, of all pages of a document."""

    network: Network
    name: str = "model"
    order: int = 50

    @classmethod
    def of_folder(cls, folder: Path) -> Self:
        """The release or the checkpoint in a folder: the first is served by onnxruntime, the other by torch."""
        if (folder / "model.onnx").is_file():
            from models.layout import onnx_network

            return cls(onnx_network.loaded(folder / "model.onnx"))
        from models.layout.torch_network import loaded

        return cls(loaded(folder))

    def read(self, reading: Reading) -> Document | None:
        """None when the pages hold no words."""
        count = len(reading.pages)
        pages = [words for words in (words_of(page, count) for page in reading.pages) if len(words)]
        return self.document(pages) if pages else None

    def document(self, pages: Sequence[PageWords], kind: str | None = None) -> Document:
        """Of at least one page with words. kind: its type, where that is known."""
        return document_of(self.said(pages), kind)

    def said(self, pages: Sequence[PageWords]) -> list[Said]:
        """What the network says of each page."""
        windows = [windows_of(page) for page in pages]
        features = [features_of(page) for page in pages]
        parts = [one.part(window) for one, some in zip(features, windows, strict=True) for window in some]
        told = iter(self.network(parts))
        return [_together(page, some, [next(told) for _ in some]) for page, some in zip(pages, windows, strict=True)]


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

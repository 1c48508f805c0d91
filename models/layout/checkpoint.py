"""A checkpoint of a user's own: LayoutLMv3 or LiLT for token classification, served as ours is. Needs the extra
`model`.

Its folder is as `save_pretrained` writes it, with the tokenizer. Its labels are our fields' names, with or without B-
and I- before them; others are named in `tallyman.json` there: {"labels": {"INV_NO": "invoice_number"}}. It sees words
and where they stand, no picture. It knows no types of documents: `tallyman.json` says which one it reads, {"type":
"invoice"}.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForTokenClassification, AutoTokenizer

from models.layout.decode import Said, document_of
from models.layout.fields import CLASSES, ROLES, TYPES
from models.layout.page import PageWords, words_of
from tallyman.domain.document import Document
from tallyman.domain.page import Reading
from tallyman.errors import ConfigurationError

KINDS = ("layoutlmv3", "lilt")
_TOKENS = 510
"""That these models look at together, their first and last one left out."""
_OVERLAP = 64
_OUTSIDE = ("O", "0", "OTHER", "")


@dataclass(frozen=True)
class CheckpointReader:
    """A reader of documents of one type. model, tokenizer: those of the folder; classes: ours, for each label."""

    model: Any
    tokenizer: Any
    classes: Sequence[int]
    kind: str
    device: str = "cpu"
    name: str = "checkpoint"
    order: int = 50

    def read(self, reading: Reading) -> Document | None:
        """None when the pages hold no words."""
        count = len(reading.pages)
        pages = [words for words in (words_of(page, count) for page in reading.pages) if len(words)]
        return document_of(self.said(pages), self.kind) if pages else None

    def said(self, pages: Sequence[PageWords]) -> list[Said]:
        return [self._said(page) for page in pages]

    def _said(self, page: PageWords) -> Said:
        odds = np.zeros((len(page), len(CLASSES)), np.float32)
        odds[:, 0] = 1
        order = page.rows.order.tolist()
        for boxes, ids, owners in self._windows(page, order):
            told = self._odds(boxes, ids)
            for place, owner in enumerate(owners):
                first = owner is not None and (place == 0 or owners[place - 1] != owner)
                if first and owner is not None and odds[order[owner], 0] == 1:
                    odds[order[owner]] = told[place]
        return Said(
            page=page,
            words=odds,
            starts=np.ones(len(page), np.float32),
            type=np.eye(len(TYPES), dtype=np.float32)[TYPES.index(self.kind)],
            role=np.eye(len(ROLES), dtype=np.float32)[0],
        )

    def _windows(self, page: PageWords, order: Sequence[int]) -> Iterator[tuple[Any, list[int], list[int | None]]]:
        """Tokens that are looked at together: boxes (tokens, 4) of 0..1000, ids, and the word that each is of."""
        encoded = self.tokenizer.encode(
            [page.texts[place] for place in order], is_pretokenized=True, add_special_tokens=False
        )
        boxes = np.rint(page.boxes[list(order)].clip(0, 1) * 1000).astype(np.int64)
        owners = encoded.word_ids
        for start in range(0, max(1, len(encoded.ids) - _OVERLAP), _TOKENS - _OVERLAP):
            part = slice(start, start + _TOKENS)
            yield boxes[owners[part]], encoded.ids[part], owners[part]

    def _odds(self, boxes: Any, ids: Sequence[int]) -> Any:
        """Of each token, by our classes."""
        config = self.model.config
        first, last = config.bos_token_id or 0, config.eos_token_id or 0
        edge = np.zeros((1, 4), np.int64)
        with torch.inference_mode():
            logits = self.model(
                input_ids=torch.tensor([[first, *ids, last]], device=self.device),
                bbox=torch.from_numpy(np.concatenate([edge, boxes, edge]))[None].to(self.device),
                attention_mask=torch.ones((1, len(ids) + 2), dtype=torch.long, device=self.device),
            ).logits[0, 1:-1]
        labels = logits.float().softmax(-1).cpu().numpy()
        made = np.zeros((len(ids), len(CLASSES)), np.float32)
        np.add.at(made.T, np.array(self.classes), labels.T)
        return made


def load(folder: Path, device: str = "cpu") -> CheckpointReader:
    """Raises ConfigurationError for a folder whose model or labels are none that we know."""
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        if config.model_type not in KINDS:
            raise ConfigurationError(
                f"{folder} holds a model of the kind {config.model_type!r}.", advice=f"Known: {', '.join(KINDS)}."
            )
        model = AutoModelForTokenClassification.from_pretrained(folder, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True).backend_tokenizer
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(f"No model can be loaded from {folder}: {error}") from error
    told = _told(folder)
    classes = [_class(label, told["labels"]) for _, label in sorted(config.id2label.items())]
    if not any(classes):
        raise ConfigurationError(
            f"None of the labels of {folder} is a field that we know.",
            advice='Name them in tallyman.json there: {"labels": {"INV_NO": "invoice_number"}}.',
        )
    return CheckpointReader(model.to(device).eval(), tokenizer, classes, told["type"], device)


def _told(folder: Path) -> dict[str, Any]:
    file = folder / "tallyman.json"
    told = json.loads(file.read_text("utf-8")) if file.exists() else {}
    kind = told.get("type", "invoice")
    if kind not in TYPES:
        raise ConfigurationError(f"{file} names a type {kind!r}.", advice=f"Known: {', '.join(TYPES)}.")
    return {"labels": told.get("labels", {}), "type": kind}


def _class(label: str, names: dict[str, str]) -> int:
    """Our class for a label; 0, no field, for labels that we don't know."""
    plain = label[2:] if label[:2] in ("B-", "I-", "E-", "S-") else label
    name = names.get(plain, names.get(label, plain.lower()))
    return CLASSES.index(name) if name in CLASSES and plain not in _OUTSIDE else 0

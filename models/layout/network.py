"""The network: words that know their neighbours, then attention by place. Needs the extra `model`.

A transformers model: `save_pretrained` writes it, `from_pretrained` loads it. Attention turns queries and keys by where
their words stand, so it goes by distances on the page (rotary positions, Su et al. 2021, in two dimensions).
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.utils import ModelOutput

from models.layout.features import DENSE, NEIGHBOURS
from models.layout.fields import CLASSES, ROLES, TYPES
from models.layout.wordhash import PLACES, TABLE

_SLOWEST, _FASTEST = 3.0, 600.0
"""Radians for the whole page: from half a turn to what tells two lines of small print apart."""


class LayoutConfig(PretrainedConfig):
    """Sizes, and the names of all inputs and outputs: a model that knows others is not for this program."""

    model_type = "tallyman-layout"

    def __init__(
        self,
        table: int = TABLE,
        places: int = PLACES,
        dense: tuple[str, ...] | list[str] = DENSE,
        classes: tuple[str, ...] | list[str] = CLASSES,
        types: tuple[str, ...] | list[str] = TYPES,
        roles: tuple[str, ...] | list[str] = ROLES,
        word_size: int = 96,
        neighbour_size: int = 48,
        hidden_size: int = 192,
        layers: int = 4,
        heads: int = 4,
        inner_size: int = 512,
        dropout: float = 0.1,
        **more: Any,
    ) -> None:
        self.table, self.places = table, places
        self.dense, self.classes, self.types, self.roles = list(dense), list(classes), list(types), list(roles)
        self.word_size, self.neighbour_size = word_size, neighbour_size
        self.hidden_size, self.layers, self.heads, self.inner_size = hidden_size, layers, heads, inner_size
        self.dropout = dropout
        super().__init__(**more)


@dataclass
class LayoutOutput(ModelOutput):
    """Logits. `words`: (pages, words, classes); `starts`: (pages, words), of the first row of an item; `type`: (pages,
    types); `role`: (pages, roles)."""

    words: Tensor | None = None
    starts: Tensor | None = None
    type: Tensor | None = None
    role: Tensor | None = None


class LayoutModel(PreTrainedModel):
    config_class = LayoutConfig
    config: LayoutConfig

    def __init__(self, config: LayoutConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        seen = config.word_size + len(config.dense)
        self.words = nn.Embedding(config.table, config.word_size, padding_idx=0)
        self.seen = nn.LayerNorm(seen)
        self.own = nn.Linear(seen, size)
        self.told = nn.Linear(seen, config.neighbour_size)
        self.heard = nn.Linear(len(NEIGHBOURS) * config.neighbour_size, size)
        self.drop = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.last = nn.LayerNorm(size)
        self.word_head = nn.Linear(size, len(config.classes))
        self.start_head = nn.Linear(size, 1)
        self.look = nn.Linear(size, 2)
        self.type_head = nn.Linear(size, len(config.types))
        self.role_head = nn.Linear(size, len(config.roles))
        steps = torch.linspace(0, 1, size // config.heads // 4)
        self.register_buffer("turns", _SLOWEST * (_FASTEST / _SLOWEST) ** steps)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.05)
            with torch.no_grad():
                module.weight[0].zero_()
        elif isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)

    def forward(self, places: Tensor, dense: Tensor, neighbours: Tensor, at: Tensor, mask: Tensor) -> LayoutOutput:
        """places: (pages, words, PLACES) int. dense: (pages, words, len(DENSE)). neighbours: (pages, words, 8) int, as
        in Features. at: (pages, words, 2). mask: (pages, words) bool, False for what only fills up a page."""
        hidden = self._begin(places, dense, neighbours)
        angles = at.float()[..., None] * self.turns
        turn = (angles.cos().flatten(2)[:, None], angles.sin().flatten(2)[:, None])
        for block in self.blocks:
            hidden = block(hidden, turn, mask)
        hidden = self.last(hidden)
        weights = self.look(hidden).float().masked_fill(~mask[..., None], -1e4).softmax(dim=1).to(hidden.dtype)
        kind, role = (weights[..., None] * hidden[:, :, None]).sum(dim=1).unbind(dim=1)
        return LayoutOutput(
            words=self.word_head(hidden),
            starts=self.start_head(hidden)[..., 0],
            type=self.type_head(kind),
            role=self.role_head(role),
        )

    def _begin(self, places: Tensor, dense: Tensor, neighbours: Tensor) -> Tensor:
        pages, words = places.shape[:2]
        if self.training:  # the sum without its parts, of which there would be twenty for each word
            spelled = nn.functional.embedding_bag(places.flatten(0, 1), self.words.weight, mode="sum", padding_idx=0)
            spelled = spelled.unflatten(0, (pages, words))
        else:
            spelled = self.words(places).sum(dim=2)
        seen = self.seen(torch.cat([spelled, dense.to(spelled.dtype)], dim=-1))
        told = nn.functional.pad(self.told(seen), (0, 0, 1, 0))  # number 0 is nobody
        first = torch.arange(pages, device=places.device)[:, None, None] * (words + 1)
        heard = told.flatten(0, 1)[(neighbours + first).flatten()].view(pages, words, -1)
        hidden: Tensor = self.drop(self.own(seen) + self.heard(heard))
        return hidden


class Block(nn.Module):
    def __init__(self, config: LayoutConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.heads, self.dropout = config.heads, config.dropout
        self.before = nn.LayerNorm(size)
        self.asked = nn.Linear(size, 3 * size)
        self.answered = nn.Linear(size, size)
        self.between = nn.LayerNorm(size)
        self.widened = nn.Linear(size, config.inner_size)
        self.narrowed = nn.Linear(config.inner_size, size)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, hidden: Tensor, turn: tuple[Tensor, Tensor], mask: Tensor) -> Tensor:
        pages, words, size = hidden.shape
        query, key, value = self.asked(self.before(hidden)).view(pages, words, 3, self.heads, -1).unbind(dim=2)
        query, key = (_turned(each.transpose(1, 2), *turn) for each in (query, key))
        # Written out: on a CPU torch's fused attention is slower than its parts, by far when it learns.
        close = (query * (size // self.heads) ** -0.5) @ key.transpose(2, 3)
        close = (close + mask.logical_not()[:, None, None, :].to(close.dtype) * -1e4).softmax(dim=-1)
        seen = close @ value.transpose(1, 2)
        hidden = hidden + self.answered(seen.transpose(1, 2).reshape(pages, words, size))
        inner = nn.functional.gelu(self.widened(self.between(hidden)), approximate="tanh")
        out: Tensor = hidden + self.drop(self.narrowed(inner))
        return out


def _turned(each: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Pairs of numbers turned by their word's angles. each: (pages, heads, words, size)."""
    one, two = each.chunk(2, dim=-1)
    cosine, sine = cosine.to(each.dtype), sine.to(each.dtype)
    return torch.cat([one * cosine - two * sine, one * sine + two * cosine], dim=-1)

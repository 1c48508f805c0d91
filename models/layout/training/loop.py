"""Learning from labelled pages, step by step; goes on where it stopped."""

import json
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.layout.network import LayoutModel, LayoutOutput
from models.layout.training.batches import Batch, loader
from models.layout.training.labelled import IGNORED, LabelledPage

_SAVED_EVERY_S = 60.0
_WARM_UP = 200


@dataclass(frozen=True, kw_only=True)
class Plan:
    """steps: batches that are learned from in all. rate: the highest learning rate. workers: processes that prepare
    batches beside the one that learns."""

    steps: int
    rate: float = 2e-3
    decay: float = 0.02
    seed: int = 1
    workers: int = 1
    device: str = "cpu"


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is written to curves.jsonl: means since the line before."""

    step: int
    loss: float
    words: float
    starts: float
    kind: float
    role: float
    pages_per_s: float


def losses(output: LayoutOutput, batch: Batch) -> dict[str, Tensor]:
    assert output.words is not None
    assert output.starts is not None
    assert output.type is not None
    assert output.role is not None
    known = batch.starts != IGNORED
    starts = output.starts[known].float()
    cross = nn.functional.cross_entropy
    return {
        "words": cross(output.words.flatten(0, 1).float(), batch.classes.flatten(), ignore_index=IGNORED),
        "starts": nn.functional.binary_cross_entropy_with_logits(starts, batch.starts[known].float())
        if known.any() else starts.sum(),
        "kind": _known(output.type, batch.kind),
        "role": _known(output.role, batch.role),
    }  # fmt: skip


def _known(logits: Tensor, wanted: Tensor) -> Tensor:
    if (wanted == IGNORED).all():
        return logits.float().sum() * 0
    return nn.functional.cross_entropy(logits.float(), wanted, ignore_index=IGNORED)


_WEIGHTS = {"words": 1.0, "starts": 0.3, "kind": 0.2, "role": 0.1}


def learn(
    model: LayoutModel, pages: Sequence[LabelledPage], folder: Path, plan: Plan, tick: Callable[[int], None]
) -> LayoutModel:
    """Train until `plan.steps`; from the state in `folder` where one is. Writes curves.jsonl and the state there."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(plan.seed)
    model.to(plan.device).train()
    optimiser = torch.optim.AdamW(_groups(model, plan.decay), lr=plan.rate, betas=(0.9, 0.98), fused=False)
    step = _resumed(folder / "state.pt", model, optimiser, plan.device)
    _forget_after(folder / "curves.jsonl", step)
    batches = loader(pages, plan.seed, step, noise=True, workers=plan.workers)
    saved, since = time.monotonic(), Means()
    while step < plan.steps:
        batch = next(batches).to(plan.device)
        rate = _rate(step, plan)
        for group in optimiser.param_groups:
            group["lr"] = rate
        torch.manual_seed(plan.seed * 1_000_003 + step)  # of the dropout: a step is the same after a stop
        with torch.autocast(plan.device, torch.bfloat16):
            output = model(**batch.inputs)
        parts = losses(output, batch)
        loss = sum((_WEIGHTS[name] * part for name, part in parts.items()), torch.zeros((), device=plan.device))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        since.add(loss, parts, len(batch.kind))
        tick(step)
        if step % 50 == 0 or step == plan.steps:
            _tell(folder / "curves.jsonl", since.told(step))
            since = Means()
        if time.monotonic() - saved > _SAVED_EVERY_S or step == plan.steps:
            _save(folder / "state.pt", model, optimiser, step)
            saved = time.monotonic()
    return model.eval()


class Means:
    def __init__(self) -> None:
        self._sums: dict[str, float] = {"loss": 0.0, **dict.fromkeys(_WEIGHTS, 0.0)}
        self._batches = self._pages = 0
        self._began = time.monotonic()

    def add(self, loss: Tensor, parts: dict[str, Tensor], pages: int) -> None:
        for name, value in {"loss": loss, **parts}.items():
            self._sums[name] += float(value.detach())
        self._batches += 1
        self._pages += pages

    def told(self, step: int) -> Told:
        means = {name: round(value / max(1, self._batches), 5) for name, value in self._sums.items()}
        return Told(step=step, pages_per_s=round(self._pages / (time.monotonic() - self._began), 1), **means)


def _groups(model: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weights of layers decay; those of words, norms and biases do not."""
    plain = [one for name, one in model.named_parameters() if one.ndim < 2 or name == "words.weight"]
    layers = [one for name, one in model.named_parameters() if one.ndim >= 2 and name != "words.weight"]
    return [{"params": layers, "weight_decay": decay}, {"params": plain, "weight_decay": 0.0}]


def _rate(step: int, plan: Plan) -> float:
    """Rises, then falls to nothing along a cosine."""
    warm = min(_WARM_UP, plan.steps // 10 or 1)
    if step < warm:
        return plan.rate * (step + 1) / warm
    return plan.rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, plan.steps - warm)))


def _resumed(file: Path, model: nn.Module, optimiser: torch.optim.Optimizer, device: str) -> int:
    if not file.exists():
        return 0
    state = torch.load(file, map_location=device, weights_only=True)
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])


def _forget_after(curves: Path, step: int) -> None:
    """What was told of steps that are learned again."""
    if curves.exists():
        kept = [line for line in curves.read_text("utf-8").splitlines() if json.loads(line)["step"] <= step]
        curves.write_text("".join(f"{line}\n" for line in kept), "utf-8")


def _save(file: Path, model: nn.Module, optimiser: torch.optim.Optimizer, step: int) -> None:
    partial = file.with_suffix(".part")
    torch.save({"model": model.state_dict(), "optimiser": optimiser.state_dict(), "step": step}, partial)
    os.replace(partial, file)


def _tell(file: Path, told: Told) -> None:
    with file.open("a", encoding="utf-8") as curves:
        curves.write(json.dumps(asdict(told)) + "\n")

"""The network served by torch, on a CPU or a GPU. Needs the extra `model`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from models.layout.features import DENSE, Features, filled
from models.layout.fields import CLASSES, ROLES, TYPES
from models.layout.network import LayoutModel
from models.layout.serving import Network, check_names


def inputs_of(pages: Sequence[Features]) -> dict[str, torch.Tensor]:
    """Of pages of different lengths, the shorter ones filled up."""
    return {name: torch.from_numpy(array) for name, array in filled(pages).items()}


def loaded(folder: Path, device: str = "cpu") -> Network:
    """Raises OSError where no model lies in the folder, ConfigurationError for one of another version."""
    model = LayoutModel.from_pretrained(folder)
    known = (model.config.classes, model.config.types, model.config.roles, model.config.dense)
    if known != tuple(map(list, (CLASSES, TYPES, ROLES, DENSE))):
        check_names("", folder)
    return network_of(model, device)


def network_of(model: LayoutModel, device: str = "cpu") -> Network:
    model = model.to(device).eval()

    def run(pages: Sequence[Features]) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        for page in pages:
            with torch.inference_mode():
                inputs = {name: each.to(device) for name, each in inputs_of([page]).items()}
                output = model(**inputs)
            size = len(page)
            told.append(
                {
                    "words": output.words[0, :size].float().softmax(-1).cpu().numpy(),
                    "starts": output.starts[0, :size].float().sigmoid().cpu().numpy(),
                    "type": output.type[0].float().softmax(-1).cpu().numpy(),
                    "role": output.role[0].float().softmax(-1).cpu().numpy(),
                }
            )
        return told

    return run

"""The network as ONNX, in whole numbers of eight bits: what is shipped and served on a CPU. Needs the extra `model`."""

import tempfile
import warnings
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from models.layout.features import DENSE, NEIGHBOURS
from models.layout.network import LayoutModel
from models.layout.onnx_network import NAMES
from models.layout.serving import digest_of_names
from models.layout.wordhash import PLACES

INPUTS = ("places", "dense", "neighbours", "at", "mask")
OUTPUTS = ("words", "starts", "type", "role")


class Odds(nn.Module):
    """The model with odds instead of logits."""

    def __init__(self, model: LayoutModel) -> None:
        super().__init__()
        self.model = model.eval()

    def forward(
        self, places: Tensor, dense: Tensor, neighbours: Tensor, at: Tensor, mask: Tensor
    ) -> tuple[Tensor, ...]:
        told = self.model(places, dense, neighbours, at, mask)
        return told.words.softmax(-1), told.starts.sigmoid(), told.type.softmax(-1), told.role.softmax(-1)


def export(model: LayoutModel, file: Path, *, eight_bits: bool = True) -> None:
    """Writes the model for onnxruntime. eight_bits: the weights of layers and words as int8, a quarter of the size."""
    wrapped = Odds(model).eval()
    words = 7
    example = (
        torch.zeros((2, words, PLACES), dtype=torch.long),
        torch.zeros((2, words, len(DENSE))),
        torch.zeros((2, words, len(NEIGHBOURS)), dtype=torch.long),
        torch.zeros((2, words, 2)),
        torch.ones((2, words), dtype=torch.bool),
    )
    pages, long = torch.export.Dim("pages", min=1, max=256), torch.export.Dim("words", min=1, max=4096)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "whole.onnx")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what torch says of itself
            torch.onnx.export(
                wrapped, example, whole, input_names=INPUTS, output_names=OUTPUTS, dynamo=True, external_data=False,
                dynamic_shapes={name: {0: pages, 1: long} for name in INPUTS}, verbose=False,
            )  # fmt: skip
        if eight_bits:
            quantize_dynamic(whole, file, weight_type=QuantType.QInt8, per_channel=True)
        else:
            file.write_bytes(whole.read_bytes())
    made = onnx.load(file)
    onnx.helper.set_model_props(made, {NAMES: digest_of_names()})
    onnx.save(made, file)

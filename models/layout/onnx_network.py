"""The network served by onnxruntime on a CPU, one thread."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnxruntime

from models.layout.features import Features, filled
from models.layout.serving import Network, check_names

NAMES = "tallyman-names"
"""In the file: what its numbers stand for, as a hash."""
_OUTPUTS = ("words", "starts", "type", "role")


def loaded(file: Path) -> Network:
    """Raises onnxruntime's errors for a file that is no model, ConfigurationError for one of another version."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    check_names(session.get_modelmeta().custom_metadata_map.get(NAMES, ""), file)

    def run(pages: Sequence[Features]) -> list[dict[str, Any]]:
        return [_one(session, page) for page in pages]

    return run


def _one(session: onnxruntime.InferenceSession, page: Features) -> dict[str, Any]:
    told = session.run(list(_OUTPUTS), filled([page]))
    size = len(page)
    words, starts, kind, role = (array[0] for array in told)
    return {"words": words[:size], "starts": starts[:size], "type": kind, "role": role}

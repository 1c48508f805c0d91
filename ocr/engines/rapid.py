"""PP-OCR's networks, as the package rapidocr ships them: for all pages where it is quick, for noisy ones everywhere.

Two networks: one finds lines, one reads them. Their files and the post-processing of found lines are the library's.
Ours is what makes them fast on a CPU: lines of like width are read together and padded to no more than they need,
letters of other scripts are cut off, and OpenVINO runs them where it is installed, in bfloat16 where the processor has
it.
"""

import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ocr.lines import RawWord, in_reading_order
from tallyman.domain.page import Word
from tallyman.errors import TechnicalError

_INSTALL = "pip install rapidocr onnxruntime"
_FINDER = "PP-OCRv6_det_small.onnx"
_LETTERS = "PP-OCRv6_rec_small.onnx"
_SIDE = 1600
"""The longer side of the picture on which lines are looked for, at most."""
_HEIGHT = 48
_STEP = 32
"""Widths are multiples of it: other shapes make the network prepare itself anew."""
_WIDEST = 3200
_TOGETHER = 4
_SURE = 0.6
"""Lines that are read with less are mostly none."""
_PER_COLUMN = 8
"""Pixels of a line for one column of what the network says."""


class Rapid:
    name = "rapid"
    told_languages = False
    robust = True
    lacking = ()

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @cached_property
    def version(self) -> str:
        """With what runs the networks: another arithmetic may read a doubtful word differently."""
        runtime = "openvino" if find_spec("openvino") else "onnxruntime"
        try:
            told = f"{version('rapidocr')} ({runtime} {version(runtime)}"
        except PackageNotFoundError:
            return "missing"
        return f"{told}, bf16)" if _has_bf16() else f"{told})"

    @cached_property
    def cost(self) -> float:
        """Measured on clean invoices, with what the other engine is asked about; tesseract takes 1."""
        if _has_bf16():
            return 0.6
        return 0.95 if find_spec("openvino") and "avx512f" in _processor() else 1.6

    def available(self) -> str | None:
        missing = [name for name in ("rapidocr", "onnxruntime") if find_spec(name) is None]
        return f"The package {missing[0]} is not installed: {_INSTALL}" if missing else None

    def words(self, image: Any, languages: tuple[str, ...]) -> tuple[Word, ...]:  # noqa: ARG002 - it knows them all
        """As the contract says. The letters of all languages are known, so none has to be named."""
        height, width = image.shape
        with self._lock:
            found = self._networks.find(image)
            read = self._networks.read([crop for _, crop in found])
        raw = [word for (quad, _), line in zip(found, read, strict=True) for word in _placed(quad, line)]
        return in_reading_order(raw, width, height)

    def spell(self, crops: Sequence[Any], languages: tuple[str, ...]) -> list[tuple[str, float]]:  # noqa: ARG002
        with self._lock:
            lines = self._networks.read([np.ascontiguousarray(crop) for crop in crops])
        return [(" ".join(word[0] for word in line), min((word[3] for word in line), default=0.0)) for line in lines]

    @cached_property
    def _networks(self) -> "_Networks":
        if problem := self.available():
            raise TechnicalError("The OCR engine rapid is not installed.", advice=problem)
        return _Networks()


Line = list[tuple[str, float, float, float]]
"""The words of a line: text, start and end (0..1 of the line), confidence."""


class _Networks:
    def __init__(self) -> None:
        import rapidocr
        from rapidocr.ch_ppocr_det.utils import DBPostProcess

        folder = Path(rapidocr.__file__).parent / "models"
        self._alphabet = _alphabet(folder / _LETTERS)
        kept = [place for place, letter in enumerate(self._alphabet) if place == 0 or _latin(letter)]
        self._finder = _network(folder / _FINDER, None)
        self._reader = _network(folder / _LETTERS, kept)
        self._alphabet = [self._alphabet[place] for place in kept]
        self._lines = DBPostProcess(
            thresh=0.3, box_thresh=0.5, max_candidates=1000, unclip_ratio=1.6, use_dilation=True, score_mode="fast"
        )

    def find(self, image: Any) -> list[tuple[Any, Any]]:
        """Lines of a grey page: their corners (4, 2) in pixels from the upper left clockwise, and their pictures."""
        import cv2

        height, width = image.shape
        scale = min(1.0, _SIDE / max(height, width))
        size = tuple(max(_STEP, round(side * scale / _STEP) * _STEP) for side in (width, height))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        plane = (small.astype(np.float32) / 255 - 0.5) / 0.5
        heat = self._finder(np.broadcast_to(plane, (1, 3, *plane.shape)))
        quads, _ = self._lines(heat, (height, width))
        return [(quad, crop) for quad in quads for crop in [_crop(image, quad)] if crop is not None]

    def read(self, crops: Sequence[Any]) -> list[Line]:
        """The words of each line, of grey pictures."""
        widths = [_width(crop) for crop in crops]
        order = sorted(range(len(crops)), key=lambda place: widths[place])
        lines: list[Line] = [[] for _ in crops]
        for batch in _batches(order, widths):
            wide = -(-max(widths[place] for place in batch) // _STEP) * _STEP
            plane = np.zeros((len(batch), 3, _HEIGHT, wide), np.float32)
            for row, place in enumerate(batch):
                plane[row, :, :, : widths[place]] = _scaled(crops[place], widths[place])
            told = self._reader(plane)
            for row, place in enumerate(batch):
                lines[place] = self._spelled(told[row], widths[place])
        return lines

    def _spelled(self, columns: Any, width: int) -> Line:
        """The most likely letter of each column, repeated ones and blanks left out (CTC, best path)."""
        best = columns.argmax(axis=1)
        starts = np.flatnonzero((best != 0) & (best != np.concatenate(([-1], best[:-1]))))
        if not len(starts):
            return []
        odds = columns[starts, best[starts]]
        if float(odds.mean()) < _SURE:
            return []
        words: Line = []
        text, first, last = "", 0, 0
        sure: list[float] = []
        for column, odd in zip(starts.tolist(), odds.tolist(), strict=True):
            letter = self._alphabet[best[column]]
            if letter == " ":
                if text:
                    words.append(_word(text, first, last, sure, width))
                text, sure = "", []
                continue
            if not text:
                first = column
            text, last = text + letter, column
            sure.append(odd)
        if text:
            words.append(_word(text, first, last, sure, width))
        return words


def _word(text: str, first: int, last: int, sure: list[float], width: int) -> tuple[str, float, float, float]:
    start, end = first * _PER_COLUMN / width, (last + 1) * _PER_COLUMN / width
    return text, min(max(0.0, start), 1.0), min(1.0, end), sum(sure) / len(sure)


def _placed(quad: Any, line: Line) -> list[RawWord]:
    """Words in pixels of the page, as upright boxes."""
    upper_left, upper_right, lower_right, lower_left = (np.asarray(corner, float) for corner in quad)
    if np.linalg.norm(lower_left - upper_left) >= 1.5 * np.linalg.norm(upper_right - upper_left):
        return [_upright(quad, " ".join(word[0] for word in line), line)] if line else []
    words = []
    for text, start, end, confidence in line:
        corners = [
            upper_left + start * (upper_right - upper_left),
            upper_left + end * (upper_right - upper_left),
            lower_left + start * (lower_right - lower_left),
            lower_left + end * (lower_right - lower_left),
        ]
        words.append(_raw(corners, text, confidence))
    return words


def _upright(quad: Any, text: str, line: Line) -> RawWord:
    return _raw(list(np.asarray(quad, float)), text, min(word[3] for word in line))


def _raw(corners: list[Any], text: str, confidence: float) -> RawWord:
    xs, ys = [float(corner[0]) for corner in corners], [float(corner[1]) for corner in corners]
    return RawWord(text=text, x0=min(xs), y0=min(ys), x1=max(xs), y1=max(ys), confidence=min(1.0, confidence))


def _crop(image: Any, quad: Any) -> Any:
    """The line, level; None when it is too small to hold a letter."""
    import cv2

    corners = np.asarray(quad, np.float32)
    width = round(max(np.linalg.norm(corners[0] - corners[1]), np.linalg.norm(corners[2] - corners[3])))
    height = round(max(np.linalg.norm(corners[0] - corners[3]), np.linalg.norm(corners[1] - corners[2])))
    if width < 4 or height < 4:
        return None
    xs, ys = corners[:, 0], corners[:, 1]
    if abs(ys[0] - ys[1]) < 2 and abs(xs[0] - xs[3]) < 2:  # level already: nothing to warp
        crop = image[int(ys.min()) : int(ys.max()) + 1, int(xs.min()) : int(xs.max()) + 1]
    else:
        target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        matrix = cv2.getPerspectiveTransform(corners, target)
        crop = cv2.warpPerspective(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.rot90(crop) if height >= 1.5 * width else crop


def _width(crop: Any) -> int:
    return int(max(8, min(_WIDEST, -(-_HEIGHT * crop.shape[1] // crop.shape[0]))))


def _scaled(crop: Any, width: int) -> Any:
    import cv2

    shrinks = crop.shape[0] > _HEIGHT
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return (
        cv2.resize(np.ascontiguousarray(crop), (width, _HEIGHT), interpolation=method).astype(np.float32) / 255 - 0.5
    ) / 0.5


def _batches(order: list[int], widths: list[int]) -> list[list[int]]:
    """Neighbours by width, a few together, of which none is padded by more than a quarter.

    Wide ones are fewer: four of the widest would take 400 MB and be no quicker.
    """
    batches: list[list[int]] = []
    for place in order:
        batch = batches[-1] if batches else []
        most = min(_TOGETHER, _WIDEST // widths[place])
        if batch and len(batch) < most and widths[place] <= 1.25 * widths[batch[0]] + _STEP:
            batch.append(place)
        else:
            batches.append([place])
    return batches


def _alphabet(path: Path) -> list[str]:
    """Of the letters' network: blank, its letters, the space."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), _session_options(), providers=["CPUExecutionProvider"])
    return ["", *session.get_modelmeta().custom_metadata_map["character"].splitlines(), " "]


def _latin(letter: str) -> bool:
    """ASCII, Latin letters with their marks, the marks of prices and quotations."""
    return len(letter) == 1 and (ord(letter) < 0x250 or letter in "–—‘’‚“”„•…€₤№™−")


def _session_options() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return options


def _network(path: Path, kept: list[int] | None) -> Any:
    """A function from an input array to the network's output; of that the columns `kept`, where they are given."""
    return _open_vino(path, kept) if find_spec("openvino") else _onnx_runtime(path, kept)


def _onnx_runtime(path: Path, kept: list[int] | None) -> Any:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), _session_options(), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(plane: Any) -> Any:
        told = session.run(None, {name: np.ascontiguousarray(plane)})[0]
        return told if kept is None else told[:, :, kept]

    return run


def _open_vino(path: Path, kept: list[int] | None) -> Any:
    import openvino

    core = openvino.Core()
    model = core.read_model(str(path))
    if kept is not None:
        _cut(model, kept)
    bf16 = _has_bf16()
    settings = {
        "INFERENCE_NUM_THREADS": 1,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # else the first core is every process's, and pages side by side wait for it
        "INFERENCE_PRECISION_HINT": "bf16" if bf16 else "f32",
        "CPU_RUNTIME_CACHE_CAPACITY": 120,  # shapes whose code is kept; by its default of 5,000 memory grows and grows
    }
    request = core.compile_model(model, "CPU", settings).create_infer_request()

    def run(plane: Any) -> Any:
        request.infer([np.ascontiguousarray(plane)])
        return request.get_output_tensor().data

    return run


def _has_bf16() -> bool:
    """Whether OpenVINO is there and the processor multiplies in bfloat16 (AMX, or AVX-512 from Zen 4 on)."""
    return find_spec("openvino") is not None and not _processor().isdisjoint(("amx_bf16", "avx512_bf16"))


@cache
def _processor() -> frozenset[str]:
    """What the processor can do, in Linux' words; nothing where no Linux tells."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("flags"):
                return frozenset(line.split())
    return frozenset()


def _cut(model: Any, kept: list[int]) -> None:
    """Leave the columns `kept` of the last layer: the other letters cost time and are never right here."""
    from openvino import opset13

    for node in model.get_ordered_ops():
        if node.get_type_name() in ("MatMul", "Add"):
            for port in node.inputs():
                constant = port.get_source_output().get_node()
                if constant.get_type_name() == "Constant" and constant.data.shape[-1:] > (10_000,):
                    small = opset13.constant(np.ascontiguousarray(constant.data[..., kept]))
                    port.replace_source_output(small.output(0))
    model.validate_nodes_and_infer_types()


ENGINE = Rapid()

"""Which way up a page is, before it is read.

Whether lines run across or along the page is told by where its letters stand; whether they stand on their head, by
RapidOCR's classifier of text lines (PP-OCR mobile v2.0, Apache-2.0) on a few pieces of lines from all over the page.
"""

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ocr.imaging.letters import Letters, find_letters, lean_of
from tallyman.errors import TechnicalError

SURE = 0.85
"""A confidence from which to believe the answer."""
_MODEL = "ch_ppocr_mobile_v2.0_cls_mobile.onnx"
_SHA256 = "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c"
_WIDTH, _HEIGHT = 192, 48
"""The size of the pieces on which the classifier was trained."""
_AT_A_TIME, _AT_MOST = 6, 18
_DECIDED = 25.0
"""The sum of the pieces' log odds at which further ones would change nothing."""
_FEW = 8
_CLEAR = 1.15


def orientation(image: Any) -> tuple[int, float]:
    """(degrees clockwise by which to turn a grey page (height, width) upright, confidence 0..1).

    A confidence below SURE is no answer: the page has no text, or too little.
    """
    letters = find_letters(image)
    across, along = lean_of(letters), lean_of(letters, upwards=True)
    upwards = along.contrast > across.contrast
    clear = max(across.contrast, along.contrast) / min(across.contrast, along.contrast)
    if len(letters.boxes) < _FEW or clear < _CLEAR:
        return 0, 0.0
    angle = along.degrees if upwards else across.degrees
    odds = _odds(image, _pieces(letters, angle, upwards=upwards))
    if not odds:
        return 0, 0.0
    upright = sum(odds) >= 0
    turn = (90 if upright else 270) if upwards else (0 if upright else 180)
    return turn, float(1 / (1 + np.exp(-abs(sum(odds)) / max(3, len(odds)))))


def _odds(image: Any, pieces: list[Any]) -> list[float]:
    """The log odds that a piece of a line stands upright, piece by piece until it is decided."""
    odds: list[float] = []
    for start in range(0, min(len(pieces), _AT_MOST), _AT_A_TIME):
        crops = [_crop(image, piece) for piece in pieces[start : start + _AT_A_TIME]]
        batch = (np.stack(crops).astype(np.float32) / 127.5 - 1)[:, None].repeat(3, axis=1)
        upright = np.clip(_classifier().run(None, {"x": batch})[0][:, 0], 0.001, 0.999)
        odds += np.log(upright / (1 - upright)).tolist()
        if abs(sum(odds)) >= _DECIDED:
            break
    return odds


def _crop(image: Any, corners: Any) -> Any:
    """The piece with its upper left, upper right and lower left corner where they belong."""
    target = np.array([[0, 0], [_WIDTH, 0], [0, _HEIGHT]], dtype=np.float32)
    matrix = cv2.getAffineTransform(corners, target)
    return cv2.warpAffine(image, matrix, (_WIDTH, _HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _pieces(letters: Letters, angle: float, *, upwards: bool) -> list[Any]:
    """Pieces of lines, those with most letters first: three corners (x, y) each, in pixels of the page.

    Lines along the height are read from below, as on a page turned counterclockwise.
    """
    x, y, w, h = letters.boxes.T.astype(np.float64)
    if upwards:
        # The page turned clockwise by 90 degrees: its left edge is the top.
        x, y, w, h = -(y + h), x, h, w
    slope = np.tan(np.radians(angle))
    middle = x + w / 2
    top, foot = y - slope * middle, y + h - slope * middle
    usual, tall = float(np.median(h)), 0.8 * float(np.percentile(h, 75))
    found = []
    for run in _runs(middle, (top + foot) / 2, usual):
        high, low = np.percentile(top[run], 10), np.percentile(foot[run], 90)
        if low - high < tall:  # a dashed or dotted rule
            continue
        height = 1.25 * (low - high)
        width = height * _WIDTH / _HEIGHT
        left, right = middle[run].min() - 0.3 * height, middle[run].max()
        count = int(max(1, min(3, (right - left) // width)))
        for at in left + width * np.arange(count):
            upper = (high + low - height) / 2
            corners = [(at, upper + slope * at), (at + width, upper + slope * (at + width))]
            corners.append((at, upper + height + slope * at))
            found.append((len(run) / count, np.array(corners, dtype=np.float32)))
    found.sort(key=lambda piece: -piece[0])
    places = [corners * np.float32(letters.scale) for _, corners in found]
    return [np.stack([place[:, 1], -place[:, 0]], axis=1) for place in places] if upwards else places


def _runs(middle: Any, heights: Any, usual: float) -> list[Any]:
    """The letters (their indices) of each line of five and more. `heights` are their middles on the levelled page."""
    cell = max(1.0, usual / 4)
    across = ((middle - middle.min()) / cell).astype(np.int64) + 3
    down = ((heights - heights.min()) / cell).astype(np.int64) + 3
    plan: Any = np.zeros((int(down.max()) + 4, int(across.max()) + 4), dtype=np.uint8)
    plan[down, across] = 255
    plan = cv2.dilate(plan, np.ones((3, 1), np.uint8))
    plan = cv2.morphologyEx(plan, cv2.MORPH_CLOSE, np.ones((1, 13), np.uint8))
    count, labels = cv2.connectedComponents(plan, connectivity=8)
    order = np.argsort(labels[down, across], kind="stable")
    ends = np.cumsum(np.bincount(labels[down, across], minlength=count))
    runs = np.split(order, ends[:-1])
    return [run for run in runs if len(run) >= 5 and np.ptp(middle[run]) >= 4.5 * usual]


@cache
def _classifier() -> Any:
    """The session, loaded once in 0.05 s. Raises TechnicalError when the model is missing or not the one we know."""
    import onnxruntime

    found = find_spec("rapidocr")
    path = Path(found.origin or "").parent / "models" / _MODEL if found else None
    if path is None or not path.is_file():
        raise TechnicalError("RapidOCR's classifier of text lines is missing.", advice="pip install rapidocr")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != _SHA256:
        raise TechnicalError(
            f"The model {_MODEL} is not the one that was measured; it was not used.",
            advice="Install RapidOCR again, in the version that the constraints name.",
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

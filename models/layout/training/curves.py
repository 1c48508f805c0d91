"""How a training went, as a picture: its losses over its steps."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

_SIZE, _RIM = (1000, 620), 70
_PARTS = {"words": (180, 80, 30), "starts": (40, 140, 40), "kind": (30, 110, 220), "role": (150, 60, 150)}
"""Losses and their colours, as blue, green and red."""


def draw_curves(told: Path, file: Path) -> None:
    """told: curves.jsonl. The losses stand on a scale of tens."""
    rows = [json.loads(line) for line in told.read_text("utf-8").splitlines()]
    width, height = _SIZE
    canvas = np.full((height, width, 3), 255, np.uint8)
    steps = np.array([row["step"] for row in rows], float)
    for power in range(-4, 2):
        y = _level(10.0**power)
        cv2.line(canvas, (_RIM, y), (width - 20, y), (225, 225, 225), 1)
        _write(canvas, f"1e{power}", (18, y + 5))
    across = _RIM + (width - _RIM - 20) * steps / max(1.0, steps[-1])
    for place, (name, colour) in enumerate(_PARTS.items()):
        levels = np.array([_level(max(1e-5, row[name])) for row in rows], float)
        points = np.stack([across, levels], axis=1).round().astype(np.int32)
        cv2.polylines(canvas, [points], False, colour, 2, cv2.LINE_AA)
        _write(canvas, name, (width - 130, 30 + 24 * place), colour)
    for share in (0.0, 0.5, 1.0):
        x_at = int(_RIM + (width - _RIM - 20) * share)
        _write(canvas, f"{int(steps[-1] * share)}", (min(x_at, width - 80), height - 20))
    _write(canvas, "loss over steps", (_RIM, 30))
    cv2.imwrite(str(file), canvas)


def draw_reliability(rows: list[list[float]], file: Path) -> None:
    """rows: mean confidence and share that is right, of each tenth of values. On the grey line both are the same."""
    side = _SIZE[1]
    canvas = np.full((side, side, 3), 255, np.uint8)
    span = side - _RIM - 30

    def at(x: float, y: float) -> tuple[int, int]:
        return int(_RIM + span * x), int(side - _RIM - span * y)

    cv2.line(canvas, at(0, 0), at(1, 1), (200, 200, 200), 1, cv2.LINE_AA)
    cv2.rectangle(canvas, at(0, 1), at(1, 0), (120, 120, 120), 1)
    for confidence, right, _ in rows:
        cv2.circle(canvas, at(confidence, right), 6, _PARTS["words"], -1, cv2.LINE_AA)
    for share in (0.0, 0.5, 1.0):
        _write(canvas, f"{share:g}", (at(share, 0)[0] - 10, side - _RIM + 24))
        _write(canvas, f"{share:g}", (_RIM - 42, at(0, share)[1] + 6))
    _write(canvas, "share that is right over confidence, by tenths of values", (_RIM, 22))
    cv2.imwrite(str(file), canvas)


def _level(loss: float) -> int:
    share = (np.log10(loss) + 4.5) / 6
    return int(_SIZE[1] - 50 - (_SIZE[1] - 90) * min(1.0, max(0.0, float(share))))


def _write(canvas: Any, text: str, at: tuple[int, int], colour: tuple[int, int, int] = (60, 60, 60)) -> None:
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.55, colour, 1, cv2.LINE_AA)

"""Is there a signature or a stamp where the form asks for one? Plain ink in the zone beside the printed label.

A grown-up signature is a few large, thin, winding strokes. Dots and small blots are dirt; one solid blot, one straight
stroke or hardly any ink leave it unclear, and unclear is never taken for signed.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import cv2
import numpy as np

from ocr.marklabels import label_places
from tallyman.domain.page import Box, Mark, MarkKind, MarkState, Word

_TRUSTED = 0.6
_ZONE_DOWN, _ZONE_UP = 0.10, 0.06
_ZONE_RIGHT = 0.42


def find_marks(image: Any, words: Sequence[Word]) -> tuple[Mark, ...]:
    """One mark for each label that asks for one.

    image: the grey page (height, width) on which the boxes of the words hold.
    """
    places = list(label_places(words))
    if not places:
        return ()
    ink = _ink(image, words)
    marks = []
    for kind, label, text in places:
        zones = [zone for zone in _zones(label, [box for _, box, _ in places], words) if zone.x1 - zone.x0 > 0.03]
        readings = [(zone, *_judge(_crop(ink, zone))) for zone in zones]
        if not readings:
            continue
        zone, state, score = max(readings, key=lambda reading: _weight(reading[1]))
        marks.append(Mark(kind=kind, state=state, box=zone, score=round(score, 2), label=text))
    return tuple(_doubt_shared_ink(marks))


def _weight(state: MarkState) -> int:
    return {MarkState.PRESENT: 2, MarkState.UNCLEAR: 1, MarkState.ABSENT: 0}[state]


def _doubt_shared_ink(marks: list[Mark]) -> Iterable[Mark]:
    """Ink that both a signature and a stamp zone claim is sure to be one of them, not both."""
    for mark in marks:
        rivals = [other for other in marks if other is not mark and other.kind is not mark.kind]
        shared = mark.state is MarkState.PRESENT and any(_same_zone(mark.box, other.box) for other in rivals)
        if shared and mark.kind is MarkKind.STAMP:
            yield mark.model_copy(update={"state": MarkState.UNCLEAR, "score": 0.5})
        else:
            yield mark


def _same_zone(one: Box, other: Box) -> bool:
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    down = min(one.y1, other.y1) - max(one.y0, other.y0)
    smaller = min((one.x1 - one.x0) * (one.y1 - one.y0), (other.x1 - other.x0) * (other.y1 - other.y0))
    return across > 0 and down > 0 and across * down > 0.5 * smaller


def _ink(image: Any, words: Sequence[Word]) -> Any:
    """255 where something is drawn that is neither a trusted printed word nor a ruled line."""
    grey = cv2.GaussianBlur(image, (3, 3), 0)
    paper = int(np.percentile(grey, 75))
    ink = np.where(grey < min(paper - 55, 200), 255, 0).astype(np.uint8)
    height, width = ink.shape
    for word in words:
        if word.confidence >= _TRUSTED and any(char.isalnum() for char in word.text):
            x0, x1 = int(word.box.x0 * width) - 2, int(np.ceil(word.box.x1 * width)) + 2
            y0, y1 = int(word.box.y0 * height) - 2, int(np.ceil(word.box.y1 * height)) + 2
            ink[max(0, y0) : y1, max(0, x0) : x1] = 0
    long = max(30, width // 25)
    for shape in ((long, 1), (1, max(30, height // 30))):
        rules = cv2.morphologyEx(ink, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_RECT, shape))
        ink[cv2.dilate(rules, np.ones((3, 3), np.uint8)) > 0] = 0
    return ink


def _zones(label: Box, labels: list[Box], words: Sequence[Word]) -> list[Box]:
    """Where a hand may have signed: right of the label, above it (the label stands under the line), below it."""
    height = label.y1 - label.y0
    right_end = min(
        [1.0, label.x1 + _ZONE_RIGHT] + [box.x0 for box in labels if box.x0 > label.x1 and _level_with(box, label)]
    )
    across = min(max(label.x1, label.x0 + 0.30), right_end)
    up = _free_edge(label, words, across, upwards=True)
    down = _free_edge(label, words, across, upwards=False)
    return [
        Box(
            x0=label.x1 + 0.005,
            y0=max(up, label.y0 - 2.5 * height),
            x1=right_end,
            y1=min(down, label.y1 + 1.2 * height),
        ),
        Box(x0=label.x0, y0=up, x1=across, y1=label.y0),
        Box(x0=label.x0, y0=label.y1, x1=across, y1=down),
    ]


def _level_with(box: Box, other: Box) -> bool:
    return min(box.y1, other.y1) - max(box.y0, other.y0) > 0.4 * min(box.y1 - box.y0, other.y1 - other.y0)


def _free_edge(label: Box, words: Sequence[Word], across: float, *, upwards: bool) -> float:
    """How far the zone reaches before the next printed line."""
    near = [
        word.box
        for word in words
        if word.confidence >= _TRUSTED and word.box.x0 < across and word.box.x1 > label.x0 and len(word.text) > 1
    ]
    if upwards:
        edges = [box.y1 for box in near if box.y1 <= label.y0 + 0.002]
        return max([label.y0 - _ZONE_UP, 0.0, *edges])
    edges = [box.y0 for box in near if box.y0 >= label.y1 - 0.002]
    return min([label.y1 + _ZONE_DOWN, 1.0, *edges])


def _crop(ink: Any, zone: Box) -> Any:
    height, width = ink.shape
    return ink[int(zone.y0 * height) : int(zone.y1 * height), int(zone.x0 * width) : int(zone.x1 * width)], width


def _judge(crop: tuple[Any, int]) -> tuple[MarkState, float]:
    """The state and its score. Lengths are measured against the page's width, so resolution does not matter."""
    ink, page = crop
    if ink.size == 0 or min(ink.shape) < 4:
        return MarkState.ABSENT, 0.5
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    strokes = [row for row in stats[1:] if max(row[2], row[3]) >= 0.006 * page]
    if not strokes:
        dirt = float((ink > 0).sum()) / ink.size
        return MarkState.ABSENT, 0.95 if dirt < 0.004 else 0.7
    reach = (max(row[0] + row[2] for row in strokes) - min(row[0] for row in strokes)) / page
    tall = max(row[3] for row in strokes) / page
    area = sum(int(row[4]) for row in strokes)
    filled = area / max(1, sum(int(row[2]) * int(row[3]) for row in strokes))
    if reach < 0.015 and tall < 0.012:
        return MarkState.ABSENT, 0.7
    if reach >= 0.045 and tall >= 0.010 and filled < 0.45 and _winding(ink, page):
        return MarkState.PRESENT, min(0.95, 0.6 + reach * 2)
    return MarkState.UNCLEAR, 0.6


def _winding(ink: Any, page: int) -> bool:
    """Whether the ink is thin strokes of some length: its outline is long against its area."""
    contours, _ = cv2.findContours(ink, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    length = sum(cv2.arcLength(contour, True) for contour in contours) / 2
    area = float((ink > 0).sum())
    return bool(length > 0.12 * page and area / max(1.0, length) < 0.012 * page)

"""Is there a signature or a stamp where the form asks for one, and where else has a pen been on the page?

All ink that is neither a printed word that was read nor a rule is gathered into clusters, and each cluster is told by
its strokes: a signature is a few thin strokes that wind, taller than print; one straight stroke, a tick, a cross or a
solid blot is none and leaves it unclear, which is never taken for signed. Strokes are measured against the height of
the page's print; a page is looked at in 150 dpi, or in what it has if that is less.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from ocr.imaging.components import components
from ocr.imaging.scale import shrunk
from ocr.marklabels import label_places
from tallyman.domain.page import Box, Mark, MarkKind, MarkState, Word

_TRUSTED = 0.6
_UP, _DOWN, _RIGHT = 0.075, 0.115, 0.42
"""How far a place to sign reaches from its label at most, in shares of the page."""
_RIM, _SIDE_RIM = 0.15, 0.004
"""How much of a word's box is white about its letters, in shares of its height and of the page's width."""
_BESIDE = 4
"""So many pixels from a line the paper begins."""
_JOINT = 100
"""A worn line may have gaps of such a part of the page's width; between two lines side by side is more."""
_LINE = 0.125
"""A form's line to sign on is mostly longer than this share of the page's width, a stroke under a name shorter."""
_FENCE = 0.036
"""So high, in shares of the page, an upright line is looked at, from the foot of the place up."""
_MOST_OF_IT = 0.6
_OWN = 0.5
"""What crosses a line that may be the side of a box, or a tall letter, is of the place with so much of its ink."""
_SIDE, _TOO_SMALL = 1754, 100
_SIGNED, _DIRT, _STAMPED, _DOUBTFUL = "signed", "dirt", "stamped", "doubtful"


@dataclass(frozen=True, kw_only=True)
class _Cluster:
    """Ink that belongs together; `x0`, `y0`, `x1`, `y1` in pixels, `ink` the part of the page within."""

    x0: int
    y0: int
    x1: int
    y1: int
    ink: Any
    kind: str


def find_marks(image: Any, words: Sequence[Word]) -> tuple[Mark, ...]:
    """One mark for each label that asks for one, then handwriting elsewhere. Nothing on pages without such a label, or
    too small for a pen to be seen.

    image: the grey page (height, width) on which the boxes of the words hold.
    """
    places = list(label_places(words))
    if not places or min(image.shape) < _TOO_SMALL:
        return ()
    # A pen is seen as well at 150 dpi, and four times as fast.
    image = shrunk(image, _SIDE)
    height, width = image.shape
    print_height = _print_height(words, height)
    labels = [_tight(label) for _, label, _ in places]
    inked = _ink(image)
    ink = _without_words(inked, words, labels, print_height)
    rules, fences = _rules(inked, print_height)
    clusters = _clusters(_without_rules(ink, rules), print_height)
    zones = [_zone(label, labels, words, rules, fences, ink) for label in labels]
    marks, taken = [], set[int]()
    for (kind, _, text), (zone, side) in zip(places, zones, strict=True):
        inside = [n for n, cluster in enumerate(clusters) if _within(cluster, zone, width, height)]
        taken.update(inside)
        kinds = {_kind_before(clusters[n], int(side * width)) for n in inside}
        state, score = _judged(kind, kinds, named=_named(zone, labels, words))
        marks.append(Mark(kind=kind, state=state, box=zone, score=score, label=text))
    elsewhere = [cluster for n, cluster in enumerate(clusters) if n not in taken]
    return (*marks, *_written(elsewhere, print_height, width, height))


def _kind_before(cluster: _Cluster, side: int) -> str:
    """What a cluster is at a place that may end at the column `side`: of what is mostly beyond nobody knows whose it
    is."""
    before = np.count_nonzero(cluster.ink[:, : max(0, side - cluster.x0)])
    return _DOUBTFUL if cluster.kind != _DIRT and before < _OWN * np.count_nonzero(cluster.ink) else cluster.kind


def _judged(kind: MarkKind, kinds: set[str], *, named: bool) -> tuple[MarkState, float]:
    """The state and the odds of it, by the kinds of ink at the place. `named`: words were read there, which may be
    typed or a hand's."""
    wanted = _SIGNED if kind is MarkKind.SIGNATURE else _STAMPED
    if wanted in kinds:
        return MarkState.PRESENT, 0.9
    if kinds - {_DIRT} or named:
        return MarkState.UNCLEAR, 0.6
    return MarkState.ABSENT, 0.9 if not kinds else 0.8


def _named(zone: Box, labels: Sequence[Box], words: Sequence[Word]) -> bool:
    """Whether a word that is no label was read in the zone."""
    inside = (
        word.box
        for word in words
        if word.confidence >= _TRUSTED
        and sum(map(str.isalpha, word.text)) >= 3
        and zone.x0 <= (word.box.x0 + word.box.x1) / 2 <= zone.x1
        and zone.y0 <= (word.box.y0 + word.box.y1) / 2 <= zone.y1
    )
    return any(not any(_level_with(box, label) for label in labels) for box in inside)


def _written(clusters: list[_Cluster], print_height: float, width: int, height: int) -> list[Mark]:
    """Pen ink where no label asks for any: corrections, quantities, remarks."""
    found = []
    for cluster in clusters:
        tall, long = cluster.y1 - cluster.y0, cluster.x1 - cluster.x0
        if cluster.kind in (_SIGNED, _DOUBTFUL) and print_height <= tall <= 8 * print_height and long >= tall / 2:
            box = Box(
                x0=cluster.x0 / width, y0=cluster.y0 / height, x1=cluster.x1 / width, y1=cluster.y1 / height
            )  # fmt: skip
            score = 0.8 if cluster.kind is _SIGNED else 0.5
            found.append(Mark(kind=MarkKind.HANDWRITING, state=MarkState.PRESENT, box=box, score=score))
    return found


def _print_height(words: Sequence[Word], height: int) -> float:
    """How tall a word of the page's print is, in pixels."""
    heights = [word.box.y1 - word.box.y0 for word in words if word.confidence >= _TRUSTED and len(word.text) > 2]
    return max(4.0, float(np.median(heights)) * height) if heights else 0.012 * height


def _ink(image: Any) -> Any:
    """255 where the page is darker than its surroundings, so that shadows and stains are paper."""
    grey = cv2.GaussianBlur(image, (3, 3), 0)
    side = max(31, image.shape[1] // 40 | 1)
    small = shrunk(grey, max(1, max(grey.shape) // 4))
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((5, 5), np.uint8)), min(255, side // 4 * 2 + 1))
    paper = cv2.resize(paper, (grey.shape[1], grey.shape[0]), interpolation=cv2.INTER_LINEAR)
    return cv2.threshold(cv2.subtract(paper, grey), 45, 255, cv2.THRESH_BINARY)[1]


def _tight(label: Box) -> Box:
    """A label's box about its letters alone: engines leave a rim, in which a rule of the form may lie."""
    up, side = _RIM * (label.y1 - label.y0), min(_SIDE_RIM, 0.25 * (label.x1 - label.x0))
    return Box(x0=label.x0 + side, y0=label.y0 + up, x1=label.x1 - side, y1=label.y1 - up)


def _rules(ink: Any, print_height: float) -> tuple[Any, Any]:
    """The form's ruled lines, and its upright ones with also those too short to be told from a hand's strokes; all a
    little wider than they are, and worn ones whole again."""
    height, width = ink.shape
    joint = width // _JOINT
    across = _long(_lines(ink, print_height, piece=width // 30 + 3, joint=joint), width // 14)
    upright = _lines(np.ascontiguousarray(ink.T), print_height, piece=height // 45 + 3, joint=joint)
    rules, fences = across | _long(upright, height // 22).T, _long(upright, height // 28).T
    return cv2.dilate(rules, np.ones((3, 3), np.uint8)), cv2.dilate(fences, np.ones((3, 3), np.uint8))


def _lines(ink: Any, print_height: float, *, piece: int, joint: int) -> Any:
    """Level lines, put together of straight pieces, so that a line may lean or be worn."""
    whole = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((5, 1), np.uint8))
    pieces = cv2.morphologyEx(whole, cv2.MORPH_OPEN, np.ones((1, piece), np.uint8))
    labels, stats = components(pieces)
    keep = np.zeros(len(stats), np.uint8)
    for n in range(1, len(stats)):
        x, y, w, h, area = (int(value) for value in stats[n])
        if area <= 0.35 * print_height * w and _free(ink, labels[y : y + h, x : x + w] == n, x, y):
            keep[n] = 255
    return cv2.morphologyEx(keep[labels], cv2.MORPH_CLOSE, np.ones((3, joint), np.uint8))


def _long(lines: Any, least: int) -> Any:
    """Those of level lines that are at least so many pixels long."""
    labels, stats = components(lines)
    keep = np.where(stats[:, 2] >= least, np.uint8(255), np.uint8(0))
    keep[0] = 0
    return keep[labels]


def _free(ink: Any, piece: Any, x: int, y: int) -> bool:
    """Whether paper is on both sides of a piece of a line: the feet of letters look like one, and have none above."""
    columns = np.arange(x, x + piece.shape[1])
    above = np.maximum(0, y + piece.argmax(axis=0) - _BESIDE)
    below = np.minimum(len(ink) - 1, y + len(piece) - 1 - piece[::-1].argmax(axis=0) + _BESIDE)
    return _share(ink[above, columns]) < 0.5 and _share(ink[below, columns]) < 0.5


def _without_rules(ink: Any, rules: Any) -> Any:
    bare = ink.copy()
    bare[cv2.dilate(rules, np.ones((3, 3), np.uint8)) > 0] = 0
    return bare


def _without_words(ink: Any, words: Sequence[Word], labels: Sequence[Box], print_height: float) -> Any:
    """The ink without what was read as print and without the labels, parts of which may not have been read.

    A "word" much taller than the print was written by hand.
    """
    height, width = ink.shape
    bare = ink.copy()
    for word in words:
        tall = (word.box.y1 - word.box.y0) * height > 2.2 * print_height
        if word.confidence < _TRUSTED or tall or not any(char.isalnum() for char in word.text):
            continue
        x0, x1 = int(word.box.x0 * width) - 2, int(np.ceil(word.box.x1 * width)) + 2
        y0, y1 = int(word.box.y0 * height) - 1, int(np.ceil(word.box.y1 * height)) + 1
        bare[max(0, y0) : y1, max(0, x0) : x1] = 0
    for label in labels:
        upper, lower = int(label.y0 * height) - 1, int(np.ceil(label.y1 * height)) + 1
        row = bare[max(0, upper) : lower]
        if lower - upper < 2 * print_height:
            row[:, max(0, int((label.x0 - 0.01) * width)) : int((label.x1 + 0.08) * width)] = 0
    return bare


def _clusters(ink: Any, print_height: float) -> list[_Cluster]:
    """Ink nearer than a print height is one cluster; specks and the rim of the scan are none."""
    height, width = ink.shape
    labels, stats = components(ink)
    sizes = stats[:, 2:4].max(axis=1)
    keep = sizes >= 0.45 * print_height
    keep[0] = False
    ink = np.where(keep[labels], np.uint8(255), np.uint8(0))
    reach = max(3, int(0.8 * print_height))
    joined = cv2.dilate(ink, np.ones((max(3, reach // 2), reach), np.uint8))
    labels, stats = components(joined)
    found = []
    for n in range(1, len(stats)):
        x, y, w, h = (int(value) for value in stats[n][:4])
        part = np.where(labels[y : y + h, x : x + w] == n, ink[y : y + h, x : x + w], np.uint8(0))
        rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
        x0, x1, y0, y1 = x + columns[0], x + columns[-1] + 1, y + rows[0], y + rows[-1] + 1
        if x0 < 0.004 * width or y0 < 0.004 * height or x1 > 0.996 * width or y1 > 0.996 * height:
            continue
        part = part[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        found.append(_Cluster(x0=int(x0), y0=int(y0), x1=int(x1), y1=int(y1), ink=part, kind=_kind(part, print_height)))
    return found


def _kind(ink: Any, print_height: float) -> str:
    """What a cluster's strokes are."""
    tall, long = ink.shape[0] / print_height, ink.shape[1] / print_height
    if max(tall, long) < 1.0 or min(tall, long) < 0.25:
        return _DIRT
    if _framed(ink, print_height):
        return _STAMPED
    if _thickest(ink) > 0.45 * print_height:
        return _DOUBTFUL
    across, down = _crossings(ink), _crossings(ink.T)
    if tall < 0.45 and long < 4:
        return _DIRT
    strokes = np.percentile(across, 90), np.percentile(down, 75)
    tallest = _tallest(ink) / print_height
    winds = strokes[0] >= 4 or (strokes[0] >= 3 and strokes[1] >= 2)
    if tall >= 1.7 and tallest >= 1.45 and long >= 3.0 and winds:
        return _SIGNED
    return _DOUBTFUL


def _crossings(ink: Any) -> Any:
    """How many strokes each row crosses, rows without ink left out."""
    padded = np.pad(ink > 0, ((0, 0), (1, 0)))
    counts = (padded[:, 1:] & ~padded[:, :-1]).sum(axis=1)
    return counts[counts > 0]


def _thickest(ink: Any) -> float:
    """Half the width of the broadest stroke, in pixels."""
    return float(cv2.distanceTransform(cv2.copyMakeBorder(ink, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 3).max())


def _tallest(ink: Any) -> int:
    """The height of the tallest connected stroke."""
    return int(components(ink)[1][1:, 3].max())


def _framed(ink: Any, print_height: float) -> bool:
    """Whether a ring or a frame goes around: a stamp."""
    if min(ink.shape) < 2.2 * print_height or max(ink.shape) < 5 * print_height:
        return False
    whole = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    contours, _ = cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    widest = max(contours, key=lambda contour: cv2.boundingRect(contour)[2] * cv2.boundingRect(contour)[3])
    _, _, w, h = cv2.boundingRect(widest)
    enclosed = cv2.contourArea(widest)
    around = cv2.minAreaRect(widest)[1]
    return bool(
        w * h > 0.35 * ink.shape[0] * ink.shape[1]
        and min(around) > 2.2 * print_height
        and enclosed > 0.7 * around[0] * around[1]
    )


def _within(cluster: _Cluster, zone: Box, width: int, height: int) -> bool:
    """Whether most of a cluster is in the zone."""
    across = min(cluster.x1, zone.x1 * width) - max(cluster.x0, zone.x0 * width)
    down = min(cluster.y1, zone.y1 * height) - max(cluster.y0, zone.y0 * height)
    area = (cluster.x1 - cluster.x0) * (cluster.y1 - cluster.y0)
    return across > 0 and down > 0 and across * down > 0.5 * area


def _zone(label: Box, labels: list[Box], words: Sequence[Word], rules: Any, fences: Any, ink: Any) -> tuple[Box, float]:
    """Where a hand signs: above a label that stands under its line, else from the label down and to its right, as far
    as the next rule, label or printed line; and how far to the right that is for certain."""
    tall = label.y1 - label.y0
    beside = [
        box.x0
        for box in (*labels, *(word.box for word in words if sum(map(str.isalpha, word.text)) >= 3))  # however misread
        if box.x0 > label.x1 + 0.02 and _level_with(box, label)
    ]
    right = min([label.x1 + _RIGHT, 1.0, *(edge - 0.005 for edge in beside)])
    left = max(0.0, label.x0 - 0.01)
    above = _rule(rules, label, label.y0 + 0.3 * tall, label.y0 - max(0.006, 0.5 * tall))
    edge = _edge(label, words, right, upwards=False)
    below = _rule_below(rules, label, edge)
    # A line just above the label is the one to sign on, unless it is the upper edge of a box about the label.
    stands_under = above is not None and not _boxed(label, ink, below or label.y1 + _DOWN / 2)
    if above is not None and stands_under:
        top = max(above - _UP, _edge(label, words, right, upwards=True, start=above))
        bottom, line = above + 0.004, above
    else:
        top = label.y0 - 0.3 * tall
        line = below if below is not None else 0.0
        bottom = line + 0.004 if line else min(label.y1 + _DOWN, edge)
    if line:
        right = min(right, _end(rules, line, label))
    foot, start = bottom - 0.004, label.x0 + 0.02
    side = _fence(fences, max(top, bottom - _FENCE), foot, start, right)
    if line and not stands_under:
        # In a box the upright lines go from rule to rule; one that does not is worn, or a tall letter of a hand.
        right = _fence(fences, label.y0, foot, start, right)
        while side < right and not _like_a_side(fences, side, label.y0, line):
            side = _fence(fences, bottom - _FENCE, foot, side + 0.01, right)
    else:
        right = side
    right = max(right, left + 0.02)
    return Box(x0=left, y0=max(0.0, top), x1=right, y1=min(1.0, max(bottom, top + tall))), min(side, right)


def _rule_below(rules: Any, label: Box, edge: float) -> float | None:
    """The height of the first rule below that is long, as a form's are, with no print on the way (`edge`), since there
    may be a stroke under a name; else of the first one."""
    first = found = _rule(rules, label, label.y1, label.y1 + _DOWN)
    while found is not None and (found is first or found < edge):
        if _end(rules, found, label) - label.x0 >= _LINE:
            return found
        found = _rule(rules, label, found + 0.005, label.y1 + _DOWN)
    return first


def _rule(rules: Any, label: Box, start: float, end: float) -> float | None:
    """The height of the first rule over the label's width on the way from `start` to `end`."""
    height, width = rules.shape
    first, last = int((label.x0 + 0.005) * width), max(int(label.x1 * width), int((label.x0 + 0.08) * width))
    for row in range(int(start * height), int(end * height), 1 if end > start else -1):
        if 0 <= row < height and _share(rules[max(0, row - 2) : row + 3, first:last].any(axis=0)) > 0.6:
            return row / float(height)
    return None


def _end(rules: Any, line: float, label: Box) -> float:
    """How far to the right the rule at the height `line` goes on."""
    height, width = rules.shape
    row = int(line * height)
    drawn = (rules[max(0, row - 3) : row + 4] > 0).any(axis=0)
    start, gap = int((label.x0 + 0.03) * width), max(4, width // _JOINT)
    if len(drawn) < start + gap:
        return 1.0
    blank = np.convolve(~drawn[start:], np.ones(gap), "valid") >= gap
    return min(1.0, (start + int(blank.argmax())) / width) if blank.any() else 1.0


def _boxed(label: Box, ink: Any, bottom: float) -> bool:
    """Whether an upright line, which may lean in a photo, goes down just left of the label to the rule below."""
    height, width = ink.shape
    rows = slice(int(label.y1 * height), max(int(label.y1 * height) + 1, int(bottom * height)))
    columns = slice(max(0, int((label.x0 - 0.03) * width)), max(1, int(label.x0 * width) - 1))
    return _share(ink[rows, columns].any(axis=1)) > 0.5


def _fence(fences: Any, top: float, bottom: float, start: float, end: float) -> float:
    """Where the first upright rule right of `start` stands, which goes all the way from `top` to `bottom`, as hardly a
    hand's stroke does; `end` where there is none."""
    height, width = fences.shape
    band = fences[max(0, int(top * height)) : int(bottom * height) + 1, int(start * width) : int(end * width)]
    if not band.size:
        return end
    found = np.flatnonzero((cv2.dilate(band, np.ones((1, 5), np.uint8)) > 0).mean(axis=0) > 0.95)
    return float(start + found[0] / width) if len(found) else end


def _like_a_side(fences: Any, x: float, top: float, line: float) -> bool:
    """Whether an upright at `x` meets the rule below it, or goes most of the way up to `top`."""
    height, width = fences.shape
    drawn = fences[:, max(0, int(x * width) - 2) : int(x * width) + 8].any(axis=1)
    foot = int(line * height)
    return bool(drawn[foot - 1 : foot + 3].all()) or _share(drawn[int(top * height) : foot]) > _MOST_OF_IT


def _share(mask: Any) -> float:
    """How much of a mask is set; 0.0 of an empty one."""
    return float(np.count_nonzero(mask) / max(1, mask.size))


def _level_with(box: Box, other: Box) -> bool:
    return min(box.y1, other.y1) - max(box.y0, other.y0) > 0.4 * min(box.y1 - box.y0, other.y1 - other.y0)


def _edge(label: Box, words: Sequence[Word], right: float, *, upwards: bool, start: float | None = None) -> float:
    """Where the next printed line above or below the label is."""
    near = [
        word.box
        for word in words
        if word.confidence >= 0.85 and word.box.x0 < right and word.box.x1 > label.x0 and len(word.text) > 2
        and word.box.y1 - word.box.y0 < 2.0 * (label.y1 - label.y0)
    ]  # fmt: skip
    if upwards:
        # A name that stands on the line is no other line of print.
        edges = [box.y1 for box in near if box.y1 <= (start or label.y0) - 0.02]
        return max([0.0, *edges])
    edges = [box.y0 for box in near if box.y0 >= label.y1 + 0.01]
    return min([1.0, *edges])

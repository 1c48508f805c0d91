"""What a phone or a stamp did to a page, mended before it is read. A flat scan with even light comes out untouched."""

from typing import Any

import cv2
import numpy as np

from ocr.imaging.scale import sampled

SIDE = 700
"""A look at a page of so many pixels tells what is asked here."""
_UNEVEN = 28
"""So much (of 255) may the paper's brightness differ over a page before its light is evened out."""
_DARKER = 25
"""So much darker than the sheet a desk is."""
_COLOURED, _SOME = 60, 0.002


def sheet(picture: Any, *, grey: bool) -> tuple[Any, list[float]]:
    """The sheet on a picture, as it is read (grey) or looked at, and by how much it was reshaped (across, down).

    What a phone photographed with its surroundings is cut out and seen from straight above. To be read, uneven light is
    evened out, and coloured ink, such as a stamp's, fades.
    picture: (height, width), or (height, width, 3) RGB.
    """
    plain = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) if picture.ndim == 3 else picture
    height, width = plain.shape
    small = sampled(plain, SIDE)
    corners = sheet_corners(small)
    if grey:
        picture = without_colour(picture) if picture.ndim == 3 and _colourful(picture) else plain
    elif picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)
    if corners is not None:
        picture = unwarped(picture, corners)
    down, across = picture.shape[0] / height, picture.shape[1] / width
    if grey:
        picture = even_light(picture, small if picture is plain else None)
    return picture, [across, down]


def sheet_corners(image: Any) -> tuple[tuple[float, float], ...] | None:
    """The corners of a sheet that lies on something darker, or None where the picture is the sheet.

    image: grey (height, width). Corners are (x, y), 0..1 of the picture, clockwise from the upper left one.
    """
    small = sampled(image, SIDE)
    height, width = small.shape
    paper = cv2.dilate(small, np.ones((7, 7), np.uint8))
    if not _darker_rim(paper):
        return None
    smooth = cv2.medianBlur(paper, 9)
    _, bright = cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    contours, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return None
    sheet = cv2.convexHull(max(contours, key=cv2.contourArea))
    area = cv2.contourArea(sheet)
    if not 0.35 < area / (height * width) < 0.97:
        return None
    corners = _four(sheet)
    if corners is None or abs(cv2.contourArea(corners) - area) > 0.08 * area:
        return None
    outside = np.full(small.shape, 255, dtype=np.uint8)
    cv2.fillConvexPoly(outside, corners.astype(np.int32), 0)
    if not _all_around(outside) or np.median(smooth[outside > 0]) > np.median(smooth[outside == 0]) - _DARKER:
        return None
    # The dilation above moved the sheet's edge outwards.
    middle = corners.mean(axis=0)
    inwards = corners + np.sign(middle - corners) * 3
    return tuple((float(x / width), float(y / height)) for x, y in _clockwise(inwards))


def unwarped(image: Any, corners: tuple[tuple[float, float], ...]) -> Any:
    """The sheet with these corners (as `sheet_corners` gives them) as if it had been seen from straight above."""
    height, width = image.shape[:2]
    found = np.array(corners, dtype=np.float32) * np.array([width, height], dtype=np.float32)
    sides = [float(np.linalg.norm(found[n] - found[(n + 1) % 4])) for n in range(4)]
    across, down = max(1, round(max(sides[0], sides[2]))), max(1, round(max(sides[1], sides[3])))
    target = np.array([[0, 0], [across, 0], [across, down], [0, down]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(found, target)
    return cv2.warpPerspective(image, matrix, (across, down), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def even_light(image: Any, small: Any = None) -> Any:
    """A grey page divided by the brightness of its paper; the same object where the light is even.

    small: the page as `sampled` gives it, where it is there already.
    """
    small = sampled(image, SIDE) if small is None else small
    paper = cv2.dilate(small, np.ones((9, 9), np.uint8))
    if not _uneven(paper):  # a quick look; what is printed large looks uneven too, so then a slow one
        return image
    paper = cv2.medianBlur(paper, 31)
    if not _uneven(paper):
        return image
    paper = cv2.resize(cv2.GaussianBlur(paper, (0, 0), 5), (image.shape[1], image.shape[0]))
    return cv2.divide(image, np.maximum(paper, 1), scale=250)


def without_colour(image: Any) -> Any:
    """A grey page for reading from one in colour (height, width, 3) RGB: ink of a bright colour, such as a stamp's,
    fades, and black print under it stays. A page without colour gives its plain grey."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    lightest, darkest = image.max(axis=2), image.min(axis=2)
    return np.where(lightest - darkest > 60, lightest, grey)


def _colourful(picture: Any) -> bool:
    """Whether more is coloured than a sensor's noise."""
    sample = picture[::8, ::8].astype(np.int16)
    return bool(np.mean(sample.max(axis=2) - sample.min(axis=2) > _COLOURED) > _SOME)


def _darker_rim(paper: Any) -> bool:
    """Whether the picture is darker at an edge than in its middle, as where there is a desk."""
    height, width = paper.shape
    middle = float(np.median(paper[height // 4 : height - height // 4 : 2, width // 4 : width - width // 4 : 2]))
    sides = (paper[:3], paper[-3:], paper[:, :3], paper[:, -3:])
    return min(float(np.median(side)) for side in sides) < middle - _DARKER / 2


def _uneven(paper: Any) -> bool:
    down, across = paper.shape[0] // 20, paper.shape[1] // 20
    # The rim of a scan is dark, and no shadow.
    inner = paper[down : paper.shape[0] - down, across : paper.shape[1] - across]
    low, high = np.percentile(inner, (2, 98))
    return bool(high - low >= _UNEVEN)


def _four(outline: Any) -> Any:
    """The outline as four corners (4, 2), or None."""
    length = cv2.arcLength(outline, True)
    for share in (0.01, 0.02, 0.03, 0.05):
        corners = cv2.approxPolyDP(outline, share * length, True)
        if len(corners) == 4:
            return corners[:, 0].astype(np.float32)
    return None


def _all_around(outside: Any) -> bool:
    """Whether the picture goes on beyond the sheet on three sides at least: the rim of a scan is on one or two."""
    sides = (outside[0], outside[-1], outside[:, 0], outside[:, -1])
    return sum(bool((side > 0).mean() > 0.8) for side in sides) >= 3


def _clockwise(corners: Any) -> Any:
    """From the upper left corner."""
    middle = corners.mean(axis=0)
    around = corners[np.argsort(np.arctan2(corners[:, 1] - middle[1], corners[:, 0] - middle[0]))]
    return np.roll(around, -int(np.argmin(around.sum(axis=1))), axis=0)

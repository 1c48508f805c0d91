"""Connected pieces of ink."""

from typing import Any

import cv2


def components(ink: Any) -> tuple[Any, Any]:
    """(labels, stats) as `cv2.connectedComponentsWithStats` gives them, for 8 neighbours; the first is the paper.

    Where short labels are enough, as nearly everywhere, that costs a third.
    """
    try:
        _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8, ltype=cv2.CV_16U)
    except cv2.error:  # more than 65,534 pieces
        _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8, ltype=cv2.CV_32S)
    return labels, stats

"""Connected pieces of ink."""

import numpy as np
import pytest

from ocr.imaging.components import components


@pytest.mark.parametrize("side", [20, 600])  # with 90,000 pieces short labels do not do
def test_every_piece_has_a_label_of_its_own(side: int) -> None:
    ink = np.zeros((side, side), np.uint8)
    ink[::2, ::2] = 255
    labels, stats = components(ink)
    assert len(stats) == len(np.unique(labels)) == side * side // 4 + 1
    assert stats[1:, 4].max() == 1

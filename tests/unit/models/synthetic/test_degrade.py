"""What scanners do to pages and boxes, without a browser."""

import numpy as np
import pytest

from models.synthetic.degrade import Pixels, degrade
from models.synthetic.style import SCANS, Scan


def page(colour: bool = False) -> Pixels:
    """A white sheet with one black block from (0.30, 0.40) to (0.50, 0.44)."""
    sheet = np.full((1200, 850), 255, dtype=np.uint8)
    sheet[480:528, 255:425] = 0
    return np.stack([sheet] * 3, axis=-1) if colour else sheet


BLOCK = (0.30, 0.40, 0.50, 0.44)


def block_of(image: Pixels) -> tuple[float, float, float, float]:
    dark = (image if image.ndim == 2 else image[..., 1]) < 40
    rows, columns = np.flatnonzero(dark.sum(axis=1) > 60), np.flatnonzero(dark.sum(axis=0) > 15)
    height, width = dark.shape
    return columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height


def test_a_scan_without_degradation_leaves_the_page_alone() -> None:
    image, move = degrade(page(), Scan(), "1")
    assert np.array_equal(image, page())
    assert move(BLOCK) == pytest.approx(BLOCK)


@pytest.mark.parametrize("how", [Scan(skew=2), Scan(skew=-2), Scan(photo=0.8, colour=True), Scan(photo=0.3)])
def test_boxes_move_with_the_paper(how: Scan) -> None:
    image, move = degrade(page(how.colour), how, "7")
    moved = move(BLOCK)
    assert moved != pytest.approx(BLOCK, abs=0.003)
    seen = block_of(image)
    # The box stands around the block, and no further than the turned corners reach.
    assert all(moved[side] <= seen[side] + 0.004 for side in (0, 1))
    assert all(moved[side] >= seen[side] - 0.004 for side in (2, 3))
    assert moved == pytest.approx(seen, abs=0.02)


@pytest.mark.parametrize("name", ["fade", "noise", "blur", "speckle", "fold", "coffee", "edge", "stamp"])
def test_each_degradation_can_be_had_alone_and_does_something(name: str) -> None:
    image, move = degrade(page(), Scan.model_validate({name: 0.8}), "3")
    assert not np.array_equal(image, page())
    assert image.shape == page().shape
    assert move(BLOCK) == pytest.approx(BLOCK)


def test_stronger_is_worse() -> None:
    def harm(strength: float) -> float:
        image, _ = degrade(page(), Scan(noise=strength), "3")
        return float(np.abs(image.astype(int) - page().astype(int)).mean())

    assert harm(0.2) < harm(0.5) < harm(1)


def test_a_fax_is_black_and_white() -> None:
    image, _ = degrade(page(), SCANS["fax"], "5")
    assert set(np.unique(image)) == {0, 255}


@pytest.mark.parametrize("name", sorted(SCANS))
def test_the_same_seed_gives_the_same_pixels(name: str) -> None:
    how = SCANS[name]
    one, other, third = (degrade(page(how.colour), how, seed)[0] for seed in ("9", "9", "10"))
    assert np.array_equal(one, other)
    assert not np.array_equal(one, third)

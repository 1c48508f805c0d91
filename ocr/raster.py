"""PNG, JPEG and TIFF by Pillow. Runs in the sandbox's child only."""

import warnings
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from tallyman.errors import Quarantined, Unreadable

MAX_PAGES = 200
MAX_PIXELS = 100_000_000
MAX_SIDE = 3508
"""The long side of A4 at 300 dpi. Larger scans are shrunk: it costs less and reads better."""


def open_image(path: str) -> Any:
    """The open image, nothing decoded yet. Raises Unreadable or Quarantined (pixels, pages)."""
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        image = Image.open(path, formats=("PNG", "JPEG", "TIFF"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Quarantined(f"The image has more than {MAX_PIXELS // 1_000_000} megapixels.") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise Unreadable("The image is damaged: it can't be opened.") from error
    count = getattr(image, "n_frames", 1)
    if count > MAX_PAGES:
        raise Quarantined(f"The file has {count:,} pages; at most {MAX_PAGES} are read.")
    return image


def count_pages(image: Any) -> int:
    return int(getattr(image, "n_frames", 1))


def page_size(image: Any, page: int) -> tuple[float, float]:
    """Width and height of a page (from 1) in points, upright; 300 dpi where the file does not say."""
    image.seek(page - 1)
    dpi = image.info.get("dpi", (300, 300))
    across, down = (float(value) if 50 <= float(value) <= 1200 else 300.0 for value in dpi[:2])
    width, height = image.size[0] * 72 / across, image.size[1] * 72 / down
    turned = image.getexif().get(0x0112, 1) >= 5
    return (height, width) if turned else (width, height)


def decode(image: Any, page: int, *, grey: bool) -> Any:
    """A page (from 1) as uint8 array (height, width) when grey, else (height, width, 3); shrunk to MAX_SIDE."""
    try:
        image.seek(page - 1)
        if image.size[0] * image.size[1] > MAX_PIXELS:
            raise Quarantined(f"Page {page} has more than {MAX_PIXELS // 1_000_000} megapixels.")
        if image.format == "JPEG":
            image.draft("L" if grey else "RGB", (MAX_SIDE, MAX_SIDE))
        picture = ImageOps.exif_transpose(_flat(image))
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise Unreadable(f"Page {page} of the image is damaged or cut off.") from error
    picture = picture.convert("L" if grey else "RGB")
    if max(picture.size) > MAX_SIDE:
        picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX, reducing_gap=2.0)
    return np.asarray(picture).copy()


def _flat(image: Any) -> Any:
    """Without transparency (white shows through) and with 8 bits a channel."""
    image.load()
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, dtype=np.float32)
        return Image.fromarray((values * (255.0 / max(1.0, float(values.max())))).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        picture = image.convert("RGBA")
        ground = Image.new("RGBA", picture.size, "white")
        ground.alpha_composite(picture)
        ground.info = {}
        return ground
    return image.copy()

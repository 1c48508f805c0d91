"""PNG, JPEG, TIFF, WebP and HEIC by Pillow. Runs in the sandbox's child only."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pi_heif
from PIL import Image, UnidentifiedImageError

from tallyman.errors import Quarantined, Unreadable

MAX_PAGES = 200
MAX_PIXELS = 100_000_000
MAX_SIDE = 3600
"""The long side of A4 at 300 dpi and a scanner's edge. Larger scans are shrunk: it costs less and reads better."""
_TURN = 0x0112
"""EXIF's orientation: 1 is upright."""
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_STRIP = 64
"""Rows, after shrinking."""
# Once for all children: left to itself, Pillow imports its formats where the first one is needed.
Image.init()
# Only the main pictures are decoded, on one thread.
pi_heif.register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)
_GREY = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "I;16N", "F")


def open_image(path: str) -> Any:
    """The open image, nothing decoded yet. Raises Unreadable or Quarantined (pixels, pages)."""
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        image = Image.open(path, formats=("PNG", "JPEG", "TIFF", "WEBP", "HEIF"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Quarantined(f"The image has more than {MAX_PIXELS // 1_000_000} megapixels.") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise Unreadable("The image is damaged: it can't be opened.") from error
    count = count_pages(image)
    if count > MAX_PAGES:
        raise Quarantined(f"The file has {count:,} pages; at most {MAX_PAGES} are read.")
    return image


def count_pages(image: Any) -> int:
    """Pages of a TIFF, pictures of a HEIC file, frames of an animated WebP. Raises Unreadable.

    A phone's JPEG may hold another size or view of its one picture (MPO): that is no page.
    """
    if image.format == "MPO":
        return 1
    try:
        return int(getattr(image, "n_frames", 1))
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise Unreadable("The image is damaged: its pages can't be counted.") from error


def page_size(image: Any, page: int) -> tuple[float, float]:
    """Width and height of a page (from 1) in points, upright; 300 dpi where the file does not say.

    Raises Unreadable.
    """
    try:
        image.seek(page - 1)
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise Unreadable(f"Page {page} of the image is damaged or cut off.") from error
    across, down = resolution(image)
    width, height = image.size[0] * 72 / across, image.size[1] * 72 / down
    turned = image.getexif().get(_TURN, 1) >= 5
    return (height, width) if turned else (width, height)


def resolution(image: Any) -> tuple[float, float]:
    """Dots per inch, across and down, of the page that is open, as it lies in the file; 300 where it does not say."""
    dpi = image.info.get("dpi", (300, 300))
    across, down = (float(value) if 50 <= float(value) <= 1200 else 300.0 for value in dpi[:2])
    return across, down


def decoded(image: Any, page: int) -> Any:
    """A page (from 1) as uint8 array: (height, width), or (height, width, 3) RGB; shrunk to MAX_SIDE."""
    try:
        image.seek(page - 1)
        if image.size[0] * image.size[1] > MAX_PIXELS:
            raise Quarantined(f"Page {page} has more than {MAX_PIXELS // 1_000_000} megapixels.")
        grey = image.mode in _GREY
        if image.format in ("JPEG", "MPO"):
            image.draft("L" if grey else "RGB", (MAX_SIDE, MAX_SIDE))
        image.load()
        picture = _flat(image)
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise Unreadable(f"Page {page} of the image is damaged or cut off.") from error
    if picture.mode != ("L" if grey else "RGB"):
        picture = picture.convert("L" if grey else "RGB")
    if max(picture.size) > MAX_SIDE:
        factor = MAX_SIDE / max(picture.size)
        size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
        picture = picture.resize(size, Image.Resampling.BOX, reducing_gap=2.0)
    turn = image.getexif().get(_TURN, 1)
    if turn in _UPRIGHT:  # last: a copy of the small picture
        picture = picture.transpose(_UPRIGHT[turn])
    return _pixels(picture)


def _pixels(picture: Any) -> Any:
    """As an array. Grey ones are copied once, by Pillow into the array: `np.asarray` joins them from small pieces."""
    if picture.mode != "L":
        return np.asarray(picture)
    pixels = np.empty((picture.height, picture.width), np.uint8)
    target = Image.frombuffer("L", picture.size, pixels, "raw", "L", 0, 1)
    target.readonly = 0
    target.paste(picture)
    return pixels


def _flat(image: Any) -> Any:
    """Without transparency (white shows through) and with 8 bits a channel; shrunk by a whole number meanwhile.

    Strip by strip: of a hundred megapixels there is no room for a second copy.
    """
    deep = image.mode.startswith("I") or image.mode == "F"
    if not deep and image.mode not in ("RGBA", "LA", "PA") and "transparency" not in image.info:
        return image
    factor = max(1, max(image.size) // MAX_SIDE)
    size = (-(-image.width // factor), -(-image.height // factor))
    made = Image.new("L" if deep or image.mode == "LA" else "RGB", size)
    most = max(float(np.asarray(strip).max()) for strip in _strips(image, factor)) if deep else 1.0
    for number, strip in enumerate(_strips(image, factor)):
        flat = _scaled(strip, most) if deep else _on_white(strip)
        made.paste(flat.convert(made.mode).reduce(factor), (0, number * _STRIP))
    return made


def _strips(image: Any, factor: int) -> Iterator[Any]:
    """From the top down, each _STRIP rows of the picture that is smaller by `factor`."""
    for top in range(0, image.height, _STRIP * factor):
        yield image.crop((0, top, image.width, min(image.height, top + _STRIP * factor)))


def _scaled(image: Any, most: float) -> Any:
    values = np.asarray(image, dtype=np.float32)
    return Image.fromarray((values * (255.0 / max(1.0, most))).astype(np.uint8))


def _on_white(image: Any) -> Any:
    picture = image.convert("RGBA")
    ground = Image.new("RGBA", picture.size, "white")
    ground.alpha_composite(picture)
    return ground

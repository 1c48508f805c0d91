"""Turns a clean PDF into what a scanner, a fax or a phone makes of it, and moves the boxes of the truth along."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pikepdf
import pypdfium2
from PIL import Image

from models.synthetic.style import Scan

Pixels = npt.NDArray[Any]
"""An image of bytes: (height, width) grey or (height, width, 3) RGB."""
Matrix = npt.NDArray[np.float64]
Move = Callable[[Sequence[float]], list[float]]
"""Takes a box (0..1 of the clean page) to the box around it on the scan (0..1 of the image)."""

WRITERS = (".pdf", ".jpg", ".jpeg", ".png", ".tif", ".tiff")


def scan(pdf: bytes, how: Scan, out: Path, seed: int) -> list[Move]:
    """Scans every page of `pdf` into `out`; the suffix says how. Gives one Move a page.

    A PDF and a TIFF hold all pages; a JPEG or PNG holds one, further pages go to `<name>-2.jpg` and so on.
    """
    sheets, moves = [], []
    with pypdfium2.PdfDocument(pdf) as document:
        for number in range(len(document)):
            clean = document[number].render(scale=how.dpi / 72, grayscale=not how.colour).to_numpy()
            image, move = degrade(clean[..., ::-1] if how.colour else clean.squeeze(), how, f"{seed}/{number}")
            sheets.append(image)
            moves.append(move)
    _write(sheets, how, out)
    return moves


def degrade(clean: Pixels, how: Scan, seed: str) -> tuple[Pixels, Move]:
    """One page as `how` says. The image may grow where the whole sheet lies on a desk (photo)."""
    rng = np.random.default_rng(list(seed.encode()))
    image = _paper(clean, how, rng)
    matrix, size = _geometry(image, how, rng)
    if not np.allclose(matrix, np.eye(3)):
        # A scanner's lid is white, a desk is brown.
        tone = int(rng.integers(60, 130)) if how.photo else 255
        beyond = (tone, int(tone * 0.9), int(tone * 0.78)) if how.photo and image.ndim == 3 else (tone,) * 4
        image = cv2.warpPerspective(
            image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=beyond
        )
    image = _optics(image, how, rng)
    return image, _mover(matrix, clean.shape, image.shape)


def _mover(matrix: Matrix, before: tuple[int, ...], after: tuple[int, ...]) -> Move:
    def move(box: Sequence[float]) -> list[float]:
        x0, x1 = box[0] * before[1], box[2] * before[1]
        y0, y1 = box[1] * before[0], box[3] * before[0]
        corners = np.array([[[x0, y0], [x1, y0], [x1, y1], [x0, y1]]], dtype=np.float64)
        moved = cv2.perspectiveTransform(corners, matrix)[0]
        low, high = moved.min(axis=0), moved.max(axis=0)
        edges = (low[0] / after[1], low[1] / after[0], high[0] / after[1], high[1] / after[0])
        return [round(float(min(1, max(0, edge))), 5) for edge in edges]

    return move


def _geometry(image: Pixels, how: Scan, rng: np.random.Generator) -> tuple[Matrix, tuple[int, int]]:
    """The homography from the sheet to the picture, and the size (width, height) of the picture."""
    height, width = image.shape[:2]
    matrix: Matrix = np.eye(3)
    if how.skew:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), -how.skew, 1.0)
        matrix = np.vstack([turn, [0, 0, 1]])
        shift = rng.uniform(-0.006, 0.006, 2) * (width, height)
        matrix[:2, 2] += shift
    if not how.photo:
        return matrix, (width, height)
    bend, margin = 0.06 * how.photo, 0.07
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    moved = corners + rng.uniform(-bend, bend, (4, 2)).astype(np.float32) * np.float32(width)
    moved += np.float32(margin * width)
    picture = (int(width * (1 + 2 * margin)), int(height + width * 2 * margin))
    return np.asarray(cv2.getPerspectiveTransform(corners, moved), dtype=np.float64) @ matrix, picture


def _paper(image: Pixels, how: Scan, rng: np.random.Generator) -> Pixels:
    """What befell the sheet itself: faded toner, a stamp, folds, coffee."""
    if how.fade:
        lighter = 255 - (255 - image.astype(np.float32)) * (1 - 0.55 * how.fade)
        image = lighter.astype(np.uint8)
    if how.stamp:
        image = _stamped(image, how.stamp, rng)
    if how.fold:
        image = _folded(image, how.fold, rng)
    if how.coffee:
        image = _stained(image, how.coffee, rng)
    return image


def _scaled(image: Pixels, factor: npt.NDArray[Any]) -> Pixels:
    """The image with every pixel multiplied; `factor` broadcasts over (height, width)."""
    if image.ndim == 3 and factor.ndim == 2:
        factor = factor[..., None]
    scaled: Pixels = np.clip(image * factor, 0, 255).astype(np.uint8)
    return scaled


def _stamped(image: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """Two stamps across the print. Their ink is transparent: it darkens the paper and leaves black print black."""
    height, width = image.shape[:2]
    laid = np.zeros((height, width), dtype=np.uint8)
    for place in (0.3, 0.62):
        across, down = int(width * 0.34), int(width * 0.13)
        plate = np.zeros((down, across), dtype=np.uint8)
        line = max(2, width // 300)
        cv2.rectangle(plate, (line, line), (across - line, down - line), 255, 2 * line)
        for row, text in enumerate(("WARENEINGANG", "geprueft / checked")):
            size = width / (900 if row == 0 else 1150)
            cv2.putText(plate, text, (down // 6, int(down * (0.42 + 0.38 * row))), 0, size, 255, line, cv2.LINE_AA)
        turn = cv2.getRotationMatrix2D((across / 2, down / 2), float(rng.uniform(-12, 12)), 1.0)
        turn[:, 2] += (float(rng.uniform(0.1, 0.5)) * width, (place + float(rng.uniform(-0.05, 0.05))) * height)
        laid = np.maximum(laid, cv2.warpAffine(plate, turn, (width, height), flags=cv2.INTER_LINEAR))
    share = laid.astype(np.float32) / 255 * np.float32(0.5 + 0.5 * strength)
    inks = ((31, 61, 153), (163, 36, 43), (36, 107, 58), (75, 46, 131))
    ink = np.array(inks[int(rng.integers(len(inks)))], dtype=np.float32) / 255
    if image.ndim == 2:
        return _scaled(image, 1 - share * (1 - float(ink @ (0.299, 0.587, 0.114))))
    return _scaled(image, 1 - share[..., None] * (1 - ink))


def _folded(image: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """Creases across the sheet, as a letter has that came in an envelope: a shade, a light ridge, lost toner."""
    height, width = image.shape[:2]
    rows = np.ones(height, dtype=np.float32)
    image = image.copy()
    for place in (1 / 3, 2 / 3) if rng.random() < 0.7 else (0.5,):
        at = int(height * (place + rng.uniform(-0.01, 0.01)))
        distance = (np.arange(height) - at) / (height * 0.02)
        rows *= 1 - np.float32(0.22 * strength) * np.exp(-np.abs(distance)).astype(np.float32) * (distance > 0)
        crease = slice(max(0, at - max(1, height // 1600)), at + 1)
        worn = rng.random(width) < 0.5 * strength
        image[crease][:, worn] = np.maximum(image[crease][:, worn], 225)
    return _scaled(image, rows[:, None])


def _stained(image: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """The ring of a cup, light brown, darker at its edge, and a few drops."""
    height, width = image.shape[:2]
    small = (width // 4 + 1, height // 4 + 1)
    stain = np.zeros((small[1], small[0]), dtype=np.float32)
    centre = (int(small[0] * rng.uniform(0.15, 0.85)), int(small[1] * rng.uniform(0.15, 0.85)))
    radius = int(small[0] * rng.uniform(0.14, 0.2))
    start = float(rng.uniform(0, 360))
    cv2.circle(stain, centre, radius, (0.18,), -1, cv2.LINE_AA)
    cv2.ellipse(stain, centre, (radius, radius), start, 0, 300, (0.9,), max(2, radius // 14), cv2.LINE_AA)
    for _ in range(int(rng.integers(2, 7))):
        drop = centre + rng.normal(0, radius, 2)
        cv2.circle(stain, (int(drop[0]), int(drop[1])), int(rng.integers(1, 5)), (0.7,), -1, cv2.LINE_AA)
    stain = cv2.GaussianBlur(stain, (0, 0), max(1.0, radius / 40)) * np.float32(strength * 0.55)
    mask = cv2.resize(stain, (width, height), interpolation=cv2.INTER_LINEAR)
    if image.ndim == 2:
        return _scaled(image, 1 - mask * np.float32(0.55))
    taken = np.array([0.25, 0.5, 0.85], dtype=np.float32)
    return _scaled(image, 1 - mask[..., None] * taken)


def _optics(image: Pixels, how: Scan, rng: np.random.Generator) -> Pixels:
    """What the lens and the sensor add: light, blur, specks, grain, and the black rim of the lid."""
    if how.photo:
        image = _lit(image, how.photo, rng)
    if how.blur:
        image = cv2.GaussianBlur(image, (0, 0), 0.25 + how.blur * 1.5 * how.dpi / 200)
    if how.speckle:
        image = _specked(image, how.speckle, rng)
    if how.noise:
        image = _grained(image, how.noise, rng)
    if how.edge:
        image = _rimmed(image, how.edge, rng)
    if how.fax:
        image = np.where(image > 158, 255, 0).astype(np.uint8)
    return image


def _lit(image: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """Uneven light and a soft shadow of the hand with the phone."""
    height, width = image.shape[:2]
    y, x = np.mgrid[0:1:48j, 0:1:32j].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 - np.float32(0.3 * strength) * (0.5 + (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle))
    edge = rng.uniform(0.15, 0.85)
    shadow = 1 / (1 + np.exp(-(x * rng.uniform(0.6, 1.2) + y - edge - 0.3) * 9))
    light = (light * (1 - np.float32(0.22 * strength) * shadow)).astype(np.float32)
    light = cv2.resize(light, (width, height), interpolation=cv2.INTER_CUBIC)
    if image.ndim == 2:
        return _scaled(image, light)
    warm = np.array([1.0, 0.97, 0.9], dtype=np.float32)
    return _scaled(image, light[..., None] * warm)


def _specked(image: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    image = image.copy()
    height, width = image.shape[:2]
    for _ in range(int(220 * strength)):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        tone = int(rng.integers(20, 150))
        cv2.circle(image, (x, y), int(rng.integers(0, max(2, width // 900 + 1))), (tone,) * 4, -1)
    return image


def _grained(image: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """Grain of the sensor, and paper that is not quite white. The grain is a tile, shifted by row block, for speed."""
    tile = rng.normal(0, 1, (512, 640)).astype(np.float32)
    height, width = image.shape[:2]
    grain = np.tile(tile, (height // 512 + 1, width // 640 + 1))[:height, :width] * np.float32(13 * strength)
    grain -= np.float32(7 * strength + 2)
    grained: Pixels = np.clip(image + (grain[..., None] if image.ndim == 3 else grain), 0, 255).astype(np.uint8)
    return grained


def _rimmed(image: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """The dark rim where the sheet did not cover the glass, on one or two sides."""
    image = image.copy()
    height, width = image.shape[:2]
    depth = int(width * 0.012 * strength * rng.uniform(0.4, 1.4)) + 1
    tone = int(rng.integers(25, 90))
    sides = rng.choice(["left", "right", "top", "bottom"], size=int(rng.integers(1, 3)), replace=False)
    lean = rng.uniform(0, 0.8)
    wedges = {
        "left": [(0, 0), (depth, 0), (int(depth * lean), height), (0, height)],
        "right": [(width, 0), (width - depth, 0), (width - int(depth * lean), height), (width, height)],
        "top": [(0, 0), (width, 0), (width, int(depth * lean)), (0, depth)],
        "bottom": [(0, height), (width, height), (width, height - int(depth * lean)), (0, height - depth)],
    }
    for side in sides:
        cv2.fillPoly(image, [np.array(wedges[str(side)], dtype=np.int32)], (tone,) * 4)
    return image


def _encoded(image: Pixels, how: Scan, suffix: str) -> bytes:
    """The image as JPEG or PNG, by suffix; JPEG at the quality of the scan, or 90 where it has none."""
    buffer = io.BytesIO()
    dpi = (how.dpi, how.dpi)
    picture = Image.fromarray(image)
    if suffix in (".jpg", ".jpeg"):
        picture.save(buffer, "JPEG", quality=how.jpeg or 90, dpi=dpi)
    else:
        picture.save(buffer, "PNG", dpi=dpi, compress_level=3)
    return buffer.getvalue()


def _write(sheets: list[Pixels], how: Scan, out: Path) -> None:
    suffix = out.suffix.lower()
    if suffix == ".pdf":
        out.write_bytes(_image_pdf(sheets, how))
    elif suffix in (".tif", ".tiff"):
        pictures = [Image.fromarray(sheet).convert("1") if how.fax else Image.fromarray(sheet) for sheet in sheets]
        pictures[0].save(
            out, "TIFF", save_all=True, append_images=pictures[1:], dpi=(how.dpi, how.dpi),
            compression="group4" if how.fax else "tiff_lzw",
        )  # fmt: skip
    else:
        for number, sheet in enumerate(sheets, start=1):
            name = out if number == 1 else out.with_name(f"{out.stem}-{number}{out.suffix}")
            name.write_bytes(_encoded(sheet, how, suffix))


def _image_pdf(sheets: list[Pixels], how: Scan) -> bytes:
    """A PDF that holds nothing but one picture a page, as scanners write it."""
    buffer = io.BytesIO()
    with pikepdf.new() as pdf:
        for sheet in sheets:
            height, width = sheet.shape[:2]
            points = (width * 72 / how.dpi, height * 72 / how.dpi)
            page = pdf.add_blank_page(page_size=points)
            page.obj["/Resources"] = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=_picture(pdf, sheet, how)))
            draw = f"q {points[0]:.2f} 0 0 {points[1]:.2f} 0 0 cm /Im0 Do Q"
            page.obj["/Contents"] = pdf.make_stream(draw.encode())
        pdf.docinfo["/Producer"] = pikepdf.String("Scan Station 3")
        pdf.save(buffer, deterministic_id=True)
    return buffer.getvalue()


def _picture(pdf: pikepdf.Pdf, sheet: Pixels, how: Scan) -> pikepdf.Stream:
    height, width = sheet.shape[:2]
    colours = pikepdf.Name.DeviceRGB if sheet.ndim == 3 else pikepdf.Name.DeviceGray
    head = {"/Type": pikepdf.Name.XObject, "/Subtype": pikepdf.Name.Image, "/Width": width, "/Height": height}
    if how.jpeg:
        data = _encoded(sheet, how, ".jpg")
        return pikepdf.Stream(
            pdf, data, {**head, "/ColorSpace": colours, "/BitsPerComponent": 8, "/Filter": pikepdf.Name.DCTDecode}
        )
    if sheet.ndim == 2 and how.fax:
        bits = np.packbits(sheet > 127, axis=1).tobytes()
        return pikepdf.Stream(pdf, bits, {**head, "/ColorSpace": colours, "/BitsPerComponent": 1})
    return pikepdf.Stream(pdf, sheet.tobytes(), {**head, "/ColorSpace": colours, "/BitsPerComponent": 8})

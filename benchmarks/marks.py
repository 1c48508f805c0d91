"""Are signatures told from dirt, and are photos and stamps mended? On papers that models/synthetic prints and scans:
our own documents, not the world's.

`python -m benchmarks.marks [--count 200] [--seed 5000] [--words reader]`. With `--words reader` the marks are those
that the reader finds in the scan's file, as in life; with `printed` only the looking is measured.
"""

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal, get_args

import cv2
import numpy as np
import pypdfium2
import typer

from benchmarks.pages import Tick, nothing, together
from benchmarks.peers import folded
from benchmarks.timing import one_thread
from benchmarks.verdict import show
from models.synthetic import (
    POD_LAYOUTS,
    InvoiceSpec,
    PodSpec,
    Printed,
    Printer,
    Scan,
    Style,
    random_invoice,
    random_pod,
)
from models.synthetic.degrade import Move, degrade
from models.synthetic.sampling import random_scan
from models.synthetic.specs import InPlace
from ocr.engines.tesseract import ENGINE
from ocr.imaging.deskew import skew_of, turned
from ocr.imaging.marks import find_marks
from ocr.imaging.photo import SIDE, even_light, sheet_corners, unwarped, without_colour
from ocr.imaging.scale import sampled
from ocr.lines import RawWord, in_reading_order
from ocr.reader import READER
from tallyman.domain.page import Mark, MarkKind, Word

Words = Literal["printed", "reader"]
Spec = InvoiceSpec | PodSpec

SIGNED = ("signed", "initialled")
DIRT = tuple(kind for kind in get_args(InPlace) if kind not in (*SIGNED, "written", "none"))


def _scanned(pdf: Path, page: int, how: Scan, seed: int) -> tuple[Any, Move]:
    """A page (from 0) as the scan gives it, in colour or grey, through JPEG where the scan goes through it."""
    with pypdfium2.PdfDocument(pdf) as document:
        clean = document[page].render(scale=how.dpi / 72, grayscale=not how.colour).to_numpy()
    image, move = degrade(clean[..., ::-1] if how.colour else clean.squeeze(), how, f"{seed}/{page}")
    if how.jpeg:
        packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, how.jpeg])[1]
        unpacked = cv2.imdecode(packed, cv2.IMREAD_UNCHANGED)
        assert unpacked is not None
        image = unpacked
    return image, move


def _grey(image: Any) -> Any:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image


def _papers(count: int, seed: int) -> Iterator[tuple[Path, random.Random, int]]:
    """First pages of invoices and proofs of delivery by turns."""
    with TemporaryDirectory() as folder, Printer() as printer:
        out = Path(folder) / "paper.pdf"
        for number in range(seed, seed + count):
            make: Callable[[int, str], tuple[Spec, Style]] = random_pod if number % 2 else random_invoice  # type: ignore[assignment]
            printer.print(*make(number, "clean"), out, number)
            yield out, random.Random(f"pages/{number}"), number


def _seconds(function: Callable[[], Any]) -> tuple[Any, float]:
    began = time.thread_time()
    return function(), time.thread_time() - began


def _spread(times: Sequence[float]) -> dict[str, float]:
    if not times:
        return {}
    return {
        "ms_median": round(float(np.median(times)) * 1e3, 1),
        "ms_p95": round(float(np.percentile(times, 95)) * 1e3, 1),
    }


def measure_mending(count: int, seed: int, tick: Tick = nothing) -> dict[str, Any]:
    """The share of printed words that tesseract reads on pages with one defect each, before and after it is mended;
    and how many of as many plain scans the steps for photos leave as they are, to the pixel."""
    photo = Scan(dpi=170, colour=True, photo=0.8, noise=0.3, blur=0.2)
    stamped = Scan(dpi=200, colour=True, stamp=1, noise=0.2, blur=0.1, skew=0.4)
    recalls: dict[str, list[float]] = {}
    untouched = 0
    for pdf, dice, number in _papers(count, seed):
        with pypdfium2.PdfDocument(pdf) as document:
            truth = Counter(folded(document[0].get_textpage().get_text_bounded().split()))
        image, _ = _scanned(pdf, 0, photo, number)
        grey = _grey(image)
        corners = sheet_corners(grey)
        flat = grey if corners is None else unwarped(grey, corners)
        coloured, _ = _scanned(pdf, 0, stamped, number)
        ways = {
            "photo": grey, "photo, flat": flat, "photo, flat and even": even_light(flat),
            "photo, even": even_light(grey), "stamp": _grey(coloured), "stamp, faded": without_colour(coloured),
        }  # fmt: skip
        for name, page in ways.items():
            level = turned(page, 0, skew_of(page))
            read = Counter(folded(word.text for word in ENGINE.words(level, ("eng", "deu"))))
            recalls.setdefault(name, []).append((truth & read).total() / max(1, truth.total()))
        how = random_scan(dice)
        while how.photo:
            how = random_scan(dice)
        plain = _grey(_scanned(pdf, 0, how, number)[0])
        untouched += sheet_corners(plain) is None and even_light(plain) is plain
        tick()
    told: dict[str, Any] = {name: round(float(np.mean(values)), 4) for name, values in recalls.items()}
    return {"pages": count, **told, "plain scans untouched": untouched}


def _slip(seed: int, kind: InPlace) -> tuple[PodSpec, Style]:
    dice = random.Random(f"marks/{seed}")
    spec, style = random_pod(seed, "clean")
    name = spec.signer_name or dice.choice(("Petra Schöll", "J. Smith", "Marie Dubois", "Ahmed Yilmaz", "Tom Baker"))
    other = random_pod(seed + 1, "clean", style.language)[0].stamp
    shown = kind in (*SIGNED, "written", "typed") or dice.random() < 0.3
    stamp = spec.stamp or (other if dice.random() < 0.35 else None)
    layout = dice.choice((*POD_LAYOUTS, "handheld"))
    return (
        spec.model_copy(update={"signature": kind, "signer_name": name if shown else "", "stamp": stamp}),
        style.model_copy(update={"layout": layout, "terms_page": False}),
    )


def _levelled(image: Any, boxes: Sequence[Sequence[float]]) -> tuple[Any, list[tuple[float, float, float, float]]]:
    """The page made level, and the boxes (0..1) moved along."""
    skew = skew_of(image)
    height, width = image.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -skew, 1.0)
    moved = []
    for x0, y0, x1, y1 in boxes:
        corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]) * (width, height)
        around = corners @ matrix[:, :2].T + matrix[:, 2]
        # The box of a leaning box is too tall; its middle line is where the word is.
        down = (y1 - y0) * height
        middle = around[:, 1].mean()
        low, high = around[:, 0].min(), around[:, 0].max()
        moved.append((low / width, (middle - down / 2) / height, high / width, (middle + down / 2) / height))
    return turned(image, 0, skew), moved


def _words(printed: Printed, page: int, move: Move, image: Any) -> tuple[Any, tuple[Word, ...]]:
    """The level page and its words, as they were printed."""
    own = [word for word in printed.words if word.page == page]
    level, boxes = _levelled(image, [move(word.box) for word in own])
    height, width = level.shape
    raw = [
        RawWord(text=word.text, x0=x0 * width, y0=y0 * height, x1=x1 * width, y1=y1 * height)
        for word, (x0, y0, x1, y1) in zip(own, boxes, strict=True)
    ]
    return level, in_reading_order(raw, width, height)


def _read(image: Any, zone: Sequence[float]) -> tuple[Sequence[Mark], Sequence[float]]:
    """The marks that the reader finds in the scan, and the zone on the page as it was read: flat and level."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "slip.png"
        cv2.imwrite(str(file), image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        (page,) = READER.read(file).pages
    corners = sheet_corners(sampled(image, SIDE))
    if corners is not None:
        flat = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
        over = cv2.getPerspectiveTransform(np.array(corners, np.float32), flat)
        (x0, y0), (x1, y1) = cv2.perspectiveTransform(np.array([[zone[:2], zone[2:]]], np.float32), over)[0].tolist()
        image, zone = unwarped(image, corners), (x0, y0, x1, y1)
    _, (moved,) = _levelled(image, [zone])
    return page.marks, moved


def _signature(marks: Sequence[Mark], zone: Sequence[float]) -> str:
    """The state of the mark in the receiver's zone; "no label" where the label was not read."""
    middle = (zone[0] + zone[2]) / 2, (zone[1] + zone[3]) / 2
    here = [
        mark
        for mark in marks
        if mark.kind is MarkKind.SIGNATURE
        and mark.box.x0 <= middle[0] <= mark.box.x1
        and abs((mark.box.y0 + mark.box.y1) / 2 - middle[1]) < 0.05
    ]
    rank = {"present": 2, "unclear": 1, "absent": 0}
    return max((mark.state.value for mark in here), key=lambda state: rank[state], default="no label")


@dataclass(frozen=True)
class _Slip:
    """A scanned page that asks for a signature, and the place (0..1 of the scan) that it is asked for in."""

    kind: InPlace
    spec: PodSpec
    style: Style
    printed: Printed
    page: int
    image: Any
    move: Move
    zone: tuple[float, ...]


def slips(count: int) -> int:
    """How many `measure_marks` looks at."""
    return 3 * count + count // 10


def measure_marks(count: int, seed: int, words: Words = "printed", tick: Tick = nothing) -> dict[str, Any]:
    """`count` signed slips, `count` unsigned ones, `count` with something else in the place, and a tenth with a name
    in legible handwriting. `right` is of those decided, `abstained` of all signed and unsigned ones (unclear, or the
    label was not read); `dirt_signed` must be 0. `hand`: boxes of handwriting elsewhere, found and rightly called so.
    """
    dice = random.Random(f"marks/{seed}")
    kinds = [dice.choice(SIGNED) for _ in range(count)] + ["none"] * count + [dice.choice(DIRT) for _ in range(count)]
    kinds += ["written"] * (count // 10)
    told: dict[str, Counter[str]] = {}
    stamps, hand, times = Counter[str](), Counter[str](), list[float]()

    def looked(slip: _Slip) -> tuple[_Slip, Sequence[Mark], str, float]:
        if words == "reader":
            (marks, moved), took = _seconds(partial(_read, slip.image, slip.zone))
        else:
            level, read = _words(slip.printed, slip.page, slip.move, slip.image)
            marks, took = _seconds(partial(find_marks, level, read))
            _, (moved,) = _levelled(slip.image, [slip.zone])
        return slip, marks, _signature(marks, moved), took

    with TemporaryDirectory() as folder, Printer() as printer, one_thread():
        made = (_scanned_slip(printer, Path(folder), dice, number, kind) for number, kind in enumerate(kinds, seed))
        for slip, marks, state, took in together(looked, made):
            times.append(took)
            told.setdefault(slip.kind, Counter())[state] += 1
            _count_stamps(stamps, marks, slip.spec, slip.style)
            _count_hand(hand, marks, slip.printed, slip.page, slip.move, slip.image)
            tick()
    return {**_verdict(told), "stamps": dict(stamps), "hand": dict(hand), **_spread(times)}


def _scanned_slip(printer: Printer, folder: Path, dice: random.Random, number: int, kind: InPlace) -> _Slip:
    spec, style = _slip(number, kind)
    printed = printer.print(spec, style, folder / "slip.pdf", number)
    zone = printed.truth["boxes"]["zone.signature"][0]
    image, move = _scanned(printed.path, zone["page"] - 1, random_scan(dice), number)
    return _Slip(kind, spec, style, printed, zone["page"], _grey(image), move, tuple(move(zone["box"])))


def _verdict(told: dict[str, Counter[str]]) -> dict[str, Any]:
    signed = sum((told.get(kind, Counter()) for kind in SIGNED), Counter[str]())
    unsigned = told.get("none", Counter())
    decided = sum(states[state] for states in (signed, unsigned) for state in ("present", "absent"))
    right = signed["present"] + unsigned["absent"]
    every = signed.total() + unsigned.total()
    return {
        "slips": sum(states.total() for states in told.values()),
        "right": round(right / max(1, decided), 4),
        "abstained": round(1 - decided / max(1, every), 4),
        "dirt": sum(told.get(kind, Counter()).total() for kind in DIRT),
        "dirt_signed": sum(told.get(kind, Counter())["present"] for kind in DIRT),
        "states": {kind: dict(states) for kind, states in sorted(told.items())},
    }


def _count_stamps(stamps: Counter[str], marks: Sequence[Mark], spec: PodSpec, style: Style) -> None:
    if style.layout == "handheld":  # it asks for none
        return
    states = [mark.state.value for mark in marks if mark.kind is MarkKind.STAMP]
    stamps[f"{'stamped' if spec.stamp else 'bare'}: {states[0] if states else 'no label'}"] += 1


def _count_hand(
    hand: Counter[str], marks: Sequence[Mark], printed: Printed, page: int, move: Move, image: Any
) -> None:  # fmt: skip
    """What the receiver wrote outside the zones of signature and stamp, and what was called handwriting."""
    typed = {word.field for word in printed.words}
    boxes = [
        place["box"]
        for name, places in printed.truth["boxes"].items()
        for place in places
        if place["page"] == page
        and not name.startswith(("zone.", "signature", "stamp"))
        and re.sub(r"^lines\.\d+", "line", name) not in typed
    ]
    _, moved = _levelled(image, [move(box) for box in boxes])
    found = [mark.box for mark in marks if mark.kind is MarkKind.HANDWRITING]
    for x0, y0, x1, y1 in moved:
        near = any(b.x0 < x1 and b.x1 > x0 and b.y0 < y1 and b.y1 > y0 for b in found)
        hand["written, found" if near else "written, missed"] += 1
    for b in found:
        near = any(b.x0 < x1 and b.x1 > x0 and b.y0 < y1 and b.y1 > y0 for x0, y0, x1, y1 in moved)
        hand["called so, right" if near else "called so, wrong or elsewhere"] += 1


def main(
    count: Annotated[int, typer.Option(help="Pages of each kind.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the first page.")] = 5000,
    words: Annotated[str, typer.Option(help="For the marks: printed or reader.")] = "reader",
    only: Annotated[str, typer.Option(help="One of marks, mending.")] = "",
) -> None:
    """Print a table; the last line is JSON."""
    told: dict[str, dict[str, Any]] = {}
    if only in ("", "mending"):
        told["mending"] = measure_mending(max(1, count // 6), seed)
    if only in ("", "marks"):
        told["marks"] = measure_marks(count, seed, "printed" if words == "printed" else "reader")
    show(told, f"Own papers, {count} of each kind, seed {seed}")


if __name__ == "__main__":
    typer.run(main)

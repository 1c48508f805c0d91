"""What a receiver's pen adds to a paper: numbers, words, ticks, strike-outs, signatures, stamps and smudges, as SVG.

Everything is drawn from strokes by seed; no handwriting font is needed. An ink knows its size in CSS pixels; its box on
the page is the box of what was drawn.
"""

import math
import random
import unicodedata
from dataclasses import dataclass

from markupsafe import Markup, escape

from models.synthetic.glyphs import BELOW, MARKS, SPACE, STROKES

Point = tuple[float, float]
Stroke = list[tuple[Point, bool]]
PENS = ("#1b2a78", "#1d3aa0", "#16204f", "#1a1a1a", "#222b3a")
STAMP_INKS = ("#1f3d99", "#a3242b", "#246b3a", "#4b2e83", "#1c1c1c")


def parse(strokes: str) -> list[Stroke]:
    """The strokes of a glyph as points with whether each is a sharp corner."""
    parsed = []
    for stroke in strokes.split(";"):
        points: Stroke = []
        for token in stroke.split():
            x, y = token.rstrip("!").split(",")
            points.append(((float(x), float(y)), token.endswith("!")))
        parsed.append(points)
    return parsed


def smooth(points: Stroke) -> str:
    """An SVG path through the points: Catmull-Rom splines between corners."""
    runs: list[list[Point]] = [[points[0][0]]]
    for point, sharp in points[1:]:
        runs[-1].append(point)
        if sharp:
            runs.append([point])
    path = f"M{points[0][0][0]:.2f} {points[0][0][1]:.2f}"
    for run in runs:
        padded = [run[0], *run, run[-1]]
        for before, start, end, after in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
            first = (start[0] + (end[0] - before[0]) / 6, start[1] + (end[1] - before[1]) / 6)
            second = (end[0] - (after[0] - start[0]) / 6, end[1] - (after[1] - start[1]) / 6)
            numbers = " ".join(f"{value:.2f}" for value in (*first, *second, *end))
            path += f"C{numbers}"
    return path


@dataclass(frozen=True)
class Ink:
    """Strokes in pixels, moved so that the upper left corner of the ink is the origin."""

    strokes: list[Stroke]
    width: float
    height: float
    pen: str
    pen_width: float

    def svg(self, field: str = "", text: str = "", line: int | None = None, style: str = "") -> Markup:
        """The ink as an SVG element that carries its truth."""
        data = Markup(' data-field="{}" data-text="{}"').format(field, text) if field else Markup("")
        data += Markup(' data-line="{}"').format(line) if line is not None else Markup("")
        paths = Markup("").join(Markup('<path d="{}"/>').format(smooth(stroke)) for stroke in self.strokes)
        return Markup(
            '<svg class="ink" width="{w:.1f}" height="{h:.1f}" viewBox="0 0 {w:.1f} {h:.1f}" style="{s}" '
            'fill="none"{d} stroke="{pen}" stroke-width="{pw:.2f}" stroke-linecap="round" '
            'stroke-linejoin="round">{p}</svg>'
        ).format(w=self.width, h=self.height, s=style, d=data, pen=self.pen, pw=self.pen_width, p=paths)


class Hand:
    """One person's hand: slant, size, pen and unsteadiness stay, every letter differs a little."""

    def __init__(self, seed: int | str) -> None:
        self._rng = random.Random(f"hand/{seed}")
        self.pen = self._rng.choice(PENS)
        self.slant = self._rng.uniform(-0.05, 0.32)
        self.unsteady = self._rng.uniform(0.08, 0.2)
        self.spacing = self._rng.uniform(0.9, 1.5)
        self.pen_width = self._rng.uniform(1.0, 1.7)

    def _ink(self, strokes: list[Stroke], scale: float) -> Ink:
        moved = [[((x + (8 - y) * self.slant, y), sharp) for (x, y), sharp in stroke] for stroke in strokes]
        every = [point for stroke in moved for point, _ in stroke]
        margin = self.pen_width / scale
        left, top = min(x for x, _ in every) - margin, min(y for _, y in every) - margin
        right, bottom = max(x for x, _ in every) + margin, max(y for _, y in every) + margin
        placed = [[(((x - left) * scale, (y - top) * scale), sharp) for (x, y), sharp in stroke] for stroke in moved]
        return Ink(placed, (right - left) * scale, (bottom - top) * scale, self.pen, self.pen_width)

    def _jittered(self, stroke: Stroke, at: float, size: float, turn: float, lift: float) -> Stroke:
        rng, drawn = self._rng, []
        for (x, y), sharp in stroke:
            x, y = x * size, (y - 8) * size
            x, y = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
            shaken = rng.gauss(0, self.unsteady), rng.gauss(0, self.unsteady)
            drawn.append(((at + x + shaken[0], y + 8 + lift + shaken[1]), sharp))
        return drawn

    def write(self, text: str, height: float, max_width: float | None = None) -> Ink:
        """Words or numbers; `height` is that of a capital in pixels. Unknown characters leave a gap."""
        strokes, at, rng = [], 0.0, self._rng
        for character in text:
            glyph = strokes_of(character)
            if not glyph:
                at += SPACE
                continue
            size, turn = rng.uniform(0.93, 1.08), rng.gauss(0, 0.03)
            lift = rng.gauss(0, 0.12)
            strokes += [self._jittered(stroke, at, size, turn, lift) for stroke in glyph]
            at += max(x for stroke in glyph for (x, _), _ in stroke) * size + self.spacing + rng.uniform(-0.15, 0.25)
        ink = self._ink(strokes or [[((0, 8), False), ((1, 8), False)]], height / 8)
        if max_width is not None and ink.width > max_width:
            return self._shrunk(ink, max_width / ink.width)
        return ink

    @staticmethod
    def _shrunk(ink: Ink, share: float) -> Ink:
        strokes = [[((x * share, y * share), sharp) for (x, y), sharp in stroke] for stroke in ink.strokes]
        return Ink(strokes, ink.width * share, ink.height * share, ink.pen, max(0.8, ink.pen_width * share))

    def tick(self, height: float) -> Ink:
        """A tick."""
        return self._ink([self._jittered(parse("0,5 1.6,8! 5.4,0.4")[0], 0, 1, 0, 0)], height / 8)

    def strike(self, width: float) -> Ink:
        """One or two quick lines through something `width` pixels wide."""
        strokes: list[Stroke] = []
        for _ in range(self._rng.choice((1, 1, 2))):
            drop = self._rng.uniform(-0.18, 0.06)
            top = self._rng.uniform(0, 0.15) * width
            line: Stroke = [((0, top), False), ((width / 2, top + drop * width / 2), False)]
            strokes.append([*line, ((width * self._rng.uniform(0.95, 1.1), top + drop * width), False)])
        return self._ink(strokes, 1)

    def signature(self, name: str, width: float) -> Ink:
        """A scribble that starts like the name: an initial, running loops, a flourish."""
        rng = self._rng
        words = name.split() or ["X"]
        strokes = [self._jittered(stroke, 0, 1.5, -0.1, 0) for stroke in strokes_of(words[-1][0].upper())]
        at, curve = 5.5, []
        for _ in range(rng.randint(5, 9)):
            tall = rng.random() < 0.25
            height, step = (rng.uniform(6, 9) if tall else rng.uniform(1.5, 3.2)), rng.uniform(1.3, 2.4)
            deep = 3.5 if rng.random() < 0.15 else 0
            curve += [
                ((at, 8 + deep), False),
                ((at + step * 0.9, 8 - height), False),
                ((at + step * 0.5, 8 - height * 0.9), False),
            ]
            at += step
        curve += [((at + 1, 7.8), False), ((at + 5, 7 + rng.uniform(-1, 0.6)), False)]
        strokes.append(curve)
        if rng.random() < 0.55:
            back = rng.uniform(9.4, 11)
            strokes.append(
                [((at + 4, back - 1.2), False), ((at / 2, back), False), ((1, back + rng.uniform(-0.5, 0.9)), False)]
            )
        ink = self._ink(strokes, 4)
        return self._shrunk(ink, width / ink.width) if ink.width > width else ink

    def paraph(self, name: str, width: float) -> Ink:
        """Initials joined by one quick stroke that comes back below them: how busy people sign."""
        rng, strokes, at = self._rng, [], 0.0
        for word in (name.split() or ["X"])[:2]:
            strokes += [self._jittered(stroke, at, 1.4, rng.gauss(-0.05, 0.05), 0) for stroke in strokes_of(word[0])]
            at += rng.uniform(3.5, 5.5)
        reach, low = at + rng.uniform(4, 14), 8 + rng.uniform(0.5, 3.5)
        tail = [(at, 6.5), (at + 2, 8), (reach, 6 + rng.uniform(-2, 1)), (at, low), (rng.uniform(-2, 1), low + 0.8)]
        strokes.append([(point, False) for point in tail[: rng.choice((3, 5, 5))]])
        ink = self._ink(strokes, 4)
        return self._shrunk(ink, width / ink.width) if ink.width > width else ink

    def initials(self, name: str, height: float) -> Ink:
        """The first letters of a name, written fast."""
        return self.write("".join(word[0] for word in name.split()), height)


def strokes_of(character: str) -> list[Stroke]:
    """The strokes of a character, accents put on top; none for a blank or an unknown one."""
    base, *marks = list(unicodedata.normalize("NFD", character))
    glyph = parse(STROKES[base]) if base in STROKES else []
    if not glyph:
        return []
    xs = [x for stroke in glyph for (x, _), _ in stroke]
    middle, top = (min(xs) + max(xs)) / 2, (-1.2 if base.isupper() else 2.3)
    for mark in marks:
        drawn = parse(BELOW.get(mark) or MARKS.get(mark, "0,0 0.1,0.1"))
        lift = 0 if mark in BELOW else top
        glyph += [[((x + middle, y + lift), sharp) for (x, y), sharp in stroke] for stroke in drawn]
    return glyph


def smudge(seed: int | str, width: float, height: float) -> Markup:
    """A blot: wiped ink and specks, but no line that a pen drew."""
    rng = random.Random(f"smudge/{seed}")
    tone = rng.choice(("#3a3f55", "#4a4a4a", "#2c3670", "#6b5a48"))
    shapes = []
    for _ in range(rng.randint(4, 8)):
        x, y = rng.uniform(0.25, 0.75) * width, rng.uniform(0.35, 0.65) * height
        rx, ry = rng.uniform(0.08, 0.22) * width, rng.uniform(0.1, 0.3) * height
        shapes.append(f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{rx:.1f}" ry="{ry:.1f}" fill="url(#blot)"/>')
    for _ in range(rng.randint(3, 9)):
        x, y, r = rng.uniform(0, 1) * width, rng.uniform(0, 1) * height, rng.uniform(0.3, 1.3)
        shapes.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="{tone}" opacity=".6"/>')
    stops = "".join(
        f'<stop offset="{offset}" stop-color="{tone}" stop-opacity="{opacity}"/>'
        for offset, opacity in ((0, 0.5), (1, 0))
    )
    return Markup(  # noqa: S704 - numbers and our own colours only
        f'<svg class="ink" data-field="signature" data-text="unclear" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}"><defs><radialGradient id="blot">{stops}</radialGradient></defs>'
        f"{''.join(shapes)}</svg>"
    )


def blot(seed: int | str, width: float, height: float) -> Markup:
    """Ink that ran: a dark drop with an uneven rim, its splashes, sometimes dragged along by a finger."""
    rng = random.Random(f"blot/{seed}")
    tone, x, y = rng.choice(PENS), rng.uniform(0.2, 0.6) * width, rng.uniform(0.4, 0.6) * height
    reach = rng.uniform(0.15, 0.4) * height
    rim = [(reach * rng.uniform(0.7, 1.25), turn * math.pi / 5) for turn in range(10)]
    points = [((x + far * 1.4 * math.cos(turn), y + far * math.sin(turn)), False) for far, turn in rim]
    shapes = [f'<path d="{smooth([*points, points[0]])}" fill="{tone}"/>']
    for _ in range(rng.randint(2, 9)):
        far, turn = rng.uniform(1, 4) * reach, rng.uniform(0, 2 * math.pi)
        size = rng.uniform(0.4, 2.2)
        shapes.append(
            f'<circle cx="{x + far * math.cos(turn):.1f}" cy="{y + far * math.sin(turn):.1f}" r="{size:.1f}" '
            f'fill="{tone}"/>'
        )
    for _ in range(rng.choice((0, 3, 6))):
        lane, long = y + rng.uniform(-0.8, 0.8) * reach, rng.uniform(15, 0.5 * width)
        shapes.append(
            f'<path d="M{x:.1f} {lane:.1f}l{long:.1f} {rng.uniform(-4, 4):.1f}" stroke="{tone}" '
            f'stroke-width="{rng.uniform(0.6, 2.5):.1f}" opacity="{rng.uniform(0.25, 0.7):.2f}"/>'
        )
    return _dirt(shapes, width, height, "unclear")


def crease(seed: int | str, width: float, height: float) -> Markup:
    """A fold of the sheet that runs through the place: a shade beside a broken dark line."""
    rng = random.Random(f"crease/{seed}")
    y, fall = rng.uniform(0.3, 0.8) * height, rng.uniform(-6, 6)
    shapes = [
        f'<path d="M0 {y + 1.5:.1f}l{width:.0f} {fall:.1f}" stroke="#888" stroke-width="3" opacity=".35"/>',
        f'<path d="M0 {y:.1f}l{width:.0f} {fall:.1f}" stroke="#555" stroke-width="{rng.uniform(0.5, 1.1):.1f}" '
        f'stroke-dasharray="{rng.uniform(4, 30):.0f} {rng.uniform(1, 6):.0f} 9 2" '
        f'opacity="{rng.uniform(0.4, 0.9):.2f}"/>',
    ]
    return _dirt(shapes, width, height, "absent")


def _dirt(shapes: list[str], width: float, height: float, state: str) -> Markup:
    return Markup(  # noqa: S704 - numbers and our own colours only
        f'<svg class="ink" data-field="signature" data-text="{state}" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" fill="none">{"".join(shapes)}</svg>'
    )


def stamp(text: str, seed: int | str) -> Markup:
    """A rubber stamp, round or boxed, turned and unevenly inked. Rows of the text are separated by line feeds."""
    rng = random.Random(f"stamp/{seed}")
    rows, ink, turn = text.split("\n"), rng.choice(STAMP_INKS), rng.uniform(-14, 14)
    is_round = len(rows) >= 2 and rng.random() < 0.45
    inner = _round_stamp(rows, ink) if is_round else _box_stamp(rows, ink, double=rng.random() < 0.5)
    width, height = (118, 118) if is_round else (12 + max(map(len, rows)) * 7.4, 14 + len(rows) * 13)
    bald = "".join(
        f'<circle cx="{rng.uniform(0, width):.0f}" cy="{rng.uniform(0, height):.0f}" r="{rng.uniform(0.5, 5):.1f}" '
        f'fill="#fff" opacity="{rng.uniform(0.25, 0.7):.2f}"/>'
        for _ in range(int(width * height / 260))
    )
    return Markup(  # noqa: S704 - the text is escaped
        f'<svg class="stamp" data-field="stamp" data-text="{escape(text.replace(chr(10), " "))}" width="{width:.0f}" '
        f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" style="transform:rotate({turn:.1f}deg);'
        f'opacity:{rng.uniform(0.6, 0.85):.2f}">{inner}{bald}</svg>'
    )


def _box_stamp(rows: list[str], ink: str, double: bool) -> str:
    width, height = 12 + max(map(len, rows)) * 7.4, 14 + len(rows) * 13
    frame = "".join(
        f'<rect x="{inset}" y="{inset}" width="{width - 2 * inset:.0f}" height="{height - 2 * inset:.0f}" rx="2" '
        f'fill="none" stroke="{ink}" stroke-width="{weight}"/>'
        for inset, weight in ((2, 2), (5, 1))[: 2 if double else 1]
    )
    lines = (
        f'<text x="{width / 2:.0f}" y="{18 + number * 13}" text-anchor="middle" '
        f'font-size="{11 if number == 0 else 9.5}" font-weight="bold" fill="{ink}">{escape(row)}</text>'
        for number, row in enumerate(rows)
    )
    return frame + "".join(lines)


def _round_stamp(rows: list[str], ink: str) -> str:
    size = min(12.0, 250 / max(1, len(rows[0])))
    rings = "".join(
        f'<circle cx="59" cy="59" r="{radius}" fill="none" stroke="{ink}" stroke-width="{width}"/>'
        for radius, width in ((56, 2.4), (38, 1.2))
    )
    arc = '<path id="arc" d="M15 59 A44 44 0 0 1 103 59" fill="none"/>'
    top = (
        f'<text font-size="{size:.1f}" font-family="Liberation Sans" font-weight="bold" fill="{ink}">'
        f'<textPath href="#arc" startOffset="50%" text-anchor="middle">{escape(rows[0])}</textPath></text>'
    )
    middle = "".join(
        f'<text x="59" y="{56 + number * 13}" font-size="10" text-anchor="middle" font-family="Liberation Sans" '
        f'font-weight="bold" fill="{ink}">{escape(row)}</text>'
        for number, row in enumerate(rows[1:3])
    )
    return arc + rings + top + middle

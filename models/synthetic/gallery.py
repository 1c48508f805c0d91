"""A contact sheet of printed papers: one HTML file with pictures, opened from the folder it lies in."""

import io
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path

import pypdfium2
from PIL import Image

from models.synthetic.printer import Printed

THUMB = (300, 424)


def thumbnail(path: Path) -> bytes:
    """The first page as a small JPEG."""
    if path.suffix.lower() == ".pdf":
        with pypdfium2.PdfDocument(path) as document:
            page = document[0]
            picture = page.render(scale=THUMB[0] / page.get_width()).to_pil()
    else:
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
    picture.thumbnail(THUMB)
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def write_gallery(papers: Sequence[Printed], out: Path) -> None:
    """Writes `out`: a picture of each paper's first page that links to its file."""
    figures = []
    for paper in papers:
        name, truth = escape(paper.path.name), paper.truth
        picture = b64encode(thumbnail(paper.path)).decode()
        caption = escape(f"{truth['type']} · {truth['layout']} · {truth['language']} · {truth['paper']}")
        figures.append(
            f'<figure><a href="{name}"><img src="data:image/jpeg;base64,{picture}" alt="{name}"></a>'
            f"<figcaption>{name}<br>{caption}</figcaption></figure>"
        )
    style = (
        "body{font:14px sans-serif;background:#ddd;display:flex;flex-wrap:wrap;gap:16px}figure{margin:0}"
        "img{width:300px;box-shadow:0 1px 6px #888}"
    )
    out.write_text(
        f'<!doctype html><meta charset="utf-8"><title>Printed papers</title><style>{style}</style>{"".join(figures)}',
        encoding="utf-8",
    )

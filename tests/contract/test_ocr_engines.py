"""Every OCR engine, found by scan, keeps the contract: the letters of all languages, and places on the page."""

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tallyman.contracts.ocr_engine import OcrEngine
from tallyman.registry import Registry

ENGINES = {
    name: engine
    for name, engine in Registry().ocr_engines.items()
    if engine.cost is not None and engine.available() is None
}
LINES = {
    "eng": "Invoice total £12.50 due by 3rd July",
    "deu": "Rechnung über Gebühren für Äpfel, Öl und Grüße",
    "fra": "Société générale, échéance à régler: reçu n° 7 où ça",
    "spa": "Señor Muñoz, dirección y número de artículo: él también",
    "ita": "Quantità e unità: perché la città è così",
    "nld": "Factuur geïnd bij coöperatie, met één bijlage",
    "pol": "Zażółć gęślą jaźń, łączna należność w złotych, ćma",
}


def printed(*lines: str) -> Any:
    """Grey, dark on white: as a clean scan of 300 dpi shows print of 10 points."""
    image = Image.new("L", (1700, 140 * len(lines) + 140), 255)
    font = ImageFont.truetype("DejaVuSans.ttf", 42)
    for row, line in enumerate(lines):
        ImageDraw.Draw(image).text((60, 60 + 140 * row), line, fill=0, font=font)
    return np.asarray(image)


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> OcrEngine:
    return ENGINES[request.param]


def test_there_is_an_engine() -> None:
    assert ENGINES


@pytest.mark.parametrize("language", sorted(LINES))
def test_it_reads_every_letter_of_a_language(engine: OcrEngine, language: str) -> None:
    if language in engine.lacking:
        pytest.skip(f"{engine.name} has no model for {language} here")
    line = LINES[language]
    words = engine.words(printed(line, line), (language,))
    assert " ".join(word.text for word in words) == f"{line} {line}"
    ((text, confidence),) = engine.spell([printed(line)[50:125]], (language,))
    assert text == line
    assert 0.5 < confidence <= 1


def test_its_words_stand_where_they_are_printed_and_in_order(engine: OcrEngine) -> None:
    first, second = engine.words(printed("Alpha", "Omega"), ("eng",))
    assert (first.text, second.text) == ("Alpha", "Omega")
    assert first.line < second.line
    assert first.box.x0 == pytest.approx(60 / 1700, abs=0.01)
    assert (first.box.y0 + first.box.y1) / 2 == pytest.approx(85 / 420, abs=0.04)
    assert second.box.y0 > first.box.y1


def test_an_empty_page_has_no_words_and_an_empty_piece_no_text(engine: OcrEngine) -> None:
    empty = np.full((400, 600), 255, np.uint8)
    assert engine.words(empty, ("eng",)) == ()
    assert engine.spell([empty[:60]], ("eng",)) == [("", 0.0)]

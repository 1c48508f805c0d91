"""An OCR engine: a folder `ocr/engines/<name>.py` with `ENGINE`."""

from collections.abc import Sequence
from typing import Any, Protocol

from tallyman.domain.page import Word


class OcrEngine(Protocol):
    told_languages: bool
    """Whether it reads a language well only when that is named."""
    robust: bool
    """Whether it reads noisy and photographed pages as well as clean scans."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str:
        """Part of the cache key: another version may read other words."""

    @property
    def cost(self) -> float | None:
        """Roughly the seconds of one core that a page takes on this machine; None: never chosen by itself."""

    @property
    def lacking(self) -> tuple[str, ...]:
        """Languages (ISO 639-2) that it could read well, and does not here, since their models are not installed."""

    def available(self) -> str | None:
        """None when it can work here, else what is missing and the command that mends it."""

    def words(self, image: Any, languages: tuple[str, ...]) -> tuple[Word, ...]:
        """Words of an upright page.

        image: uint8 array of shape (height, width), 0 black .. 255 white. languages: ISO 639-2 such as ("eng", "deu").
        Boxes are relative to the image; confidences 0..1. Raises Unreadable.
        """

    def spell(self, crops: Sequence[Any], languages: tuple[str, ...]) -> list[tuple[str, float]]:
        """Text and confidence of pictures that hold one line each, often one word; "" where nothing is read."""

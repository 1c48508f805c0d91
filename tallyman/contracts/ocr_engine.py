"""An OCR engine: a folder `ocr/engines/<name>.py` with `ENGINE`."""

from typing import Any, Protocol

from tallyman.domain.page import Word


class OcrEngine(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str:
        """Part of the cache key: another version may read other words."""

    def available(self) -> str | None:
        """None when it can work here, else what is missing and the command that mends it."""

    def words(self, image: Any, languages: tuple[str, ...]) -> tuple[Word, ...]:
        """Words of an upright page.

        image: uint8 array of shape (height, width), 0 black .. 255 white. languages: ISO 639-2 such as ("eng", "deu").
        Boxes are relative to the image; confidences 0..1. Raises Unreadable.
        """

"""The engine that reads nothing: for tests, and for machines without OCR."""

from typing import Any

from tallyman.domain.page import Word


class NullEngine:
    name = "null"
    version = "1"

    def available(self) -> str | None:
        return None

    def words(self, image: Any, languages: tuple[str, ...]) -> tuple[Word, ...]:  # noqa: ARG002 - the contract's shape
        return ()


ENGINE = NullEngine()

"""The engine that reads nothing: for tests, and for machines without OCR."""

from collections.abc import Sequence
from typing import Any

from tallyman.domain.page import Word


class NullEngine:
    name = "null"
    version = "1"
    cost = None
    told_languages = False
    robust = False
    lacking = ()

    def available(self) -> str | None:
        return None

    def words(self, image: Any, languages: tuple[str, ...]) -> tuple[Word, ...]:  # noqa: ARG002 - the contract's shape
        return ()

    def spell(self, crops: Sequence[Any], languages: tuple[str, ...]) -> list[tuple[str, float]]:  # noqa: ARG002
        return [("", 0.0) for _ in crops]


ENGINE = NullEngine()

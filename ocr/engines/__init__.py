"""OCR engines, one file each; the registry finds them by scan."""

import importlib
from functools import cache

from tallyman.contracts.ocr_engine import OcrEngine
from tallyman.registry import Registry


def named(name: str) -> OcrEngine:
    """The engine of a module such as "ocr.engines.tesseract"."""
    engine: OcrEngine = importlib.import_module(name).ENGINE
    return engine


@cache
def all_engines() -> list[OcrEngine]:
    """Every engine that is installed, by name."""
    return [engine for _, engine in sorted(Registry().ocr_engines.items())]


def versions(name: str | None) -> str:
    """What reads, for a cache's key: one engine, or all that may be chosen; what each lacks, and which can't work."""
    return ", ".join(map(_version, [named(name)] if name else all_engines()))


def _version(engine: OcrEngine) -> str:
    if engine.available() is not None:
        return f"no {engine.name}"
    return " ".join((engine.name, engine.version, *(f"-{one}" for one in engine.lacking)))

"""Finds extensions: a scan of the folders beside `tallyman/`, and entry points for packages from elsewhere.

| kind | where | what it is called there | entry point group |
|---|---|---|---|
| bot | bots/<name>/bot.py | BOT | tallyman.bots |
| system | systems/<name>/ | SYSTEM | tallyman.systems |
| page reader | ocr/reader.py | READER | - |
| OCR engine | ocr/engines/<name>.py | ENGINE | tallyman.ocr_engines |
| document reader | models/readers/<name>.py or <name>/ | READER | tallyman.document_readers |
| cross-check | models/cross_checks/<name>.py or <name>/ | CROSS_CHECK | tallyman.cross_checks |
| document type | models/documents/<name>/ | DOCUMENT_TYPE | tallyman.document_types |
| trainer of a model | models/trainers/<name>.py | TRAINER | tallyman.trainers |

A broken extension is named by ExtensionBroken, never skipped. Adding one edits nothing.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar

from tallyman.contracts.bot import Bot
from tallyman.contracts.cross_check import CrossCheck
from tallyman.contracts.document_reader import DocumentReader
from tallyman.contracts.document_type import DocumentType
from tallyman.contracts.ocr_engine import OcrEngine
from tallyman.contracts.page_reader import PageReader
from tallyman.contracts.system import System
from tallyman.contracts.trainer import Trainer
from tallyman.errors import ConfigurationError, ExtensionBroken

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
"""The folder that holds bots/, systems/, selectors/ and the rest."""


class Registry:
    """All extensions of this installation, loaded on first use of each kind."""

    @cached_property
    def bots(self) -> dict[str, Bot]:
        return _named(_scan("bots", "BOT", module="bot"), "tallyman.bots")

    @cached_property
    def systems(self) -> dict[str, System]:
        return _named(_scan("systems", "SYSTEM"), "tallyman.systems")

    @cached_property
    def ocr_engines(self) -> dict[str, OcrEngine]:
        return _named(_scan("ocr.engines", "ENGINE"), "tallyman.ocr_engines")

    @cached_property
    def document_types(self) -> dict[str, DocumentType]:
        return _named(_scan("models.documents", "DOCUMENT_TYPE"), "tallyman.document_types")

    @cached_property
    def document_readers(self) -> list[DocumentReader]:
        """In the order in which they are asked: exact ones first."""
        found: dict[str, DocumentReader] = _named(_scan("models.readers", "READER"), "tallyman.document_readers")
        return sorted(found.values(), key=lambda reader: (reader.order, reader.name))

    @cached_property
    def cross_checks(self) -> list[CrossCheck]:
        """In the order in which they are asked."""
        found: dict[str, CrossCheck] = _named(_scan("models.cross_checks", "CROSS_CHECK"), "tallyman.cross_checks")
        return sorted(found.values(), key=lambda check: (check.order, check.name))

    @cached_property
    def trainers(self) -> dict[str, Trainer]:
        return _named(_scan("models.trainers", "TRAINER"), "tallyman.trainers")

    @cached_property
    def page_reader(self) -> PageReader:
        reader: PageReader = _member("ocr.reader", "READER")
        return reader

    def bot(self, name: str) -> Bot:
        return _pick(self.bots, "bot", name)

    def trainer(self, name: str) -> Trainer:
        return _pick(self.trainers, "model", name)

    def system(self, name: str) -> System:
        return _pick(self.systems, "system", name)


def _scan(package: str, attribute: str, *, module: str = "") -> Iterator[tuple[str, Any]]:
    """(name, object) for each member of a package. A member without the attribute is a helper if its name says so.

    Modules whose name starts with `common` or an underscore are shared code of brothers, not extensions.
    """
    folder = importlib.import_module(package)
    for info in pkgutil.iter_modules(folder.__path__):
        if info.name.startswith(("_", "common")):
            continue
        if module and not info.ispkg:
            continue
        path = f"{package}.{info.name}.{module}" if module else f"{package}.{info.name}"
        yield info.name, _member(path, attribute)


def _member(path: str, attribute: str) -> Any:
    try:
        return getattr(importlib.import_module(path), attribute)
    except Exception as error:  # an extension may fail in any way; each is named with its cause
        raise ExtensionBroken(f"{path}: {attribute} can't be loaded: {type(error).__name__}: {error}") from error


def _named(scanned: Iterator[tuple[str, Any]], group: str) -> dict[str, Any]:
    found = dict(scanned)
    for point in entry_points(group=group):
        if point.name in found:
            raise ExtensionBroken(f"{point.name} of {group} is there twice: as a folder and as {point.value}.")
        try:
            found[point.name] = point.load()
        except Exception as error:  # as in _member
            raise ExtensionBroken(f"{point.value} of {group} can't be loaded: {error}") from error
    return found


def _pick(found: dict[str, T], kind: str, name: str) -> T:
    if name not in found:
        raise ConfigurationError(
            f"There is no {kind} {name!r}.", advice=f"Known: {', '.join(sorted(found)) or 'none'}."
        )
    return found[name]

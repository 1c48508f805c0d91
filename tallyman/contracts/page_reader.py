"""File to pages to words: `ocr/` offers one, named `READER`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from tallyman.domain.page import Drawn, Page, Part, Reading, Word
from tallyman.domain.stack import Documents

Progress = Callable[[int, int], None]
"""Told after each page that needed OCR: pages that are done, pages in all."""


def nobody(_done: int, _pages: int) -> None:
    """Nobody watches."""


class PageReader(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str:
        """Changes when another reading of the same file may give something else; readings of one version are kept."""

    def parts(self, file: Path) -> tuple[Part, ...]:
        """What an e-mail or a ZIP file holds, in its order; () for a file that is none of these. Raises as `read`."""

    def read(self, file: Path, *, password: str | None = None, progress: Progress = nobody) -> Reading:
        """Pages and words of a stranger's file, read in a child process with limits.

        A container with one document in it is read as that document. A page that can't be read has a `problem` and no
        words. Raises Unreadable, PasswordNeeded or Quarantined (business), TechnicalError when the machine lacks
        something.
        """

    def as_drawn(
        self, file: Path, pages: Sequence[tuple[Page, Sequence[Word]]], *, password: str | None = None
    ) -> list[Drawn]:
        """What the pictures of pages say, each page with those words of its text layer that are asked about.

        Raises as `read` does.
        """

    def render(
        self, file: Path, page: int, width: int, *, rotation: int = 0, skew: float = 0.0, password: str | None = None
    ) -> bytes:
        """A PNG of one page (from 1), `width` pixels wide, for people to look at. Raises as `read` does.

        With `rotation` and `skew` of the Page it is turned as it was read: boxes hold on that picture.
        """

    def cut(self, file: Path, documents: Documents, *, password: str | None = None) -> tuple[bytes, ...]:
        """A file for each document in a file: its pages (from 1) as they are, nothing else that lies in the file.

        The same each time. What a password protects comes out without one. Raises as `read` does.
        """

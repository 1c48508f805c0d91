"""File to pages to words: `ocr/` offers one, named `READER`."""

from pathlib import Path
from typing import Protocol

from tallyman.domain.page import Reading


class PageReader(Protocol):
    @property
    def name(self) -> str: ...

    def read(self, file: Path) -> Reading:
        """Pages and words of a stranger's file, read in a child process with limits.

        Raises Unreadable, PasswordNeeded or Quarantined (business), TechnicalError when the machine lacks something.
        """

    def render(self, file: Path, page: int, width: int, *, rotation: int = 0, skew: float = 0.0) -> bytes:
        """A PNG of one page (from 1), `width` pixels wide, for people to look at. Raises as `read` does.

        With `rotation` and `skew` of the Page it is turned as it was read: boxes hold on that picture.
        """

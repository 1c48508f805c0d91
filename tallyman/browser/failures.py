"""Playwright's errors as ours."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tallyman.errors import BrowserDied, SystemDown

_BETWEEN = ("context was destroyed", "navigat", "detached", "Cannot find context")


@contextmanager
def translated() -> Iterator[None]:
    """A dead browser, else a system that does not answer."""
    try:
        yield
    except PlaywrightTimeout as error:
        raise SystemDown("The system did not answer in time.") from error
    except PlaywrightError as error:
        if "closed" in error.message or "crash" in error.message.lower() or "disconnected" in error.message:
            raise BrowserDied() from error
        if "net::ERR" in error.message or "ERR_" in error.message:
            code = re.search(r"ERR_\w+", error.message)
            raise SystemDown(f"The system can't be reached ({code.group() if code else 'network error'}).") from error
        raise SystemDown("The screen went away while we worked on it.") from error


def between_documents(error: PlaywrightError) -> bool:
    """Whether the old document went away while it was asked; the new one will answer."""
    return not isinstance(error, PlaywrightTimeout) and any(word in error.message for word in _BETWEEN)

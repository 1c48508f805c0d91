"""The one place that asks for the time, so that tests can set it."""

from collections.abc import Callable
from datetime import UTC, datetime

_source: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731 - replaced whole by tests


def now() -> datetime:
    """The time now, aware, in UTC."""
    return _source()


def set_source(source: Callable[[], datetime] | None) -> None:
    """Let `now` come from elsewhere; None brings the machine's clock back. For tests."""
    global _source
    _source = source or (lambda: datetime.now(UTC))

"""Trying again, inside a durable step. What failed is told as a value: an exception's class is lost in a crash."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from tallyman.domain.base import Value
from tallyman.domain.reasons import Reason
from tallyman.errors import BusinessError, ConfigurationError, SessionLost, SystemPaused, TallymanError, TechnicalError
from tallyman.platform.log import get_logger

QUICK_WAITS_S = (0.5, 2.0)
"""Between tries within one step."""

_log = get_logger(__name__)


class Failure(Value):
    """Why a step gave up."""

    reason: Reason
    message: str
    advice: str
    technical: bool
    paused_s: float = 0.0
    """More than 0: a breaker was open, so nothing was touched at all; it is worth another try after this long."""


class GaveUp(TallymanError):
    """A step gave up; raised outside of it, so it never crosses the engine."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message, advice=failure.advice)
        self.failure = failure


def failure_of(error: TallymanError) -> Failure:
    fallback = Reason.LOGIN_FAILED if isinstance(error, ConfigurationError) else Reason.SYSTEM_DOWN
    return Failure(
        reason=error.reason or fallback,
        message=str(error),
        advice=error.advice,
        technical=isinstance(error, TechnicalError),
        paused_s=error.wait_s if isinstance(error, SystemPaused) else 0.0,
    )


def attempt(what: str, function: Callable[[], Any], waits_s: Sequence[float] = QUICK_WAITS_S) -> dict[str, Any]:
    """Call, and again after each technical error. {"ok": result} or {"failed": Failure as JSON}.

    A session that is lost twice is not opened a third time: a login loop could end with a locked account.
    """
    failed: TechnicalError | None = None
    lost = 0
    for number, wait in enumerate((*waits_s, None), start=1):
        try:
            return {"ok": function()}
        except TechnicalError as error:
            _log.warning("attempt failed", what=what, number=number, error=str(error))
            paused = isinstance(error, SystemPaused)
            lost += isinstance(error, SessionLost)
            failed = failed if paused and failed else error  # what went wrong says more than that it is left alone now
            if wait is None or paused or lost == 2:
                return {"failed": failure_of(failed).to_json()}
            time.sleep(wait)
        except (BusinessError, ConfigurationError) as error:
            return {"failed": failure_of(error).to_json()}
    raise AssertionError("unreachable")


def unwrap(told: dict[str, Any]) -> Any:
    """The result of `attempt`. Raises GaveUp."""
    if "failed" in told:
        raise GaveUp(Failure.from_json(told["failed"]))
    return told["ok"]

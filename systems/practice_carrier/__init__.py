"""The practice office's carrier portal; fixtures/office/README.md describes its screens."""

from systems.practice_carrier.system import PracticeCarrier

SYSTEM = PracticeCarrier()

__all__ = ["SYSTEM"]

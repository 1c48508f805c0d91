"""The practice office's supplier portal; fixtures/office/README.md describes its screens."""

from systems.practice_supplier.system import PracticeSupplier

SYSTEM = PracticeSupplier()

__all__ = ["SYSTEM"]

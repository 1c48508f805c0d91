"""The practice office's ERP, Meridian Merchant 4.1, through its screens; fixtures/office/README.md describes them."""

from systems.practice_erp.system import PracticeErp

SYSTEM = PracticeErp()

__all__ = ["SYSTEM"]

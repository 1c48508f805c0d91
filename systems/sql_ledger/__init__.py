"""SQL-Ledger 3.2, a real ERP, through its screens. What they do is measured in README.md here."""

from systems.sql_ledger.system import SqlLedger

SYSTEM = SqlLedger()

__all__ = ["SYSTEM"]

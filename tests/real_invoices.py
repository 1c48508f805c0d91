"""What the tests with real invoices share: where the files are, and a SQL-Ledger of their own."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.demo_sqlledger.practice import Practice

ROOT = Path(__file__).parents[1]


def data_folder() -> Path:
    """TALLYMAN_INVOICES, else ../shared/data/invoices beside the checkout. Skips the test where it is not there."""
    folder = Path(os.environ.get("TALLYMAN_INVOICES") or ROOT.parent / "shared" / "data" / "invoices")
    if not (folder / "truth.jsonl").is_file():
        pytest.skip(f"needs the real invoices, which are not part of the project: no truth.jsonl in {folder}")
    return folder


@contextmanager
def sql_ledger(folder: Path, web_port: int, database_port: int) -> Iterator[Practice]:
    """A SQL-Ledger for these tests alone, taken down and deleted at the end."""
    if os.geteuid() != 0 or not Path("/usr/share/sql-ledger/login.pl").exists():
        pytest.skip("needs root and the package sql-ledger: sudo fixtures/sqlledger/up.sh installs it")
    work = Path(tempfile.mkdtemp(prefix="tallyman erp "))
    work.chmod(0o755)
    practice = Practice(work=work, folder=folder, web_port=web_port, database_port=database_port)
    try:
        practice.up()
        yield practice
    finally:
        practice.down(purge=True)
        shutil.rmtree(work, ignore_errors=True)

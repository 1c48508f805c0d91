"""The practice office as a process of its own, as a real legacy system would be one, for tests that drive it.

Import the fixture into a test module: `from tests.office import office`. Each module that does gets an office and a
world of its own.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures.office import sample
from fixtures.office.audit import audit
from tallyman.browser.session import SessionThread
from tallyman.contracts.system import Permit
from tallyman.domain.compare import same
from tallyman.domain.posting import DeliveryPosting, InvoicePosting, shown_kind
from tallyman.errors import ReadBackDiffers
from tallyman.registry import ROOT, Registry

PASSWORD = "practice-secret"
QUICK = {"rows_streamed_s": 0.3, "ajax_delay_s": 0.1, "frames_late_ms": 100, "today": sample.TODAY}
"""Habits as they are, only less patient; the day is the one that the sample world lies around."""


@dataclass(frozen=True)
class RunningOffice:
    """The three URLs, and the test's back door to the switches."""

    home: Path
    urls: Mapping[str, str]
    traits: Mapping[str, Any]

    def change(self, system: str, **traits: Any) -> None:
        """Switch habits of "erp", "carrier" or "supplier"; `for_next=N` only for the next postings or requests."""
        httpx.post(f"{self.urls[system]}/_control/traits", json=traits).raise_for_status()

    def reset(self) -> None:
        """All switches as the office was started with."""
        for url in self.urls.values():
            httpx.put(f"{url}/_control/traits", json=dict(self.traits)).raise_for_status()

    def expire(self, system: str) -> None:
        """End all sessions, unlock all accounts."""
        httpx.post(f"{self.urls[system]}/_control/expire").raise_for_status()

    def audit(self, expected: Mapping[str, Any]) -> dict[str, Any]:
        """What was posted, lost, doubled or wrong, from the books themselves."""
        return dict(audit(self.home, expected))

    def session(self, system: str, **settings: str) -> SessionThread:
        """A session of one of our systems at this office; close it."""
        url = self.urls[system.removeprefix("practice_")]
        return SessionThread(
            Registry().system(system),
            ROOT / "selectors" / system,
            {"url": url, "user": "clerk", **settings},
            lambda _name: PASSWORD,
        )


def start(home: Path, world: Mapping[str, Any] | None = None, traits: Mapping[str, Any] | None = None) -> Any:
    """(process, RunningOffice) with a seeded world. The caller terminates the process."""
    home.mkdir(parents=True, exist_ok=True)
    switches = dict(traits or {})
    (home / "world.json").write_text(json.dumps(world if world is not None else sample.world(home)), "utf-8")
    (home / "traits.json").write_text(json.dumps(switches), "utf-8")
    command = [sys.executable, "-m", "fixtures.office", "--home", str(home / "books")]
    process = subprocess.Popen(
        [*command, "--world", str(home / "world.json"), "--traits", str(home / "traits.json")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the practice office did not start"
    return process, RunningOffice(home / "books", json.loads(line), switches)


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningOffice]:
    """The office with the sample world, quick; switches are put back by `office.reset()`."""
    process, running = start(tmp_path_factory.mktemp("practice office"), traits=QUICK)
    yield running
    process.terminate()
    assert process.wait(10) == 0
    process.stdout.close()


class CountedPermit:
    """A permit that counts how often it was spent."""

    def __init__(self) -> None:
        self.spent = 0
        self.shown: dict[str, str] = {}

    def spend(self) -> None:
        self.spent += 1

    def check(self) -> None:
        pass


def arming(posting: InvoicePosting | DeliveryPosting, permit: CountedPermit) -> Callable[[Mapping[str, str]], Permit]:
    """Stricter than the ledger's: every value must be shown, equal as a value."""

    def arm(shown: Mapping[str, str]) -> Permit:
        permit.shown = dict(shown)
        wrong = {
            name: (value, shown.get(name, ""))
            for name, value in posting.shown().items()
            if not same(shown_kind(name), value, shown.get(name, ""))
        }
        if wrong:
            raise ReadBackDiffers(wrong)
        return permit

    return arm

"""What strangers send (tests.hostile) ends with a reading or a reason, in bounded time and memory."""

import hashlib
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pypdfium2
import pytest

from benchmarks.hostile import LIMITS, Seconds, calls
from benchmarks.verdict import broken
from ocr.reader import READER
from tallyman.domain.page import WordSource
from tallyman.registry import ROOT
from tests import hostile

MARK = Path("/tmp/tallyman-was-here")
FIRM = {name: LIMITS[name] for name in ("crashes", "slowest_child_s", "peak_mib")}
"""What holds on a busy machine too; how long honest work takes does not."""
A_PAGE_S = 60 + 5
"""The clock that stops a page, and the time that it takes to kill a child."""


@pytest.mark.slow
def test_the_same_seed_makes_the_same_files_and_more_than_three_hundred() -> None:
    once, again = (
        [(one.kind, one.name, hashlib.sha256(one.content).hexdigest()) for one in hostile.files(7)] for _ in range(2)
    )
    assert once == again
    assert len(once) >= 300
    assert len({kind for kind, _, _ in once}) == 16


@pytest.mark.slow
def test_files_of_many_pages_are_among_them_and_open() -> None:
    long = [one.content for one in hostile.files(7) if one.kind == hostile.MANY_PAGES]
    assert [len(pypdfium2.PdfDocument(content)) for content in long] == [200, 40]


def test_the_honest_pages_are_a_text_layer_and_one_for_ocr_and_what_children_do_is_timed(tmp_path: Path) -> None:
    file = tmp_path / "page.pdf"
    told: Seconds = defaultdict(list)
    with calls(told):
        for content, source in (
            (hostile.honest_page(), WordSource.TEXT_LAYER),
            (hostile.honest_scan(), WordSource.OCR),
        ):
            file.write_bytes(content)
            (page,) = READER.read(file).pages
            assert (page.source, page.problem) == (source, "")
            assert "4711" in {word.text for word in page.words}
    assert [len(told[kind]) for kind in ("child", "page")] == [2, 1]
    assert all(seconds > 0 for some in told.values() for seconds in some)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_hostile_files_crash_nothing_and_stay_within_time_and_memory() -> None:
    options = ("--seed", "3", "--every", "7", "--no-long")
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.hostile", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert told.returncode in (0, 1), told.stderr
    figures: dict[str, float] = json.loads(told.stdout.splitlines()[-1])
    assert broken(figures, FIRM) == [], told.stdout
    assert figures["files"] >= 50
    assert figures["slowest_page_s"] <= A_PAGE_S, told.stdout
    measured = ("slowest_child_s", "slowest_page_s", "slowest_file_s", "peak_mib", "other_scan_p95_ratio")
    assert all(figures[name] > 0 for name in measured), "a figure that nobody measured holds any limit"
    assert not list(Path("/tmp").glob(f"{MARK.name}*")), "a name or a script reached the disk"

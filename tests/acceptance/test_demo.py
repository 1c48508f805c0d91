"""What a newcomer runs first: every paper of the demo ends where it belongs."""

import subprocess
import sys
from pathlib import Path

import pytest

from tallyman.registry import ROOT


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_demo_posts_what_is_right_and_gives_all_that_is_doubtful_to_a_person(tmp_path: Path) -> None:
    asked = [sys.executable, "-m", "tallyman.cli", "demo", "--no-serve", "--dir", str(tmp_path / "the demo")]
    told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=500)
    assert told.returncode == 0, told.stdout[-4000:] + told.stderr[-2000:]
    assert "0 lost, 0 duplicates" in told.stdout

"""Long reading is told as it goes, also where nobody watches a bar."""

from pathlib import Path

import pytest

from tallyman.cli.common import shown_reading


def test_a_log_gets_a_line_for_each_of_several_files_and_for_each_ten_pages(capsys: pytest.CaptureFixture[str]) -> None:
    files = [Path("a.pdf"), Path("März [1].pdf")]
    with shown_reading(files) as begin:
        for file in files:
            page = begin(file)
            for done in range(1, 26):
                page(done, 25)
    told = capsys.readouterr()
    assert told.err.splitlines() == [
        "a.pdf: file 1 of 2",
        "a.pdf: page 10 of 25",
        "a.pdf: page 20 of 25",
        "März [1].pdf: file 2 of 2",
        "März [1].pdf: page 10 of 25",
        "März [1].pdf: page 20 of 25",
    ]
    assert told.out == ""


def test_one_small_file_is_read_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_reading([Path("a.pdf")]) as begin:
        begin(Path("a.pdf"))(1, 1)
    assert capsys.readouterr().err == ""

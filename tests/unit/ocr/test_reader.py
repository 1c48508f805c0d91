"""What the children say is a stranger's data: of any shape it is the file's fault and no error of ours."""

import os
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

from ocr import reader
from ocr.reader import READER
from tallyman.domain.page import Box, Page, Word, WordSource
from tallyman.errors import Quarantined

WORD = Word(text="12,50", box=Box(x0=0.1, y0=0.1, x1=0.2, y1=0.2), confidence=1.0)
PAGE = Page(number=1, width=595, height=842, words=(WORD,), source=WordSource.TEXT_LAYER, engine="pdfium")
SEEN = {
    "width": 595.0,
    "height": 842.0,
    "ocr": False,
    "hand": False,
    "doubtful": False,
    "words": [["Invoice", 0.1, 0.1, 0.2, 0.2, 1.0, 0]],
    "marks": [],
    "barcodes": [],
}
DRAWN = {"offset": 0, "height": 20, "width": 10, "reshaped": [1.0, 1.0]}
SCAN = {**SEEN, "ocr": True, "words": [], "drawn": DRAWN}
READ = {"ocr": True, "words": SEEN["words"], "marks": [], "barcodes": [], "rotation": 0, "skew": 0.0, "engine": "e"}


class Children:
    """As the children that stay, but they say what they are told to."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def call(self, *_asked: Any) -> Any:
        return self._answer


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "paper.pdf"
    made.write_bytes(b"%PDF-1.7")
    return made


Says = Callable[..., None]


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Says:
    """What the two kinds of children answer; a dictionary of targets, or the same to all."""

    def say(thrown_away: Any, kept: Any = None) -> None:
        def call(target: str, *_asked: Any, **_into: Any) -> Any:
            return thrown_away[target] if isinstance(thrown_away, dict) and target in thrown_away else thrown_away

        monkeypatch.setattr(reader, "call", call)
        monkeypatch.setattr(reader, "_children", Children(kept))

    return say


def found(*pages: Any, count: Any = 1) -> dict[str, Any]:
    return {"media_type": "application/pdf", "xml": None, "count": count, "pages": [*pages]}


def test_what_honest_children_say_is_a_reading(file: Path, says: Says) -> None:
    says(found(SEEN, {**SCAN, "drawn": dict(DRAWN)}, count=2), READ)
    assert [page.words[0].text for page in READER.read(file).pages] == ["Invoice", "Invoice"]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "x",
        {},
        found(count="many"),
        found(count=3),
        found(5),
        found({}),
        found({**SEEN, "words": 5}),
        found({**SEEN, "words": [["alone"]]}),
        found({**SEEN, "words": [[5, 0.1, 0.1, 0.2, 0.2, 1.0, 0]]}),
        found({**SEEN, "words": [["sure", 0.1, 0.1, 0.2, 0.2, 7.0, 0]]}),
        found({**SEEN, "width": None}),
        found({**SEEN, "marks": [{"kind": "a dragon"}]}),
        found({**SEEN, "barcodes": "x"}),
        found({**SCAN, "drawn": 5}),
        found({**SCAN, "drawn": {}}),
        found({**SCAN, "drawn": {**DRAWN, "reshaped": [1.0]}}),
        found({**SCAN, "width": "x" * 1000, "drawn": {**DRAWN, "reshaped": [10**15, 1]}}),
        {**found(SEEN), "media_type": 5},
    ],
)
def test_pages_of_no_known_shape_are_the_file_s_fault(file: Path, says: Says, answer: Any) -> None:
    says(answer, READ)
    with pytest.raises(Quarantined, match="never says"):
        READER.read(file)


@pytest.mark.parametrize("told", [5, [], [{**DRAWN}, {**DRAWN}], [{}]])
def test_drawings_of_no_known_shape_are_the_file_s_fault(file: Path, says: Says, told: Any) -> None:
    undrawn = {name: value for name, value in SCAN.items() if name != "drawn"}
    says({"ocr.inside:inspect": found(undrawn), "ocr.inside:draw": told}, READ)
    with pytest.raises(Quarantined, match="never says"):
        READER.read(file)


@pytest.mark.parametrize("answer", [5, "x", [5], {"words": 5}, {"words": [[]]}, {**READ, "rotation": "round"}])
def test_what_was_read_in_no_known_shape_is_the_file_s_fault(file: Path, says: Says, answer: Any) -> None:
    says(found({**SCAN, "drawn": dict(DRAWN)}), answer)
    with pytest.raises(Quarantined, match="never says"):
        READER.read(file)


@pytest.mark.parametrize(
    ("drawn", "answer"),
    [
        ([], {"texts": [""]}),
        (5, {"texts": [""]}),
        ([5], {"texts": [""]}),
        ([{}], {"texts": [""]}),
        ([DRAWN], None),
        ([DRAWN], {"texts": 5}),
        ([DRAWN], {"texts": []}),
        ([DRAWN], {"texts": ["one", "two"]}),
    ],
)
def test_comparisons_of_no_known_shape_are_the_file_s_fault(file: Path, says: Says, drawn: Any, answer: Any) -> None:
    says([dict(one) for one in drawn] if drawn == [DRAWN] else drawn, answer)
    with pytest.raises(Quarantined, match="never says"):
        READER.as_drawn(file, [(PAGE, (WORD,))])


@pytest.mark.parametrize("answer", [None, 5, {"name": "a"}, [{"name": "a"}], [{"content": "no base 64"}], [[]]])
def test_parts_of_no_known_shape_are_the_file_s_fault(
    file: Path, says: Says, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    says(answer)
    monkeypatch.setattr(reader, "is_container", lambda _start: True)
    with pytest.raises(Quarantined, match="never says"):
        READER.parts(file)


@pytest.mark.parametrize("answer", [None, 5, "x", ["x"]])
def test_a_picture_of_no_known_shape_is_the_file_s_fault(file: Path, says: Says, answer: Any) -> None:
    says(answer)
    with pytest.raises(Quarantined, match="never says"):
        READER.render(file, 1, 100)


def test_a_caller_whose_progress_fails_hears_of_its_own_error(file: Path, says: Says) -> None:
    says(found({**SCAN, "drawn": dict(DRAWN)}), READ)

    def fail(_done: int, _every: int) -> None:
        raise KeyError("a defect of ours")

    with pytest.raises(KeyError, match="of ours"):
        READER.read(file, progress=fail)


def test_what_is_cut_out_is_measured_before_it_is_in_memory(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mib = 1024 * 1024

    def cut(*_asked: Any, into: IO[bytes]) -> None:
        os.truncate(into.fileno(), 64 * mib)

    monkeypatch.setattr(reader, "call", cut)
    monkeypatch.setattr(reader, "_MOST_CUT", mib)
    tracemalloc.start()
    with pytest.raises(Quarantined, match="together"):
        READER.cut(file, ((1,), (2,)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * mib


def test_documents_that_take_too_long_to_cut_together_are_not_cut(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_FILE_S", 0.0001)
    monkeypatch.setattr(reader, "call", lambda *_asked, into: time.sleep(0.001))
    with pytest.raises(Quarantined, match="longer"):
        READER.cut(file, ((1,), (2,), (3,)))

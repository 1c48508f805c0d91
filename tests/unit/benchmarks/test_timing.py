import os

import cv2
import pytest

from benchmarks.timing import one_thread, timed


class Reader:
    def read(self, page: int, *, twice: bool = False) -> int:
        if not page:
            raise ZeroDivisionError
        return page * (2 if twice else 1)


def test_calls_of_a_class_are_timed_and_answer_as_ever() -> None:
    with timed(Reader, "read") as seconds:
        assert Reader().read(3, twice=True) == 6
        with pytest.raises(ZeroDivisionError):
            Reader().read(0)
    assert len(seconds) == 2
    Reader().read(1)
    assert len(seconds) == 2


def test_one_thread_is_set_for_programs_and_for_opencv_and_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_THREAD_LIMIT", raising=False)
    before = cv2.getNumThreads()
    with one_thread():
        assert (os.environ["OMP_THREAD_LIMIT"], cv2.getNumThreads()) == ("1", 1)
    assert "OMP_THREAD_LIMIT" not in os.environ
    assert cv2.getNumThreads() == before

"""Calls, timed where they are made, and the conditions of the pipeline's children in this process."""

import functools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import cv2


@contextmanager
def timed(owner: Any, name: str) -> Iterator[list[float]]:
    """A list to which every call of `owner`'s function of that name adds its seconds, from any thread."""
    function = getattr(owner, name)
    spent: list[float] = []

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            spent.append(time.perf_counter() - began)

    with patch.object(owner, name, call):
        yield spent


@contextmanager
def one_thread() -> Iterator[None]:
    """As in the children that read: one thread for each tesseract that is started, and one for OpenCV."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with patch.dict(os.environ, {"OMP_THREAD_LIMIT": "1"}):
            yield
    finally:
        cv2.setNumThreads(threads)

"""Reading ahead: while one case waits for a legacy screen, the next documents are read.

What a file says depends on its content alone, so nothing here needs to be durable: after a crash it is read again.
"""

import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from tallyman.domain.document import UNKNOWN, Document, Problem
from tallyman.domain.reasons import Reason
from tallyman.errors import BusinessError
from tallyman.platform.blobs import Blobs
from tallyman.registry import Registry
from tallyman.runtime.attempts import attempt
from tallyman.runtime.understand import Guard, read_file


class Readings:
    """Documents by the hash of their file; as many are read at a time as there are cores."""

    def __init__(self, registry: Registry, blobs: Blobs, guard: Guard) -> None:
        self._registry = registry
        self._blobs = blobs
        self._guard = guard
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="reading")
        self._futures: dict[str, Future[dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def ahead(self, sha256: str) -> Future[dict[str, Any]]:
        """Begin to read a file, if nobody has begun yet."""
        with self._lock:
            if sha256 not in self._futures:
                self._futures[sha256] = self._pool.submit(attempt, "read", lambda: self._read(sha256))
            return self._futures[sha256]

    def take(self, sha256: str) -> dict[str, Any]:
        """{"ok": document as JSON} or {"failed": ...}, waited for. Forgotten afterwards: it is remembered by the step.

        A file that can't be read gives a document of type "unknown" whose problem says why.
        """
        try:
            return self.ahead(sha256).result()
        finally:  # a failure is forgotten too: the next one who asks tries again
            with self._lock:
                self._futures.pop(sha256, None)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _read(self, sha256: str) -> dict[str, Any]:
        readers = self._registry.document_readers
        try:
            path = self._blobs.path(sha256)
            _, document = read_file(path, page_reader=self._registry.page_reader, readers=readers, guard=self._guard)
        except BusinessError as error:
            problem = Problem(code=error.reason or Reason.UNREADABLE, message=f"{error} {error.advice}")
            document = Document(type=UNKNOWN, problems=(problem,))
        return document.to_json()

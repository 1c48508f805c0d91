"""Reading ahead: while one case waits for a legacy screen, the next documents are read.

What a file says depends on its content alone, so nothing here needs to be durable: after a crash it is read again.
"""

import os
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from tallyman.contracts.page_reader import PageReader
from tallyman.domain.document import UNKNOWN, Document, Problem
from tallyman.domain.reasons import Reason
from tallyman.domain.stack import Documents
from tallyman.errors import BusinessError
from tallyman.platform.blobs import Blobs
from tallyman.platform.vault import Vault
from tallyman.registry import Registry
from tallyman.runtime.attempts import attempt
from tallyman.runtime.understand import Guard, read_file

FORGOTTEN_AFTER_S = 600.0
"""What nobody has taken this long after it was begun: another worker has the case, or there is none. What is taken
later is read again, which a kept reading makes quick."""


_MORE = 2
"""Files of hundreds of pages leave a core to others, who must be at work to take it."""


class Readings:
    """Documents by the hash of their file; some more are read at a time than there are cores."""

    def __init__(self, registry: Registry, page_reader: PageReader, blobs: Blobs, vault: Vault, guard: Guard) -> None:
        self._registry = registry
        self._page_reader = page_reader
        self._blobs = blobs
        self._vault = vault
        self._guard = guard
        self._pool = ThreadPoolExecutor((os.cpu_count() or 1) + _MORE, thread_name_prefix="reading")
        self._begun: dict[str, tuple[float, Future[dict[str, Any]]]] = {}
        self._lock = threading.Lock()

    def ahead(self, sha256: str) -> Future[dict[str, Any]]:
        """Begin to read a file, if nobody has begun yet."""
        with self._lock:
            self._forget_what_nobody_takes()
            if sha256 not in self._begun:
                future = self._pool.submit(attempt, "read", lambda: self._read(sha256))
                self._begun[sha256] = (time.monotonic(), future)
            return self._begun[sha256][1]

    def take(self, sha256: str, *, anew: bool = False) -> dict[str, Any]:
        """{"ok": document as JSON} or {"failed": ...}, waited for. Forgotten afterwards: it is remembered by the step.

        anew: what was read ahead is from before a person gave a password, or mended what failed.
        A file that can't be read gives a document of type "unknown" whose problem says why.
        """
        if anew:
            self._forget(sha256)
        try:
            return self.ahead(sha256).result()
        finally:  # a failure is forgotten too: the next one who asks tries again
            self._forget(sha256)

    def cut(self, sha256: str, documents: Documents) -> list[str]:
        """The hashes of files of the pages that are given. They are stored."""
        password = self._vault.document_password(sha256)
        with self._guard(f"page reader:{self._page_reader.name}"):
            parts = self._page_reader.cut(self._blobs.path(sha256), documents, password=password)
        return [self._blobs.put(part) for part in parts]

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _forget(self, sha256: str) -> None:
        with self._lock:
            self._begun.pop(sha256, None)

    def _forget_what_nobody_takes(self) -> None:
        late = time.monotonic() - FORGOTTEN_AFTER_S
        for sha256 in [one for one, (begun, future) in self._begun.items() if begun < late and future.done()]:
            del self._begun[sha256]

    def _read(self, sha256: str) -> dict[str, Any]:
        readers = self._registry.document_readers
        try:
            path = self._blobs.path(sha256)
            _, document = read_file(
                path,
                page_reader=self._page_reader,
                readers=readers,
                guard=self._guard,
                password=self._vault.document_password(sha256),
            )
        except BusinessError as error:
            problem = Problem(code=error.reason or Reason.UNREADABLE, message=f"{error} {error.advice}")
            document = Document(type=UNKNOWN, problems=(problem,))
        return document.to_json()

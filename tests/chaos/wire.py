"""A TCP line between a bot and its target that counts what passes, and that can be cut, slowed down or falsified."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable

_METHODS = (b"GET /", b"POST /")


class Wire:
    """Listens on a port of its own and passes everything on to `target`'s port on loopback. `close` it."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._lock = threading.RLock()
        self._lines: set[socket.socket] = set()
        self._listener = _bound(0)
        self.port: int = self._listener.getsockname()[1]
        self._closed = False
        self.requests = 0
        self.logins = 0
        self.sent_bytes = 0
        """What the target has answered so far."""
        self._moment: tuple[int, Callable[[], None]] | None = None
        self._cut_on: tuple[bytes, bool] | None = None
        self.replaced: dict[bytes, bytes] = {}
        """Words of the target's pages that others stand for; of the same length."""
        self.bytes_per_s = 0
        """What the line carries from the target; 0: as much as there is."""
        self._listen()

    def at_request(self, n: int, act: Callable[[], None]) -> None:
        """Call `act`, once, when the n-th request from now is about to be passed on."""
        with self._lock:
            self._moment = (self.requests + n, act)

    @property
    def waiting(self) -> bool:
        """Whether the moment of `at_request` has not come yet."""
        return self._moment is not None

    def cut_on(self, words: bytes, *, after_answer: bool) -> None:
        """Reset the line, once, when these words are sent: before they get through, or as soon as an answer comes."""
        self._cut_on = (words, after_answer)

    def reset(self) -> None:
        """Cut all lines that are open now; the other side sees a reset."""
        with self._lock:
            for line in list(self._lines):
                _reset(line)

    def refuse(self, seconds: float) -> None:
        """Cut all lines, and refuse every connection for so long. Returns at once."""
        with self._lock:
            _gone(self._listener)
            self._listener = _bound(self.port)  # bound and not listening: the port is ours, and connections are refused
        self.reset()
        threading.Timer(seconds, self._listen).start()

    def calm(self) -> None:
        """Carry everything again, as it is."""
        with self._lock:
            self._moment = self._cut_on = None
        self.replaced, self.bytes_per_s = {}, 0

    def close(self) -> None:
        self._closed = True
        _gone(self._listener)
        self.reset()

    # -- inside

    def _listen(self) -> None:
        if self._closed:
            return
        self._listener.listen(64)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                _reset(near)
                continue
            for line in (near, far):
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._lines |= {near, far}
            cut = threading.Event()
            threading.Thread(target=self._carry, args=(near, far, cut, self._forth), daemon=True).start()
            threading.Thread(target=self._carry, args=(far, near, cut, self._back), daemon=True).start()

    def _carry(
        self,
        source: socket.socket,
        sink: socket.socket,
        cut: threading.Event,
        passed: Callable[[bytes, socket.socket, threading.Event], bool],
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not passed(data, sink, cut):
                    _reset(source)
                    _reset(sink)
                    break
        _gone(source)
        _gone(sink)
        with self._lock:
            self._lines -= {source, sink}

    def _forth(self, data: bytes, sink: socket.socket, cut: threading.Event) -> bool:
        act: Callable[[], None] | None = None
        with self._lock:
            if data.startswith(_METHODS):
                self.requests += 1
                self.logins += data.startswith(b"POST /login.do")
                if self._moment is not None and self.requests >= self._moment[0]:
                    act, self._moment = self._moment[1], None
            if self._cut_on is not None and self._cut_on[0] in data:
                after_answer, self._cut_on = self._cut_on[1], None
                if not after_answer:
                    return False
                cut.set()
        if act is not None:
            act()
        sink.sendall(data)
        return True

    def _back(self, data: bytes, sink: socket.socket, cut: threading.Event) -> bool:
        if cut.is_set():
            return False
        for ours, theirs in self.replaced.items():
            data = data.replace(ours, theirs)
        self.sent_bytes += len(data)
        while data:
            rate = self.bytes_per_s
            piece, data = (data[: rate // 4], data[rate // 4 :]) if rate else (data, b"")
            sink.sendall(piece)
            if rate:
                time.sleep(0.25)
        return True


def _bound(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


def _reset(line: socket.socket) -> None:
    """Let the other side see a reset, and whoever waits in `recv` an error."""
    with contextlib.suppress(OSError):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    _gone(line)


def _gone(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()

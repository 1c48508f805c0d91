"""What all tests share: a home of their own and a free port."""

import socket
from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty TALLYMAN_HOME; its name holds a space and an umlaut, as users' paths may."""
    folder = tmp_path / "Büro home"
    folder.mkdir()
    monkeypatch.setenv("TALLYMAN_HOME", str(folder))
    return folder


@pytest.fixture
def free_port() -> int:
    """A loopback port that nobody listens on. Another may take it before the test does: bind to 0 where you can."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port

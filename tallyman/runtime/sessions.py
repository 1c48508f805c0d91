"""The open sessions of this process: one for each system, made on first use."""

import threading
from collections.abc import Mapping

from tallyman.browser.session import SessionThread
from tallyman.platform.config import Settings
from tallyman.platform.vault import Vault
from tallyman.registry import ROOT, Registry

_PATIENCE_S = 240.0
"""A posting that is under way ends by its own time-outs before another kind of browser takes its place."""


class Sessions:
    """Hands out the one session thread of a system."""

    def __init__(self, registry: Registry, settings: Settings, vault: Vault) -> None:
        self._registry = registry
        self._settings = settings
        self._vault = vault
        self._threads: dict[str, tuple[bool, SessionThread]] = {}
        self._lock = threading.Lock()

    def of(self, system: str, *, attended: bool = False) -> SessionThread:
        """The session, in a browser to be seen when `attended`. Raises ConfigurationError for an unknown system.

        A system has one session: one that is headless is ended first when it is to be seen, and the other way round.
        """
        with self._lock:
            known = self._threads.get(system)
            if known is not None and known[0] != attended:
                known[1].close(patience_s=_PATIENCE_S)
                known = None
            if known is None:
                known = self._threads[system] = (attended, self._new(system, attended))
            return known[1]

    def _new(self, system: str, headed: bool) -> SessionThread:
        return SessionThread(
            self._registry.system(system),
            ROOT / "selectors" / system,
            self._settings_of(system),
            lambda name: self._vault.get(f"{system}.{name}"),
            headed=headed,
        )

    def _settings_of(self, system: str) -> Mapping[str, str]:
        return self._settings.of_system(system)

    def close(self) -> None:
        with self._lock:
            for _, thread in self._threads.values():
                thread.close()
            self._threads.clear()

"""The open sessions of this process: one for each system, made on first use."""

import threading
from collections.abc import Mapping

from tallyman.browser.session import SessionThread
from tallyman.platform.config import Settings
from tallyman.platform.vault import Vault
from tallyman.registry import ROOT, Registry


class Sessions:
    """Hands out the one session thread of a system."""

    def __init__(self, registry: Registry, settings: Settings, vault: Vault, *, headed: bool = False) -> None:
        self._registry = registry
        self._settings = settings
        self._vault = vault
        self._headed = headed
        self._threads: dict[str, SessionThread] = {}
        self._lock = threading.Lock()

    def of(self, system: str) -> SessionThread:
        """Raises ConfigurationError when there is no such system."""
        with self._lock:
            if system not in self._threads:
                self._threads[system] = SessionThread(
                    self._registry.system(system),
                    ROOT / "selectors" / system,
                    self._settings_of(system),
                    lambda name: self._vault.get(f"{system}.{name}"),
                    headed=self._headed,
                )
            return self._threads[system]

    def _settings_of(self, system: str) -> Mapping[str, str]:
        return self._settings.of_system(system)

    def close(self) -> None:
        with self._lock:
            for thread in self._threads.values():
                thread.close()
            self._threads.clear()

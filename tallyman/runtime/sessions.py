"""The open sessions of this process: one for each system, made on first use, each under a lease of an account."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tallyman.browser.session import SessionThread
from tallyman.errors import AccountsInUse, NotArmed
from tallyman.platform.config import Settings
from tallyman.platform.vault import Vault
from tallyman.registry import ROOT, Registry
from tallyman.runtime.leases import Lease, Leases
from tallyman.runtime.pressure import Pressure

_PATIENCE_S = 240.0
"""A posting that is under way ends by its own time-outs before another kind of browser takes its place."""
LEASE_PATIENCE_S = 600.0
"""How long an account is waited for that another worker uses now: it gives a source back when it has fetched all."""
_POLL_S = 0.25


class Sessions:
    """Hands out the one session thread of a system. Only a worker has any: see `work_under`."""

    def __init__(self, registry: Registry, settings: Settings, vault: Vault, pressure: Pressure) -> None:
        self._registry = registry
        self._settings = settings
        self._vault = vault
        self._pressure = pressure
        self._leases: Leases | None = None
        self._held: dict[str, Lease] = {}
        self._threads: dict[str, tuple[bool, SessionThread]] = {}
        self._users: Counter[str] = Counter()
        self._kept: set[str] = set()
        self._lock = threading.Lock()

    def work_under(self, leases: Leases) -> None:
        """From now on this process may open sessions, each under a lease."""
        self._leases = leases

    @property
    def shared(self) -> bool:
        """Other workers may use the same systems."""
        return self._leases is not None and self._leases.shared

    def try_lease(self, system: str) -> bool:
        """Whether this worker holds an account of the system, taken now if one is free. Never waits."""
        with self._lock:
            if system not in self._held and self._leases is not None:
                taken = self._leases.take(system, self._accounts(system))
                if taken is not None:
                    self._held[system] = taken
            return system in self._held

    def keep(self, system: str) -> bool:
        """As `try_lease`, for good: whoever borrows it besides gives nothing back."""
        with self._lock:
            if system in self._kept:
                return True
        if self.try_lease(system):
            with self._lock:
                self._kept.add(system)
                self._users[system] += 1
        return system in self._kept

    def holds(self, system: str) -> bool:
        """Whether this worker has an account of the system now."""
        with self._lock:
            return system in self._held

    def lease(self, system: str) -> Lease:
        """The lease under which the system's session works. Raises NotArmed without one."""
        with self._lock:
            if system not in self._held:
                raise NotArmed("This worker holds no account of the system; nothing was posted.")
            return self._held[system]

    def of(self, system: str, *, attended: bool = False) -> SessionThread:
        """The session, in a browser to be seen when `attended`.

        A system has one session: one that is headless is ended first when it is to be seen, and the other way round.
        Raises ConfigurationError for an unknown system, AccountsInUse when other workers keep all its accounts.
        """
        self._wait_for_lease(system)
        with self._lock:
            known = self._threads.get(system)
            if known is not None and known[0] != attended:
                known[1].close(patience_s=_PATIENCE_S)
                known = None
            if known is None:
                known = self._threads[system] = (attended, self._new(system, attended))
            return known[1]

    @contextmanager
    def borrowed(self, system: str, *, attended: bool = False) -> Iterator[SessionThread]:
        """As `of`, for a while; where other workers may want it, the last to leave gives its account back."""
        self._wait_for_lease(system)
        with self._lock:
            self._users[system] += 1
        try:
            yield self.of(system, attended=attended)
        finally:
            with self._lock:
                self._users[system] -= 1
                if self.shared and not self._users[system]:
                    self._leave(system)

    def _leave(self, system: str) -> None:
        """Under the lock, so that nobody logs in anew before we have logged out."""
        known, lease = self._threads.pop(system, None), self._held.pop(system, None)
        if known is not None:
            known[1].close()
        if lease is not None and self._leases is not None:
            self._leases.give_back(lease)

    def kill(self) -> None:
        """End all browsers from outside, at once."""
        for _, thread in list(self._threads.values()):
            thread.kill()

    def close(self) -> None:
        with self._lock:
            for _, thread in self._threads.values():
                thread.close()
            self._threads.clear()
            for lease in self._held.values():
                if self._leases is not None:
                    self._leases.give_back(lease)
            self._held.clear()
            self._kept.clear()
            self._users.clear()
            self._leases = None

    def _wait_for_lease(self, system: str) -> None:
        until = time.monotonic() + LEASE_PATIENCE_S
        while not self.try_lease(system):
            if self._leases is None or time.monotonic() > until:
                raise AccountsInUse(system)
            time.sleep(_POLL_S)

    def _accounts(self, system: str) -> list[str]:
        sessions = self._registry.system(system).capabilities.sessions_per_user
        users = self._settings.accounts(system)
        return [f"{user}#{n}" if n > 1 else user for n in range(1, sessions + 1) for user in users]

    def _new(self, system: str, headed: bool) -> SessionThread:
        user = self._held[system].user
        return SessionThread(
            self._registry.system(system),
            ROOT / "selectors" / system,
            self._settings.of_system(system, user),
            lambda name: self._secret(system, user, name),
            headed=headed,
            guard=lambda stopping: self._pressure.around_call(system, stopping),
        )

    def _secret(self, system: str, user: str, name: str) -> str:
        """`<system>.<user>.<name>` where several accounts have secrets of their own, else `<system>.<name>`."""
        own = f"{system}.{user}.{name}"
        return self._vault.get(own if own in self._vault.names() else f"{system}.{name}")

"""Everything that the procedures work with, put together once a process."""

from dataclasses import dataclass

from tallyman.contracts.system import Capabilities
from tallyman.errors import ConfigurationError
from tallyman.platform.blobs import Blobs
from tallyman.platform.config import BotSettings, Home, Settings, bot_settings
from tallyman.platform.vault import Vault
from tallyman.registry import ROOT, Registry
from tallyman.runtime import engine
from tallyman.runtime.ledger import Ledger
from tallyman.runtime.page_cache import CachedPages
from tallyman.runtime.pressure import Pressure
from tallyman.runtime.readings import Readings
from tallyman.runtime.sessions import Sessions
from tallyman.store.database import Database


@dataclass(frozen=True, kw_only=True)
class Desk:
    home: Home
    settings: Settings
    registry: Registry
    database: Database
    blobs: Blobs
    vault: Vault
    ledger: Ledger
    sessions: Sessions
    readings: Readings

    @classmethod
    def open(cls, home: Home | None = None) -> "Desk":
        """Read the settings, open the database and bring its tables up to date. Starts nothing.

        Raises ConfigurationError.
        """
        home = home or Home()
        settings, registry = home.settings(), Registry()
        database = Database(home.database_url(settings))
        database.upgrade()
        engine.prepare(database.url)
        vault, blobs = Vault(home.vault), Blobs(home.blobs)
        pressure = Pressure(database, settings)
        pages = CachedPages(registry.page_reader, home.readings)
        return cls(
            home=home,
            settings=settings,
            registry=registry,
            database=database,
            blobs=blobs,
            vault=vault,
            ledger=Ledger(database),
            sessions=Sessions(registry, settings, vault, pressure),
            readings=Readings(registry, pages, blobs, vault, pressure.breakers.around_reader),
        )

    def bot(self, name: str) -> BotSettings:
        """The settings of a bot. Raises ConfigurationError when there is no such bot, or its ERP can't post."""
        self.registry.bot(name)
        found = bot_settings(self.settings, ROOT / "bots" / name, name)
        if not self.registry.system(found.erp).capabilities.posts:
            raise ConfigurationError(f"The bot {name!r} is to post into {found.erp!r}, which can't post.")
        return found

    def not_set_up(self, name: str) -> list[str]:
        """The systems of a bot of which tallyman.toml says nothing: it can't work with them yet."""
        bot = self.bot(name)
        return sorted({bot.erp, *bot.sources} - set(self.settings.systems))

    def capabilities(self, system: str) -> Capabilities:
        """What the system declares, with what tallyman.toml knows better. Raises ConfigurationError."""
        declared = self.registry.system(system).capabilities
        known = self.settings.visibility_s(system)
        return declared if known is None else declared.model_copy(update={"max_visibility_delay_s": known})

    def bots(self) -> dict[str, BotSettings]:
        return {name: self.bot(name) for name in sorted(self.registry.bots)}

    def client(self) -> engine.EngineClient:
        return engine.EngineClient(self.database.url, tuple(sorted(self.registry.bots)))

    def close(self) -> None:
        self.readings.close()
        self.sessions.close()
        self.database.dispose()

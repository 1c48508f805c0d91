"""The settings: `tallyman.toml` in TALLYMAN_HOME, laid over what each bot's bot.yaml says."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import Field, ValidationError, field_validator

from tallyman.domain.base import Value
from tallyman.domain.tolerances import Tolerances
from tallyman.errors import ConfigurationError

VISIBILITY = "max_visibility_delay_s"
"""In [systems.<name>]: overrides what the system declares, since an installation knows its server's time-outs."""
RATE = "max_per_minute"
"""In [systems.<name>]: how often a minute the system may be called, by all workers together."""
ACCOUNTS = "accounts"
"""In [systems.<name>]: the logins that workers share among them, "bot1, bot2"; without it there is `user` alone."""
_COMMON = (VISIBILITY, RATE, ACCOUNTS)


class ScheduleSettings(Value):
    """When a bot runs by itself. `cron` has five fields; `time_zone` is an IANA name.

    catch_up says what happens to fire times that were missed: run `one`, `all` or `skip` them.
    """

    cron: str
    time_zone: str = "Europe/Berlin"
    catch_up: Literal["one", "all", "skip"] = "one"
    enabled: bool = True

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"{name!r} is no time zone; write one such as Europe/Berlin")
        return name


class BotSettings(Value):
    """What a bot works with: the systems, by name, and how much at a time."""

    title: str = ""
    erp: str
    company: str = ""
    sources: tuple[str, ...] = ()
    concurrency: int = Field(default=1, ge=1)
    most_waiting: int = Field(default=500, ge=1)
    """How many cases of the bot may be open before intake leaves further documents at their source for a while."""
    schedule: ScheduleSettings | None = None


class OfficeSettings(Value):
    host: str = "127.0.0.1"
    port: int = 8700
    time_zone: str = "Europe/Berlin"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Settings(Value):
    """tallyman.toml. Unknown keys are errors. Secrets never stand here: see `tallyman secret`."""

    database_url: str = ""
    """A SQLAlchemy URL of PostgreSQL; empty: SQLite in TALLYMAN_HOME."""
    office: OfficeSettings = OfficeSettings()
    matching: Tolerances = Tolerances()
    retry_waits_s: tuple[float, ...] = (30.0, 120.0, 600.0)
    """How long a case waits for a system that is down before it tries again; after the last one it asks a person."""
    bots: dict[str, dict[str, Any]] = {}
    systems: dict[str, dict[str, str]] = {}
    """Each system's own settings, and VISIBILITY and RATE, which every system may have."""

    @field_validator("systems")
    @classmethod
    def _numbers(cls, systems: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for name, values in systems.items():
            text = values.get(VISIBILITY, "0")
            if not re.fullmatch(r"\d{1,6}(\.\d+)?", text):
                raise ValueError(f'{name}: {VISIBILITY} is a number of seconds such as "20", not {text!r}')
            rate = values.get(RATE, "1")
            if not re.fullmatch(r"[1-9]\d{0,5}", rate):
                raise ValueError(f'{name}: {RATE} is a whole number of calls such as "30", not {rate!r}')
        return systems

    def accounts(self, name: str) -> list[str]:
        """The logins that the system may be used with; "-" for one that knows no users."""
        values = self.systems.get(name, {})
        told = [login.strip() for login in values.get(ACCOUNTS, "").split(",") if login.strip()]
        return told or [values.get("user") or "-"]

    def of_system(self, name: str, user: str = "-") -> dict[str, str]:
        """The settings that the system itself knows, with this user."""
        told = {key: value for key, value in self.systems.get(name, {}).items() if key not in _COMMON}
        return told if user == "-" else told | {"user": user}

    def visibility_s(self, name: str) -> float | None:
        """How long a stored record takes at most to be found in this installation; None: as the system declares."""
        text = self.systems.get(name, {}).get(VISIBILITY)
        return None if text is None else float(text)

    def calls_per_minute(self, name: str) -> int | None:
        """How often the system may be called a minute; None: as often as there is work."""
        text = self.systems.get(name, {}).get(RATE)
        return None if text is None else int(text)


class Home:
    """TALLYMAN_HOME: the database, the blobs, the lock, the log and tallyman.toml."""

    def __init__(self, path: Path | None = None) -> None:
        given = os.environ.get("TALLYMAN_HOME")
        self.path = path or (Path(given) if given else Path.home() / ".tallyman")
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def database_file(self) -> Path:
        return self.path / "tallyman.db"

    @property
    def blobs(self) -> Path:
        return self.path / "blobs"

    @property
    def readings(self) -> Path:
        """What was read of the blobs; may be deleted, and is read again."""
        return self.path / "readings"

    @property
    def renders(self) -> Path:
        """Pictures of pages; may be deleted, and are made again."""
        return self.path / "renders"

    @property
    def models(self) -> Path:
        """Releases of models that were trained here, and which of them was approved."""
        return self.path / "models"

    @property
    def training(self) -> Path:
        """What a training has made so far; may be deleted, and is made again."""
        return self.path / "training"

    @property
    def lock(self) -> Path:
        return self.path / "worker.lock"

    @property
    def log(self) -> Path:
        return self.path / "tallyman.log"

    @property
    def vault(self) -> Path:
        return self.path / "vault.json"

    def settings(self) -> Settings:
        """The settings. Raises ConfigurationError, which names the key."""
        file = self.path / "tallyman.toml"
        try:
            data = tomllib.loads(file.read_text("utf-8")) if file.exists() else {}
            if url := os.environ.get("TALLYMAN_DATABASE_URL"):
                data["database_url"] = url
            return Settings.model_validate(data)
        except (tomllib.TOMLDecodeError, ValidationError) as error:
            raise ConfigurationError(f"{file} can't be used: {_told(error)}") from error

    def database_url(self, settings: Settings) -> str:
        return settings.database_url or f"sqlite:///{self.database_file}"


def bot_settings(settings: Settings, folder: Path, bot: str) -> BotSettings:
    """bot.yaml of the bot with the keys of [bots.<bot>] laid over it. Raises ConfigurationError."""
    file = folder / "bot.yaml"
    try:
        data = yaml.safe_load(file.read_text("utf-8")) or {}
        return BotSettings.model_validate(data | settings.bots.get(bot, {}))
    except FileNotFoundError:
        raise ConfigurationError(f"The bot {bot!r} has no bot.yaml.") from None
    except (yaml.YAMLError, ValidationError) as error:
        raise ConfigurationError(f"The settings of the bot {bot!r} can't be used: {_told(error)}") from error


def _told(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors())
    return str(error)

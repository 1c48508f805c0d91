"""How systems, readers and bots stand now: what is left alone, and what waits. For `tallyman doctor` and the office."""

from datetime import datetime

from sqlalchemy import select

from tallyman.domain.base import Value
from tallyman.errors import ConfigurationError
from tallyman.platform.clock import now
from tallyman.runtime.desk import Desk
from tallyman.runtime.pressure import Breaker, all_breakers
from tallyman.store import cases
from tallyman.store.tables import runs


class Side(Value):
    """A system or a reader. `per_minute`: how often it may be called; None where nothing limits it."""

    name: str
    title: str
    breaker: Breaker
    per_minute: int | None = None

    @property
    def state(self) -> str:
        """`closed`; `open` while it is left alone; `trying` when one call may or does try it."""
        if not self.breaker.is_open:
            return "closed"
        return "open" if self.breaker.open_until and self.breaker.open_until > now() else "trying"

    @property
    def until(self) -> datetime | None:
        return self.breaker.open_until


class Backlog(Value):
    """How many cases of a bot are open, and `most` it may have; what its running intakes wait for."""

    bot: str
    title: str
    open: int
    most: int
    waits: tuple[str, ...] = ()

    @property
    def full(self) -> bool:
        return self.open >= self.most


class Standing(Value):
    systems: tuple[Side, ...]
    readers: tuple[Side, ...]
    bots: tuple[Backlog, ...]

    @property
    def sides(self) -> tuple[Side, ...]:
        return self.systems + self.readers


def standing(desk: Desk) -> Standing:
    """The systems of tallyman.toml, whatever has a breaker that saw a failure, and all bots that can be used."""
    with desk.database.transaction() as connection:
        known = all_breakers(connection)
        waiting = connection.execute(select(runs.c.bot, runs.c.problems).where(runs.c.ended_at.is_(None))).all()
        bots = []
        for bot in sorted(desk.registry.bots):
            try:
                settings = desk.bot(bot)
            except ConfigurationError:
                continue  # whoever shows the bots tells what is wrong with it
            waits = tuple(problem for row in waiting if row.bot == bot for problem in row.problems)
            title, most = settings.title or bot, settings.most_waiting
            bots.append(Backlog(bot=bot, title=title, open=cases.count_open(connection, bot), most=most, waits=waits))
    systems = sorted({*desk.settings.systems, *(name for name in known if ":" not in name)})
    return Standing(
        systems=tuple(_system(desk, name, known.get(name, Breaker(name=name))) for name in systems),
        readers=tuple(
            Side(name=name, title=name.rpartition(":")[2], breaker=one) for name, one in known.items() if ":" in name
        ),
        bots=tuple(bots),
    )


def _system(desk: Desk, name: str, breaker: Breaker) -> Side:
    found = desk.registry.systems.get(name)
    title = found.capabilities.title if found else name
    return Side(name=name, title=title, breaker=breaker, per_minute=desk.settings.calls_per_minute(name))

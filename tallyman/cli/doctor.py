"""`tallyman doctor`: what is missing on this machine, and the command that mends it; what is left alone, and why."""

import shutil
from collections.abc import Callable
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from tallyman.browser.host import find_chromium
from tallyman.cli.common import out, print_json
from tallyman.contracts.ocr_engine import OcrEngine
from tallyman.errors import ConfigurationError, TallymanError
from tallyman.platform.config import Home
from tallyman.platform.sandbox import call
from tallyman.registry import Registry
from tallyman.runtime.desk import Desk
from tallyman.runtime.places import is_worker_there
from tallyman.runtime.standing import Backlog, Side, standing
from tallyman.store import audit

_LOW_SPACE = 1 << 30


def doctor(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Check this machine and this home. Exit code 3 when something is missing or paused."""
    checks: dict[str, Callable[[], str]] = {
        "Chromium": lambda: str(find_chromium()),
        "OCR engines": _engines,
        "Walls around strangers' files": _walls,
        "Extensions": _extensions,
        "Settings": lambda: _settings(Home()),
        "Space": lambda: _space(Home()),
        "Database": lambda: _database(Home()),
    }
    told = [_checked(name, check) for name, check in checks.items()]
    if told[-1]["ok"]:
        told += _standing(Home())
    if as_json:
        print_json(told)
    else:
        for row in told:
            sign = "ok     " if row["ok"] else "PAUSED " if "breaker" in row else "MISSING"
            out.print(f"{sign} {row['name']}: {row['told']}", highlight=False, markup=False)
    if not all(row["ok"] for row in told):
        raise ConfigurationError("Something is missing or paused.", advice="Each line above says what mends it.")


def _checked(name: str, check: Callable[[], str]) -> dict[str, object]:
    try:
        return {"name": name, "ok": True, "told": check()}
    except TallymanError as error:
        return {"name": name, "ok": False, "told": f"{error} {error.advice}"}


def _engines() -> str:
    """Those that read, the one that costs least first, with what they lack; then those that can't, and why."""
    engines = {name: engine for name, engine in Registry().ocr_engines.items() if engine.cost is not None}
    missing = {name: told for name, engine in engines.items() if (told := engine.available())}
    able = sorted(engines.keys() - missing.keys(), key=lambda name: (engines[name].cost or 0.0, name))
    if not able:
        raise ConfigurationError("No OCR engine can work here.", advice="; ".join(missing.values()))
    return "; ".join((*(_engine(name, engines[name]) for name in able), *missing.values()))


def _engine(name: str, engine: OcrEngine) -> str:
    lacking = f" without {', '.join(engine.lacking)} (scripts/setup installs them)" if engine.lacking else ""
    return f"{name} {engine.version}{lacking}"


def _walls() -> str:
    """Work goes on without them; limits of memory and time hold everywhere."""
    gaps = call("tallyman.platform.sandbox_walls:missing", {})
    return f"a child that reads them is shut in, but {' and '.join(gaps)}" if gaps else "a child that reads is shut in"


def _extensions() -> str:
    registry = Registry()
    kinds = len(registry.document_types)
    return f"{len(registry.bots)} bots, {len(registry.systems)} systems, {kinds} document types"


def _settings(home: Home) -> str:
    home.settings()
    return f"{home.path}"


def _space(home: Home) -> str:
    free = shutil.disk_usage(home.path).free
    if free < _LOW_SPACE:
        raise ConfigurationError(
            f"Only {free >> 20} MiB are free.", advice="Free some space; postings stop without it."
        )
    return f"{free >> 30} GiB free"


def _database(home: Home) -> str:
    desk = Desk.open(home)
    try:
        with desk.database.transaction() as connection:
            broken = audit.verify(connection)
        if broken:
            raise ConfigurationError(
                f"The audit trail is broken: {broken}", advice="Restore the database from a backup."
            )
        return "audit trail whole, " + (
            "a worker is at work" if is_worker_there(desk.home, desk.database) else "no worker at work"
        )
    finally:
        desk.close()


def _standing(home: Home) -> list[dict[str, object]]:
    """A line for each system, each reader that failed, and each bot; with what programs want to know."""
    desk = Desk.open(home)
    try:
        found, zone = standing(desk), desk.settings.office.zone
    finally:
        desk.close()
    sides = [_side("System", one, zone) for one in found.systems] + [
        _side("Reader", one, zone) for one in found.readers
    ]
    return sides + [_backlog(one) for one in found.bots]


def _side(kind: str, side: Side, zone: ZoneInfo) -> dict[str, object]:
    breaker, rate = side.breaker, side.per_minute
    told = "" if rate is None else f"at most {rate} calls a minute; "
    times = "1 failure" if breaker.failures == 1 else f"{breaker.failures} failures in a row"
    failed = f"{times}: {breaker.message}"
    advice = "See that it is back; work goes on by itself."
    if side.state == "open" and side.until is not None:
        told += f"left alone until {side.until.astimezone(zone):%H:%M:%S} after {failed} {advice}"
    elif side.state == "trying":
        told += f"the next call tries it after {failed} {advice}"
    else:
        told += failed if breaker.failures else "no failures"
    return {
        "name": f"{kind} {side.name if kind == 'System' else side.title}",
        "ok": side.state == "closed",
        "told": told,
        "breaker": {"state": side.state, **breaker.to_json()},
        "max_per_minute": rate,
    }


def _backlog(bot: Backlog) -> dict[str, object]:
    told = " ".join((f"{bot.open} of at most {bot.most} cases open.", *bot.waits))
    return {"name": f"Bot {bot.bot}", "ok": True, "told": told, "open": bot.open, "most_waiting": bot.most}

"""`tallyman schedule`: when bots run by themselves."""

from typing import Annotated, Any

import typer
from rich.markup import escape
from sqlalchemy import select

from tallyman.cli.common import open_desk, out, print_json, user_name
from tallyman.cli.tables import new_table, print_table
from tallyman.errors import UsageError
from tallyman.office.language import of_terminal
from tallyman.runtime import schedule
from tallyman.runtime.desk import Desk
from tallyman.store.tables import schedules

app = typer.Typer(help="When bots run by themselves.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="For programs.")]
BotName = Annotated[str, typer.Argument(help="The bot's name.", metavar="BOT")]


@app.command("list")
def list_schedules(as_json: Json = False) -> None:
    """All bots with a schedule, and when each runs next."""
    with open_desk() as desk:
        told = [_one(desk, bot, 1) for bot, settings in desk.bots().items() if settings.schedule]
        language = of_terminal(desk.settings.office.zone)
    if as_json:
        print_json([{**one, "next": [at.isoformat() for at in one["next"]]} for one in told])
        return
    if not told:
        out.print("No bot has a schedule. Write one under `schedule:` in its bot.yaml.")
        return
    table = new_table()
    for column in ("Bot", "On", "Cron", "Time zone", "Missed", "Next"):
        table.add_column(column, no_wrap=True)
    for one in told:
        at = language.minute(one["next"][0]) if one["next"] else "-"
        cells = (one["bot"], "yes" if one["enabled"] else "no", one["cron"], one["time_zone"], one["catch_up"], at)
        table.add_row(*(escape(cell) for cell in cells))
    print_table(table)
    for one in told:
        if one["not_set_up"]:
            systems = ", ".join(one["not_set_up"])
            out.print(f"{one['bot']} does not run yet: tallyman.toml says nothing of {systems}.", highlight=False)
    out.print("Next: `tallyman schedule next BOT`.", highlight=False)


@app.command("next")
def next_times(
    bot: BotName,
    count: Annotated[int, typer.Option("--count", min=1, max=1000, help="How many times.")] = 5,
    as_json: Json = False,
) -> None:
    """The next times at which a bot runs by itself."""
    with open_desk() as desk:
        told = _one(desk, bot, count)
        language = of_terminal(desk.settings.office.zone)
    if as_json:
        print_json([at.isoformat() for at in told["next"]])
        return
    if not told["enabled"]:
        out.print(f"The schedule of {bot} is off. Next: `tallyman schedule enable {bot}`.", highlight=False)
        return
    for at in told["next"]:
        out.print(f"{language.weekday(at)}, {language.minute(at).rpartition(', ')[2]}", highlight=False)


@app.command()
def enable(bot: BotName) -> None:
    """Switch a schedule on; it begins now, what was missed while it was off is not made good."""
    _switch(bot, True)


@app.command()
def disable(bot: BotName) -> None:
    """Switch a schedule off; a run that is at work goes on."""
    _switch(bot, False)


def _switch(bot: str, on: bool) -> None:
    with open_desk() as desk:
        schedule.set_enabled(desk, bot, on, user_name())
    out.print(f"The schedule of {bot} is {'on' if on else 'off'}.", highlight=False)


def _one(desk: Desk, bot: str, count: int) -> dict[str, Any]:
    settings = desk.bot(bot).schedule
    if settings is None:
        raise UsageError(f"The bot {bot!r} has no schedule.", advice="Write one under `schedule:` in its bot.yaml.")
    with desk.database.transaction() as connection:
        row = connection.execute(select(schedules.c.enabled).where(schedules.c.bot == bot)).first()
    return {
        "bot": bot,
        "enabled": bool(row.enabled) if row else settings.enabled,
        "cron": settings.cron,
        "time_zone": settings.time_zone,
        "catch_up": settings.catch_up,
        "not_set_up": desk.not_set_up(bot),
        "next": schedule.next_times(settings, count),
    }

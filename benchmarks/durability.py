"""The promise, measured: faults by the hundreds, and what was lost or there twice afterwards.

`python -m benchmarks.durability` is the quick run of `make faults` (a quarter of an hour on two cores), `--long` the
full one. The limits: 0 lost, 0 duplicates, 60 ms for the engine, 20 ms for a decision. The last line is one JSON
object. Exit code 1 when anything was lost, doubled or wrong.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import faults_page, routing
from tests.chaos import browser_faults, crashes, fire_times, machines, races, schedules, shortages
from tests.chaos.spread import spread
from tests.chaos.tally import Tally
from tests.postgres import database, postgres

ENGINE_LIMIT_MS = 60.0
ROUTING_LIMIT_MS = 20.0
STORED = 100_000

out = Console(width=None if Console().is_terminal else 110)


@dataclass
class Sizes:
    """How much of each: (quick, long)."""

    long: bool

    def of(self, quick: int, long: int) -> int:
        return long if self.long else quick


@dataclass
class Bench:
    sizes: Sizes
    seed: int
    folder: Path
    server: str
    tallies: list[Tally] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)


Part = Callable[[Bench], list[Tally]]


def simulation(bench: Bench) -> list[Tally]:
    tally = schedules.simulate(bench.sizes.of(3000, 10_000), bench.seed, bench.folder / "schedules")
    blind = schedules.simulate(bench.sizes.of(600, 2000), bench.seed, bench.folder / "not-armed", armed=False)
    if not blind.duplicates:
        tally.problems.append("Without the armed row the simulation found no duplicate, so its 0 proves nothing.")
    for what in ("clicks", "crashes", "decisions", "late records", "stale workers woken", "taken over"):
        if tally.extra[what] <= tally.n / 50:
            tally.problems.append(f"The schedules hardly met what they are to meet: {what} {tally.extra[what]}.")
    tally.extra["duplicates_when_not_armed"] = blind.duplicates
    bench.figures |= {"simulated": tally.n, "simulation_s": round(tally.seconds, 1)}
    bench.figures["duplicates_when_not_armed"] = blind.duplicates
    return [tally]


def kills(bench: Bench) -> list[Tally]:
    told = []
    for server in ("", bench.server):
        one = crashes.singles(bench.sizes.of(12, 1000), bench.seed, bench.folder, server)
        two = Tally(row="1", fault=one.fault.replace("every step boundary", "pairs of boundaries"), seed=bench.seed)
        for seed in range(bench.seed, bench.seed + 4):  # each with other fates of its invoices
            two.add(crashes.pairs(bench.sizes.of(2, 55), seed, bench.folder, server))
        told += [one, two]
    bench.figures |= {
        "singles": told[0].n + told[2].n,
        "pairs": told[1].n + told[3].n,
        "boundaries": told[0].extra["boundaries"],
        "slowest_resume_s": round(max(tally.extra["slowest_resume_s"] for tally in told), 1),
    }
    return told


def browser(bench: Bench) -> list[Tally]:
    tally = browser_faults.mixed_postings(bench.sizes.of(30, 360), bench.seed, bench.folder / "browser")
    bench.figures["browser"] = tally.n
    return [tally]


def several_workers(bench: Bench) -> list[Tally]:
    count = bench.sizes.of(80, 500)
    tally = machines.several(4, count, 2, bench.seed, bench.folder, bench.server)
    tally.fault = f"4 workers, 3 accounts, {count} cases, 2 workers killed"
    bench.figures["slowest_take_over_s"] = round(tally.extra["slowest_take_over_s"], 1)
    return [tally]


def throughput(bench: Bench) -> list[Tally]:
    """No fault: how many cases a second, and what the engine costs of it."""
    count = bench.sizes.of(60, 200)
    for name, server in (("sqlite", ""), ("postgres", bench.server)):
        told = machines.overhead(count // 2, bench.folder, server)
        bench.figures[f"case_ms_{name}"] = round(told["engine"], 1)
        bench.figures[f"overhead_ms_{name}"] = round(told["engine"] - told["direct"], 1)
    tallies = []
    for workers in (1, 2, 4):
        tally = machines.several(workers, count, 0, bench.seed, bench.folder, bench.server, accounts=4)
        bench.figures[f"cases_per_s_{workers}_workers"] = round(tally.extra["cases_per_s"], 1)
        tallies.append(tally)
    return [tally for tally in tallies if not tally.clean]


def decisions(bench: Bench) -> list[Tally]:
    told = routing.measure(STORED, 400, bench.folder, bench.seed)
    bench.figures["routing_p95_ms"] = round(told["p95_ms"], 1)
    return []


def time_and_clocks(bench: Bench) -> list[Tally]:
    zones = fire_times.every_zone(2025, 2030 if bench.sizes.long else 2026, alike=True, nights=bench.sizes.long)
    count = bench.sizes.of(10, 40)
    both = [f"sqlite:///{bench.folder / 'two-schedulers.db'}", database(bench.server, "two-schedulers")]
    return [zones, *(fire_times.two_schedulers(url, count, bench.seed) for url in both)]


def many_at_once(bench: Bench) -> list[Tally]:
    count = bench.sizes.of(600, 10_000)
    over_postgres = partial(races.ledger_races, url=database(bench.server, "ledger-races"))
    return [
        spread(races.ledger_races, count, bench.seed, bench.folder / "ledger-races"),
        spread(over_postgres, count // 4, bench.seed, bench.folder / "ledger-races-postgres"),
        spread(races.review_races, count, bench.seed, bench.folder / "review-races"),
    ]


def missing(bench: Bench) -> list[Tally]:
    count = bench.sizes.of(3, 20)
    every = (shortages.full_disk, shortages.locked_database, shortages.no_vault, shortages.no_log)
    return [fault(count, bench.seed, bench.folder) for fault in every]


def upgrades(bench: Bench) -> list[Tally]:
    count = bench.sizes.of(3, 20)
    return [crashes.upgrades(count, bench.seed, bench.folder, server) for server in ("", bench.server)]


PARTS: dict[str, Part] = {
    "simulation": simulation,
    "decisions": decisions,
    "throughput": throughput,
    "several workers": several_workers,
    "kills": kills,
    "browser": browser,
    "upgrades": upgrades,
    "shortages": missing,
    "races": many_at_once,
    "clocks": time_and_clocks,
}


def main(
    long: Annotated[bool, typer.Option("--long", help="The full figures, in about an hour and a quarter.")] = False,
    seed: Annotated[int, typer.Option(help="All faults follow from it.")] = 1,
    only: Annotated[list[str] | None, typer.Option(help=f"Only these: {', '.join(PARTS)}.")] = None,
    write: Annotated[Path | None, typer.Option(help="Write the page with the figures there.")] = None,
) -> None:
    """Run the faults and print what came of them."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tallyman-faults-") as folder, postgres() as server:
        bench = Bench(Sizes(long), seed, Path(folder), server)
        with _progress() as (progress, task):
            for name in only or PARTS:
                progress.update(task, description=name)
                bench.tallies += PARTS[name](bench)
                progress.advance(task)
                # So an hour's run that is cut off has said what it had found.
                progress.console.print(f"{name}: {json.dumps(_sums(bench))}", markup=False, highlight=False)
    told = _sums(bench)
    _show(bench)
    if write is not None:
        write.write_text(faults_page.page(bench.tallies, told, commit=_commit(), seed=seed, long=long), "utf-8")
    out.print(f"{time.monotonic() - began:.0f} s; seed {seed}", highlight=False)
    print(json.dumps(told))
    if told["lost"] or told["duplicates"] or told["wrong_values"] or any(not tally.clean for tally in bench.tallies):
        raise typer.Exit(1)


@contextmanager
def _progress() -> Iterator[tuple[Progress, TaskID]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield progress, progress.add_task("", total=len(PARTS))


def _sums(bench: Bench) -> dict[str, float]:
    names = ("lost", "duplicates", "wrong_values")
    return {name: sum(getattr(tally, name) for tally in bench.tallies) for name in names} | bench.figures


def _show(bench: Bench) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("Row", "Fault"):
        table.add_column(name)
    for name in ("N", "Lost", "Twice", "Wrong", "Unknown", "s"):
        table.add_column(name, justify="right")
    for tally in bench.tallies:
        counts = (tally.n, tally.lost, tally.duplicates, tally.wrong_values, tally.unknown)
        table.add_row(tally.row, tally.fault, *(f"{one:,}" for one in counts), f"{tally.seconds:.0f}")
    out.print(table)
    for tally in bench.tallies:
        for problem in tally.problems:
            out.print(f"{tally.fault}: {problem}", markup=False, highlight=False, style="red")
    figures = bench.figures
    for name in ("sqlite", "postgres"):
        if (ms := figures.get(f"overhead_ms_{name}")) is not None:
            told = f"engine on {name}: {ms:.1f} ms a case of {figures[f'case_ms_{name}']:.1f} ms in all"
            out.print(f"{told}; {ms / ENGINE_LIMIT_MS:.2f} of the limit of {ENGINE_LIMIT_MS:.0f} ms", highlight=False)
    if "routing_p95_ms" in figures:
        ratio = figures["routing_p95_ms"] / ROUTING_LIMIT_MS
        told = f"decision: p95 {figures['routing_p95_ms']:.1f} ms over {STORED:,} stored"
        out.print(f"{told}; {ratio:.2f} of the limit of {ROUTING_LIMIT_MS:.0f} ms", highlight=False)
    for workers in (1, 2, 4):
        if (rate := figures.get(f"cases_per_s_{workers}_workers")) is not None:
            out.print(f"workers on PostgreSQL: {workers}, cases/s: {rate:.1f}", highlight=False)


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    typer.run(main)

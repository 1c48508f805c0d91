"""docs/faults.md, written from what was measured."""

import os
import platform
from collections.abc import Mapping, Sequence

from tests.chaos.tally import Tally

_HEAD = """# Faults

Every fault below was made to happen, with real processes, databases and browsers, and afterwards the target's own books
were compared with Tallyman's. This page is written by `make faults`; nothing in it is typed by hand.

- **Lost:** a document that has no ending, or a record in the books that the ledger denies, or the other way round.
- **Twice:** two records in the target for one document. **Wrong:** a value in the books unlike the approved one.
- **Unknown:** nobody could tell what had become of a click, so a person was asked. That is right, and costs a look.
- **At most:** "0 in N" does not mean never. With 95 % the true rate is below 3/N.

"""


def page(tallies: Sequence[Tally], figures: Mapping[str, float], *, commit: str, seed: int, long: bool) -> str:
    """The page as Markdown."""
    run = "the long run, `make faults LONG=1`" if long else "the quick run, `make faults`"
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    parts = [_HEAD, f"Measured at commit `{commit}` with seed {seed} on {machine}: {run}.\n\n", _table(tallies)]
    parts += ["\n## Figures\n\n| | |\n|---|---|\n"]
    parts += [f"| {_words(name)} | {_number(value)} |\n" for name, value in figures.items()]
    problems = [f"- {tally.fault}: {problem.splitlines()[0]}\n" for tally in tallies for problem in tally.problems]
    if problems:
        parts += ["\n## What was not as it has to be\n\n", *problems]
    parts += ["\n", _NOT_HERE]
    return "".join(parts)


def _table(tallies: Sequence[Tally]) -> str:
    lines = ["| # | Fault | N | Lost | Twice | Wrong | Unknown | At most |\n|--:|---|--:|--:|--:|--:|--:|--:|\n"]
    for tally in sorted(tallies, key=lambda one: int(one.row.split(",")[0])):
        harm = tally.lost + tally.duplicates + tally.wrong_values
        bound = "-" if harm or not tally.n else f"{min(100, 300 / tally.n):.3g} %"
        figures = (tally.n, tally.lost, tally.duplicates, tally.wrong_values, tally.unknown)
        counts = " | ".join(f"{one:,}" for one in figures)
        lines.append(f"| {tally.row} | {tally.fault} | {counts} | {bound} |\n")
    return "".join(lines)


_NOT_HERE = """\
Rows 12 to 16 of the matrix (hostile files, instructions in documents, tampered maps and models, the audit trail) are
tests of their own parts and not measured here. What the faults are made with: `tests/chaos/`.
"""


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"

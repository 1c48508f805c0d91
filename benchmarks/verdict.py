"""Figures shown, and held against their limits."""

import json
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

Limits = Mapping[str, tuple[str, float]]
"""For each figure ">=" or "<=", and the limit."""


def show(told: Mapping[str, Mapping[str, Any]], title: str | None = None) -> None:
    """A table of all figures of each part; the last line is JSON."""
    table = Table("part", "figure", "value", title=title)
    for part, figures in told.items():
        for name, value in figures.items():
            table.add_row(part, name, str(value))
    Console().print(table)
    print(json.dumps(told))


def broken(figures: Mapping[str, float | None], limits: Limits) -> list[str]:
    """The figures that are beyond their limits. One that was not measured (None) says nothing."""
    told = {name: value for name in limits if (value := figures[name]) is not None}
    return [name for name, value in told.items() if not _holds(value, *limits[name])]


def verdict(figures: Mapping[str, float | None], limits: Limits) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("figure")
    for name in ("measured", "limit", "of the limit"):
        table.add_column(name, justify="right")
    for name, (sign, limit) in limits.items():
        value = figures[name]
        if value is not None:
            share = f"{value / limit:.2f}" if limit else ""
            style = "" if _holds(value, sign, limit) else "red"
            table.add_row(name, f"{value:g}", f"{sign} {limit:g}", share, style=style)
    return table


def _holds(value: float, sign: str, limit: float) -> bool:
    return value >= limit if sign == ">=" else value <= limit

"""Tables that fit 100 columns."""

from rich.table import Table

from tallyman.cli.common import out

_WIDEST = 100


def new_table() -> Table:
    """No frame, bold heads."""
    return Table(box=None, pad_edge=False, header_style="bold", expand=True)


def print_table(table: Table) -> None:
    """As wide as the terminal, at most 100 columns; 100 where the output is no terminal."""
    out.print(table, width=min(out.width, _WIDEST), crop=out.is_terminal)

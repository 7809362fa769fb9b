"""The terminal: tables and lines that stay whole when they go to a file or another program."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["console", "print_json", "print_table"]

#: Without a terminal nothing is folded: a row is a line, for grep and the like.
_UNFOLDED: Final = 10_000


@cache
def console() -> Console:
    """Standard output."""
    screen = Console(highlight=False)
    return screen if screen.is_terminal else Console(highlight=False, width=_UNFOLDED)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> None:
    """Rows under headings; cells are printed as they are, square brackets included."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    console().print(table)


def print_json(value: Any) -> None:
    """``value`` as indented JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False))

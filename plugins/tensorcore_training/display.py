"""How a training shows itself: a bar by rich on a terminal, lines elsewhere, nothing where none is wanted."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any, Final

import tensorcore as tc

__all__ = ["BarDisplay", "Display", "LineDisplay", "figures", "make_display"]

#: Seconds between two looks at the figures; on a device that works ahead, each look waits for it.
_PAUSE: Final = 0.1


def figures(row: Mapping[str, Any]) -> str:
    """The single figures of a row, in a line."""
    parts = []
    for name, value in row.items():
        value = value.item() if isinstance(value, tc.Tensor) and value.numel() == 1 else value
        if isinstance(value, (int, float)):
            parts.append(f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}")
    return "  ".join(parts)


class Display:
    """Shows nothing."""

    def begin(self, epoch: int, epochs: int, total: int | None) -> None:
        """An epoch of ``total`` batches, where that is known, begins."""

    def is_due(self) -> bool:
        """Whether it is time for another look."""
        return False

    def update(self, done: int, row: Mapping[str, Any]) -> None:
        """So many batches are done, with these figures."""

    def end(self, row: Mapping[str, Any], seconds: float) -> None:
        """The epoch has ended with these figures."""

    def close(self) -> None:
        """The training ends."""


class LineDisplay(Display):
    """A line for each epoch; on a terminal the line is written over while the epoch runs."""

    def __init__(self, stream: Any = None) -> None:
        self.stream = sys.stdout if stream is None else stream
        self.terminal = self.stream.isatty()
        self.head = ""
        self.total: int | None = None
        self.looked = 0.0
        self.width = 0

    def begin(self, epoch: int, epochs: int, total: int | None) -> None:
        """Remember which epoch it is."""
        self.head = f"epoch {epoch}/{epochs}"
        self.total = total

    def is_due(self) -> bool:
        """Every tenth of a second, where the line can be written over."""
        if not self.terminal or time.monotonic() - self.looked < _PAUSE:
            return False
        self.looked = time.monotonic()
        return True

    def update(self, done: int, row: Mapping[str, Any]) -> None:
        """Write over the line."""
        of = "" if self.total is None else f"/{self.total}"
        self._write(f"{self.head}  {done}{of}  {figures(row)}", "")

    def end(self, row: Mapping[str, Any], seconds: float) -> None:
        """Write the line that stays."""
        self._write(f"{self.head}  {figures(row)}  {seconds:.1f} s", "\n")

    def close(self) -> None:
        """Leave the line."""
        if self.width:
            self.stream.write("\n")
            self.stream.flush()

    def _write(self, text: str, end: str) -> None:
        start = "\r" if self.width else ""
        self.stream.write(start + text.ljust(self.width) + end)
        self.stream.flush()
        self.width = 0 if end else len(text)


class BarDisplay(Display):
    """A bar while an epoch runs, and a line that stays."""

    def __init__(self, console: Any) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}", markup=False),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self.task = self.progress.add_task("", total=None, figures="")
        self.head = ""
        self.looked = 0.0

    def begin(self, epoch: int, epochs: int, total: int | None) -> None:
        """Begin the bar anew."""
        self.head = f"epoch {epoch}/{epochs}"
        self.progress.reset(self.task, total=total, description=self.head, figures="")
        self.progress.start()

    def is_due(self) -> bool:
        """Every tenth of a second."""
        if time.monotonic() - self.looked < _PAUSE:
            return False
        self.looked = time.monotonic()
        return True

    def update(self, done: int, row: Mapping[str, Any]) -> None:
        """Move the bar."""
        self.progress.update(self.task, completed=done, figures=figures(row))

    def end(self, row: Mapping[str, Any], seconds: float) -> None:
        """Print the line that stays."""
        self.progress.console.print(f"{self.head}  {figures(row)}  {seconds:.1f} s", markup=False, highlight=False)

    def close(self) -> None:
        """Remove the bar."""
        self.progress.stop()


def make_display(progress: bool) -> Display:
    """The display for standard output as it is."""
    if not progress:
        return Display()
    try:
        from rich.console import Console
    except ImportError:
        return LineDisplay()
    console = Console()
    # In a notebook rich shows a bar too.
    return BarDisplay(console) if console.is_terminal or console.is_jupyter else LineDisplay()

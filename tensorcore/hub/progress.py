"""A progress bar of one line for terminals, from the standard library alone."""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType
from typing import Any, Final

__all__ = ["ProgressBar", "in_units"]

#: Seconds between two drawings.
_PERIOD: Final = 0.1
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


def in_units(count: float) -> str:
    """Bytes in the largest decimal unit that leaves a number from 1: ``44.7 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


class ProgressBar:
    """Draws how many bytes of how many have come, at what rate, and the time left.

    Draws only on terminals: a log file gets no half-drawn lines.
    """

    def __init__(self, label: str, shown: bool = True, stream: Any = None) -> None:
        self.label = label
        self.stream = sys.stderr if stream is None else stream
        # ``sys.stderr`` is None in programs without a console.
        self.shown = shown and self.stream is not None and bool(getattr(self.stream, "isatty", bool)())
        self.done, self.total = 0, 0
        self.begun, self.come, self.drawn = time.monotonic(), 0, 0.0

    def restart(self, done: int, total: int | None) -> None:
        """Say where the transfer stands; ``total`` is None where the server does not tell."""
        self.done, self.total = done, total or 0

    def advance(self, count: int) -> None:
        """Note that ``count`` bytes have come."""
        self.done += count
        self.come += count
        now = time.monotonic()
        if self.shown and now - self.drawn >= _PERIOD:
            self.drawn = now
            self._draw(now)

    def line(self, now: float, columns: int) -> str:
        """What the terminal shows, at most ``columns`` wide."""
        rate = self.come / max(now - self.begun, 1e-9)
        speed = f"{in_units(rate)}/s"
        if not self.total:
            return f"{self.label}  {in_units(self.done)}  {speed}"[:columns]
        left = int((self.total - self.done) / rate) if rate else 0
        share = min(self.done / self.total, 1.0)
        tail = f" {share:4.0%}  {in_units(self.done)} of {in_units(self.total)}  {speed}  {left // 60}:{left % 60:02d}"
        label = self.label[: max(columns - len(tail) - 12, 8)]
        width = max(min(columns - len(tail) - len(label) - 2, 40), 0)
        whole, part = divmod(round(share * width * 8), 8)
        bar = (_EIGHTHS[8] * whole + (_EIGHTHS[part] if part else "")).ljust(width)
        return f"{label} {bar}{tail}"[:columns]

    def _draw(self, now: float) -> None:
        columns = shutil.get_terminal_size().columns - 1
        text = self.line(now, columns)
        try:
            self.stream.write(f"\r{text:<{columns}}")
        except UnicodeEncodeError:
            # A terminal without the blocks.
            self.stream.write(f"\r{text.encode('ascii', 'replace').decode():<{columns}}")
        self.stream.flush()

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.shown and self.come:
            self._draw(time.monotonic())
            self.stream.write("\n")
            self.stream.flush()

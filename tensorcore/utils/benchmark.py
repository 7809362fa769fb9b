"""Times of statements: measured in one thread, with the device waited for, and compared in a table."""

from __future__ import annotations

import statistics
import time
import timeit
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from tensorcore.errors import ArgumentError

__all__ = ["Compare", "Measurement", "Timer", "timer"]

_UNITS: Final = ((1e-9, "ns"), (1e-6, "us"), (1e-3, "ms"), (1.0, "s"))
#: Spread over median from which something else ran meanwhile.
_NOISY: Final = 0.1


def timer() -> float:
    """Seconds of a clock, when accelerators have done what they were told.

    Example:
        >>> from tensorcore.utils.benchmark import timer
        >>> timer() <= timer()
        True
    """
    from tensorcore import accelerator

    if accelerator.is_available():
        accelerator.synchronize()
    return time.perf_counter()


def _unit(seconds: float) -> tuple[float, str]:
    """The largest unit in which a time is at least one."""
    return next((unit for unit in reversed(_UNITS) if seconds >= unit[0]), _UNITS[0])


@dataclass
class Measurement:
    """Times of one statement.

    Attributes:
        number_per_run: how many times the statement ran for each of ``raw_times``.
        raw_times: seconds of the runs.
        label, sub_label, description: what `Compare` calls the table, the row and the column.
        num_threads: how many threads kernels could use.
        stmt: the statement.
        env: what else tells runs apart.
    """

    number_per_run: int
    raw_times: list[float]
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    num_threads: int = 1
    stmt: str = ""
    env: str | None = None
    metadata: dict[Any, Any] = field(default_factory=dict)

    @property
    def times(self) -> list[float]:
        """Seconds of one execution, by run."""
        return [each / self.number_per_run for each in self.raw_times]

    @property
    def median(self) -> float:
        """The median of the times."""
        return statistics.median(self.times)

    @property
    def mean(self) -> float:
        """The mean of the times."""
        return statistics.fmean(self.times)

    @property
    def iqr(self) -> float:
        """The width of the middle half of the times."""
        low, high = self._quartiles()
        return high - low

    @property
    def has_warnings(self) -> bool:
        """Whether the times differ so much that something else ran meanwhile."""
        return bool(self.raw_times) and self.iqr > _NOISY * self.median

    @property
    def title(self) -> str:
        """The label and what tells it apart, or the statement."""
        return ": ".join(part for part in (self.label or self.stmt, self.sub_label) if part)

    @property
    def as_row_name(self) -> str:
        """What `Compare` calls its row."""
        return self.sub_label or self.stmt

    def _quartiles(self) -> tuple[float, float]:
        if len(self.raw_times) < 2:
            return self.median, self.median
        low, _, high = statistics.quantiles(self.times, n=4, method="inclusive")
        return low, high

    @staticmethod
    def merge(measurements: Iterable[Measurement]) -> list[Measurement]:
        """Measurements of the same statement put together."""
        merged: dict[Any, Measurement] = {}
        for each in measurements:
            facts = (each.label, each.sub_label, each.description, each.num_threads, each.stmt, each.env)
            made = merged.setdefault((each.number_per_run, *facts), Measurement(each.number_per_run, [], *facts))
            made.raw_times += each.raw_times
        return list(merged.values())

    def __str__(self) -> str:
        lines = [self.title, *([self.description] if self.description else [])]
        scale, unit = _unit(self.median)
        count = len(self.raw_times)
        runs = f"{count} measurement{'s' if count > 1 else ''}, {self.number_per_run} runs each"
        threads = f"{self.num_threads} thread{'s' if self.num_threads > 1 else ''}"
        if len(self.raw_times) == 1:
            lines.append(f"  {self.median / scale:.2f} {unit}")
        else:
            low, high = self._quartiles()
            lines.append(f"  Median: {self.median / scale:.2f} {unit}")
            lines.append(f"  IQR:    {self.iqr / scale:.2f} {unit} ({low / scale:.2f} to {high / scale:.2f})")
        lines.append(f"  {runs}, {threads}")
        if self.has_warnings:
            share = self.iqr / self.median
            lines.append(f"  WARNING: the middle half is {share:.0%} of the median wide: something else ran.")
        return "\n".join(lines)

    __repr__ = __str__


class Timer:
    """Measures a statement, with garbage collection off and kernels held to ``num_threads``.

    Args:
        stmt: the statement, Python code.
        setup: code that runs before each measurement, untimed.
        global_setup: accepted for PyTorch's sake, where it is for C++.
        timer: the clock; by default one that waits for accelerators.
        globals: what the code finds by name.
        label, sub_label, description, env: what `Compare` calls it.
        num_threads: how many threads kernels may use meanwhile.

    Raises:
        ArgumentError: for another language than Python.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.utils.benchmark import Timer
        >>> found = Timer("x + x", globals={"x": tc.ones(3)}).timeit(10)
        >>> found.number_per_run, found.median > 0
        (10, True)
    """

    def __init__(
        self,
        stmt: str = "pass",
        setup: str = "pass",
        global_setup: str = "",
        timer: Callable[[], float] = timer,
        globals: dict[str, Any] | None = None,
        label: str | None = None,
        sub_label: str | None = None,
        description: str | None = None,
        env: str | None = None,
        num_threads: int = 1,
        language: Any = "python",
    ) -> None:
        if str(getattr(language, "name", language)).lower() not in ("python", "py"):
            raise ArgumentError(f"Timer: statements are Python, got language={language!r}")
        self._facts = (label, sub_label, description, num_threads, stmt, env)
        self._threads = num_threads
        import textwrap

        import tensorcore

        names = {"tensorcore": tensorcore, **(globals or {})}
        statement, before = (textwrap.dedent(part).strip() for part in (stmt, setup))
        self._timer = timeit.Timer(statement, before, timer=timer, globals=names)

    @contextmanager
    def _held(self) -> Iterator[None]:
        from tensorcore.inquiry import get_num_threads, set_num_threads

        before = get_num_threads()
        set_num_threads(self._threads)
        try:
            yield
        finally:
            set_num_threads(before)

    def timeit(self, number: int = 1_000_000) -> Measurement:
        """The time of ``number`` executions, after a hundredth as many that are not timed."""
        with self._held():
            self._timer.timeit(max(number // 100, 2))
            return self._measured(number, [self._timer.timeit(number)])

    def blocked_autorange(
        self, callback: Callable[[int, float], Any] | None = None, min_run_time: float = 0.2
    ) -> Measurement:
        """Runs of a millisecond or more, until ``min_run_time`` seconds are measured.

        The number of executions in a run is chosen so that the clock costs less than a thousandth.
        """
        with self._held():
            number = self._block(min_run_time)
            times: list[float] = []
            while not times or sum(times) < min_run_time:
                times.append(self._timer.timeit(number))
                if callback is not None:
                    callback(number, times[-1])
            return self._measured(number, times)

    def adaptive_autorange(
        self,
        threshold: float = 0.1,
        *,
        min_run_time: float = 0.01,
        max_run_time: float = 10.0,
        callback: Callable[[int, float], Any] | None = None,
    ) -> Measurement:
        """Runs until their middle half is within ``threshold`` of the median, or ``max_run_time`` seconds are over."""
        with self._held():
            number = self._block(min_run_time)
            times: list[float] = []
            while True:
                times.append(self._timer.timeit(number))
                if callback is not None:
                    callback(number, times[-1])
                found = self._measured(number, times)
                settled = len(times) > 3 and found.iqr < threshold * found.median and sum(times) >= min_run_time
                if settled or sum(times) >= max_run_time:
                    return found

    def _block(self, min_run_time: float) -> int:
        clock = self._timer.timer  # type: ignore[attr-defined] # an attribute of every timeit.Timer
        overhead = statistics.median([-(clock() - clock()) for _ in range(10)])
        number = 1
        while True:
            spent = self._timer.timeit(number)
            if overhead / max(spent, 1e-12) <= 1e-3 and spent >= min_run_time / 1000:
                return number
            if spent > min_run_time:
                return number
            number *= 10

    def _measured(self, number: int, times: list[float]) -> Measurement:
        return Measurement(number, list(times), *self._facts)


class Compare:
    """A table of measurements: rows are sub-labels, columns descriptions, a table for each label.

    Example:
        >>> from tensorcore.utils.benchmark import Compare, Measurement
        >>> a = Measurement(1, [2e-6], "add", "small", "old")
        >>> b = Measurement(1, [1e-6], "add", "small", "new")
        >>> print(Compare([a, b]))
        add              old   new
        1 thread: small  2.00  1.00
        Times are in microseconds (us).
    """

    def __init__(self, results: Iterable[Measurement]) -> None:
        self._results: list[Measurement] = []
        self._figures: int | None = None
        self.extend_results(results)

    def extend_results(self, results: Iterable[Measurement]) -> None:
        """Add measurements."""
        for each in results:
            if not isinstance(each, Measurement):
                raise ArgumentError(f"Compare: expected measurements, got {type(each).__name__}")
            self._results.append(each)

    def trim_significant_figures(self) -> None:
        """Show two significant figures."""
        self._figures = 2

    def colorize(self, rowwise: bool = False) -> None:
        """Accepted for PyTorch's sake: the table is plain text."""

    def __str__(self) -> str:
        labels = dict.fromkeys(each.label or each.stmt for each in self._results)
        return "\n\n".join(
            self._table(label, [each for each in self._results if label == (each.label or each.stmt)])
            for label in labels
        )

    def print(self) -> None:
        """Print the table."""
        print(self)

    def _table(self, label: str, results: list[Measurement]) -> str:
        columns = list(dict.fromkeys(each.description or "" for each in results))
        scale, unit = _unit(min(each.median for each in results))
        rows: dict[str, dict[str, str]] = {}
        for each in sorted(Measurement.merge(results), key=lambda each: each.num_threads):
            threads = f"{each.num_threads} thread{'s' if each.num_threads > 1 else ''}"
            name = ", ".join(part for part in (f"{threads}: {each.as_row_name}", each.env) if part)
            rows.setdefault(name, {})[each.description or ""] = self._number(each.median / scale)
        cells = [[label, *columns]]
        cells += [[name, *(row.get(column, "") for column in columns)] for name, row in rows.items()]
        first, *widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = []
        for name, *numbers in cells:
            aligned = (text.rjust(width) for text, width in zip(numbers, widths, strict=True))
            lines.append("  ".join([name.ljust(first), *aligned]).rstrip())
        names = {"ns": "nanoseconds", "us": "microseconds", "ms": "milliseconds", "s": "seconds"}
        return "\n".join([*lines, f"Times are in {names[unit]} ({unit})."])

    def _number(self, value: float) -> str:
        return f"{value:.2f}" if self._figures is None else f"{float(f'{value:.{self._figures}g}'):g}"

"""Tables of events, with PyTorch's columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

__all__ = ["format_memory", "format_time", "table"]

_UNITS: Final = {"s": 1e6, "ms": 1e3, "us": 1.0}
_SORTABLE: Final = (
    "cpu_time", "cpu_time_total", "self_cpu_time_total", "device_time", "device_time_total", "self_device_time_total",
    "cpu_memory_usage", "self_cpu_memory_usage", "device_memory_usage", "self_device_memory_usage", "flops", "count",
)  # fmt: skip


def format_time(microseconds: float, unit: str | None = None) -> str:
    """A time with its unit: ``"1.500ms"``.

    Example:
        >>> from tensorcore.profiler.tables import format_time
        >>> format_time(1500), format_time(1500, "us")
        ('1.500ms', '1500.000us')
    """
    if unit is None:
        unit = "s" if microseconds >= 1e6 else "ms" if microseconds >= 1e3 else "us"
    return f"{microseconds / _UNITS[unit]:.3f}{unit}"


def format_memory(count: float) -> str:
    """Bytes with their unit: ``"1.50 KB"``, of 1,024 bytes.

    Example:
        >>> from tensorcore.profiler.tables import format_memory
        >>> format_memory(1536), format_memory(-20)
        ('1.50 KB', '-20 B')
    """
    for unit, size in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if abs(count) >= size:
            return f"{count / size:.2f} {unit}"
    return f"{int(count)} B"


def _flops(count: float) -> str:
    for unit, size in (("TFLOP", 1e12), ("GFLOP", 1e9), ("MFLOP", 1e6), ("KFLOP", 1e3)):
        if count >= size:
            return f"{count / size:.3f} {unit}"
    return f"{int(count)} FLOP" if count else "--"


def table(
    events: Any, sort_by: str | None, row_limit: int, widths: Sequence[int], header: str | None, top_level_only: bool,
    unit: str | None,
) -> str:  # fmt: skip
    """See `EventList.table`.

    Raises:
        AttributeError: for a column that there is none of.
        ValueError: for an unknown unit of time.
    """
    if unit is not None and unit not in _UNITS:
        raise ValueError(f"table: time_unit must be one of {', '.join(_UNITS)}, got {unit!r}")
    rows = list(events)
    if not rows:
        return ""
    total, device_total = (sum(getattr(row, name) for row in rows) for name in _SELF)
    if sort_by is not None:
        key = sort_by.replace("cuda", "device").replace("xpu", "device")
        if key not in _SORTABLE:
            raise AttributeError(f"table: sort_by must be one of {', '.join(_SORTABLE)}, got {sort_by!r}")
        rows.sort(key=lambda row: getattr(row, key), reverse=True)
    if top_level_only:
        rows = [row for row in rows if row.cpu_parent is None]
    if row_limit >= 0:
        rows = rows[:row_limit]
    columns = _columns(events, rows, total, device_total, widths, unit)
    texts = [[text(row) for _, text, _ in columns] for row in rows]
    wide = [max(14, len(name) + 2, *(len(line[i]) + 2 for line in texts)) for i, (name, _, _) in enumerate(columns)]
    rule = "  ".join("-" * width for width in wide)
    lines = [] if header is None else ["=" * len(rule), header]
    lines += [rule, "  ".join(name.rjust(width) for (name, _, _), width in zip(columns, wide, strict=True)), rule]
    lines += ["  ".join(cell.rjust(width) for cell, width in zip(line, wide, strict=True)) for line in texts]
    lines += [rule, f"Self CPU time total: {format_time(total, unit)}"]
    if events.use_device:
        lines.append(f"Self {events.use_device.upper()} time total: {format_time(device_total, unit)}")
    return "\n".join(lines) + "\n"


_SELF: Final = ("self_cpu_time_total", "self_device_time_total")
Column = tuple[str, Callable[[Any], str], bool]


def _columns(
    events: Any, rows: Sequence[Any], total: float, device_total: float, widths: Sequence[int], unit: str | None
) -> list[Column]:
    def cut(text: str, width: int) -> str:
        return text if len(text) <= width or width < 0 else text[: width - 3] + "..."

    def times(what: str, whole: float, label: str) -> list[Column]:
        def share(name: str) -> Callable[[Any], str]:
            return lambda row: f"{100 * getattr(row, name) / whole:.2f}%" if whole else "--"

        def time(name: str) -> Callable[[Any], str]:
            return lambda row: format_time(getattr(row, name), unit)

        self_name, all_name = f"self_{what}_time_total", f"{what}_time_total"
        found: list[Column] = [(f"Self {label} %", share(self_name), True), (f"Self {label}", time(self_name), True)]
        if what == "cpu":
            found.append((f"{label} total %", share(all_name), True))
        return [
            *found, (f"{label} total", time(all_name), True), (f"{label} time avg", time(f"{what}_time"), True)
        ]  # fmt: skip

    columns: list[Column] = [("Name", lambda row: cut(row.key, widths[0]), False), *times("cpu", total, "CPU")]
    device = events.use_device
    if device:
        columns += times("device", device_total, device.upper())
    if events.profile_memory:
        columns += [
            ("CPU Mem", lambda row: format_memory(row.cpu_memory_usage), True),
            ("Self CPU Mem", lambda row: format_memory(row.self_cpu_memory_usage), True),
        ]
        if device:
            columns += [
                (f"{device.upper()} Mem", lambda row: format_memory(row.device_memory_usage), True),
                (f"Self {device.upper()} Mem", lambda row: format_memory(row.self_device_memory_usage), True),
            ]
    columns.append(("# of Calls", lambda row: str(row.count), True))
    if any(row.input_shapes for row in rows):
        columns.append(("Input Shapes", lambda row: cut(str(row.input_shapes or ""), widths[1]), False))
    if any(row.stack for row in rows):
        columns.append(("Source Location", lambda row: cut(row.stack[0] if row.stack else "", widths[2]), False))
    if events.with_flops:
        columns.append(("Total FLOPs", lambda row: _flops(row.flops), True))
    return columns

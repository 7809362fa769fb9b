"""What the modules of a model cost: forward, and backward by the ops that were recorded in their forward."""

from __future__ import annotations

from typing import Any

from tensorcore.profiler.tables import format_memory, format_time

__all__ = ["ModuleAverage", "ModuleList"]


class ModuleAverage:
    """The sum over calls of one module.

    Attributes:
        name: its path and class; the class alone for the model itself.
        count: how often it was called.
        forward_total, self_forward: microseconds of its forward; without the modules inside.
        backward: microseconds of the gradient rules of the ops in its forward, those of the modules inside not counted.
        memory: bytes that its forward allocated and did not free, the modules inside included.
        flops: of its forward, the modules inside included.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0
        self.forward_total = self.self_forward = self.backward = 0.0
        self.memory = self.flops = 0

    def __repr__(self) -> str:
        forward, backward = format_time(self.forward_total), format_time(self.backward)
        return f"<ModuleAverage {self.name} forward={forward} backward={backward} count={self.count}>"


class ModuleList(list[ModuleAverage]):
    """The modules in the order in which they were first called."""

    def table(self, sort_by: str | None = None, row_limit: int = 100) -> str:
        """The modules as a table to print; ``sort_by`` is an attribute of `ModuleAverage`, largest first.

        Raises:
            AttributeError: for what is no attribute of it.
        """
        rows = list(self)
        if sort_by is not None:
            rows.sort(key=lambda row: getattr(row, sort_by), reverse=True)
        if row_limit >= 0:
            rows = rows[:row_limit]
        head = ("Module", "Forward", "Self forward", "Backward", "Memory", "# of Calls")
        lines = [
            (row.name, format_time(row.forward_total), format_time(row.self_forward), format_time(row.backward),
             format_memory(row.memory), str(row.count))
            for row in rows
        ]  # fmt: skip
        wide = [max(len(line[i]) for line in (head, *lines)) for i in range(len(head))]
        text = [line[0].ljust(wide[0]) + "".join(f"  {c:>{w}}" for c, w in zip(line[1:], wide[1:], strict=True))
                for line in (head, *lines)]  # fmt: skip
        rule = "-" * len(text[0])
        return "\n".join([rule, text[0], rule, *text[1:], rule]) + "\n"

    def __str__(self) -> str:
        return self.table()


def modules_of(events: Any) -> ModuleList:
    """Sums over the modules among events."""
    found: dict[str, ModuleAverage] = {}
    for event in events:
        if event.scope == 6:
            row = found.setdefault(event.name, ModuleAverage(event.name))
            row.count += 1
            row.forward_total += event.time_range.elapsed_us()
            inner = _modules_inside(event)
            row.self_forward += event.time_range.elapsed_us() - sum(each.time_range.elapsed_us() for each in inner)
            row.memory += event.cpu_memory_usage + event.device_memory_usage
            row.flops += _flops(event)
        elif event.scope == 1 and event.module:
            row = found.setdefault(event.module, ModuleAverage(event.module))
            row.backward += event.time_range.elapsed_us()
    return ModuleList(found.values())


def _modules_inside(event: Any) -> list[Any]:
    """The modules called in it, those called in these not among them."""
    inside, waiting = [], list(event.cpu_children)
    while waiting:
        each = waiting.pop()
        if each.scope == 6:
            inside.append(each)
        else:
            waiting.extend(each.cpu_children)
    return inside


def _flops(event: Any) -> int:
    total, waiting = 0, [event]
    while waiting:
        each = waiting.pop()
        total += each.flops
        waiting.extend(each.cpu_children)
    return total

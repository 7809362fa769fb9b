"""Files for other programs: traces in the JSON of Chrome's tracing page and Perfetto, and stacks for flame graphs."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

__all__ = ["write_stacks", "write_trace"]


def write_trace(path: Any, events: Any, memory: Any = (), metadata: dict[str, Any] | None = None) -> None:
    """Write events and counters of memory in the Trace Event Format of Chrome; a path ending in ``.gz`` is packed."""
    process = os.getpid()
    written: list[dict[str, Any]] = [
        {"ph": "M", "name": "process_name", "pid": process, "tid": 0, "args": {"name": "tensorcore"}}
    ]
    for thread in sorted({event.thread for event in events}):
        written.append(
            {"ph": "M", "name": "thread_name", "pid": process, "tid": thread, "args": {"name": f"thread {thread}"}}
        )
    forward: dict[int, Any] = {}
    for event in events:
        arguments: dict[str, Any] = {"External id": event.id}
        if event.sequence_nr >= 0:
            arguments["Sequence number"] = event.sequence_nr
        if event.fwd_thread is not None:
            arguments["Fwd thread id"] = event.fwd_thread
        for label, value in (
            ("Input Dims", event.input_shapes), ("Input type", event.input_dtypes), ("Module", event.module),
            ("Call stack", ";".join(reversed(event.stack))), ("Flops", event.flops),
            ("Allocated bytes", event.cpu_memory_usage + event.device_memory_usage),
        ):  # fmt: skip
            if value:
                arguments[label] = value
        start, length = event.time_range.start, event.time_range.elapsed_us()
        written.append({
            "ph": "X", "cat": event.category, "name": event.name, "pid": process, "tid": event.thread,
            "ts": start, "dur": length, "args": arguments,
        })  # fmt: skip
        if event.sequence_nr >= 0:
            if event.scope != 1:
                forward[event.sequence_nr] = event
            elif event.sequence_nr in forward:
                first = forward[event.sequence_nr]
                flow = {"cat": "fwdbwd", "name": "fwdbwd", "id": event.sequence_nr, "pid": process}
                written.append({"ph": "s", "tid": first.thread, "ts": first.time_range.start, **flow})
                written.append({"ph": "f", "bp": "e", "tid": event.thread, "ts": start, **flow})
    for time, device, total in memory:
        counter = {"name": f"memory in use on {device}", "pid": process, "tid": 0, "ts": time}
        written.append({"ph": "C", **counter, "args": {"bytes": total}})
    document = {
        "schemaVersion": 1, "displayTimeUnit": "ms", "otherData": metadata or {}, "traceEvents": written,
    }  # fmt: skip
    text = json.dumps(document)
    if str(path).endswith(".gz"):
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.write(text)
    else:
        Path(path).write_text(text, "utf-8")


def write_stacks(path: Any, events: Any, metric: str) -> None:
    """Write stacks, outermost frame first, with their cost in whole microseconds.

    Raises:
        ValueError: for an unknown metric, or where no stacks were recorded.
    """
    known = events.supported_export_stacks_metrics()
    if metric not in known:
        raise ValueError(f"export_stacks: metric must be one of {', '.join(known)}, got {metric!r}")
    if not any(event.stack for event in events):
        raise ValueError("export_stacks: no stacks were recorded; profile with with_stack=True")
    costs: dict[str, float] = {}
    for event in events:
        if event.stack:
            line = ";".join(frame.replace(";", ",").replace(" ", "_") for frame in (*reversed(event.stack), event.name))
            costs[line] = costs.get(line, 0.0) + getattr(event, metric)
    lines = [f"{stack} {int(cost)}" for stack, cost in costs.items() if int(cost) > 0]
    Path(path).write_text("\n".join(lines) + "\n", "utf-8")

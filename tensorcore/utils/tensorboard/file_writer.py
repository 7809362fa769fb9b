"""One event file."""

from __future__ import annotations

import os
import time
from typing import Any

from tensorcore.utils.tensorboard.protocol import messages

__all__ = ["FileWriter"]


class FileWriter:
    """Appends events to a new event file in a folder, from a thread of its own.

    Raises:
        ImportError: if ``tensorboard`` is not installed.
    """

    def __init__(
        self, log_dir: str | os.PathLike[str], max_queue: int = 10, flush_secs: int = 120, filename_suffix: str = ""
    ) -> None:
        self._folder = os.fspath(log_dir)
        self._writer = messages().EventFileWriter(self._folder, max_queue, flush_secs, filename_suffix)

    def get_logdir(self) -> str:
        """The folder."""
        return self._folder

    def add_event(self, event: Any, step: Any = None, walltime: float | None = None) -> None:
        """Append an event, at a step of training."""
        event.wall_time = time.time() if walltime is None else walltime
        if step is not None:
            event.step = int(step)
        self._writer.add_event(event)

    def add_summary(self, summary: Any, global_step: Any = None, walltime: float | None = None) -> None:
        """Append a summary."""
        self.add_event(messages().Event(summary=summary), global_step, walltime)

    def add_graph(self, graph: Any, walltime: float | None = None) -> None:
        """Append a graph."""
        self.add_event(messages().Event(graph_def=graph.SerializeToString()), None, walltime)

    def flush(self) -> None:
        """Write what waits."""
        self._writer.flush()

    def close(self) -> None:
        """Write what waits and close the file."""
        self._writer.close()

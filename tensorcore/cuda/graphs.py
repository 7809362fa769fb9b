"""CUDA graphs: kernels recorded once and launched again as one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tensorcore.cuda.devices import synchronize
from tensorcore.cuda.runtime import runtime
from tensorcore.cuda.streams import Stream, StreamContext, current_stream

__all__ = ["CUDAGraph", "graph", "graph_pool_handle", "is_current_stream_capturing"]


def is_current_stream_capturing() -> bool:
    """Whether this thread records kernels instead of running them; false where CUDA is not available.

    Example:
        >>> import tensorcore as tc
        >>> tc.cuda.is_current_stream_capturing()
        False
    """
    from tensorcore.cuda.runtime import loaded

    engine = loaded()
    return engine is not None and engine.is_capturing()


def graph_pool_handle() -> Any:
    """A memory pool that several graphs may share, if they never run at the same time.

    Raises:
        BackendUnavailableError: where CUDA is not available.
    """
    return runtime().new_pool()


class CUDAGraph:
    """Work of a stream, recorded between `capture_begin` and `capture_end` and repeated by `replay`.

    Kernels read and write the same memory at each replay: new inputs are copied into the tensors that were used while
    recording. What waits for the device, such as ``.item()``, cannot be recorded. Usually made by `graph`.
    """

    def __init__(self, keep_graph: bool = False) -> None:
        self._graph: Any = None
        self._pool: Any = None
        self._stream: Stream | None = None

    def capture_begin(self, pool: Any = None, capture_error_mode: str = "global") -> None:
        """Record the current stream, which must not be the default one, from now on.

        Raises:
            RuntimeError: if a recording is under way or the stream cannot be recorded.
        """
        if self._stream is not None:
            raise RuntimeError("CUDAGraph.capture_begin: the graph is being recorded already")
        if capture_error_mode not in ("global", "thread_local", "relaxed"):
            raise ValueError(
                f"capture_error_mode must be 'global', 'thread_local' or 'relaxed', got {capture_error_mode!r}"
            )
        self.reset()
        stream = current_stream()
        self._pool = runtime().new_pool() if pool is None else pool
        runtime().begin_capture(stream._native, self._pool)
        self._stream = stream

    def capture_end(self) -> None:
        """End the recording.

        Raises:
            RuntimeError: if none is under way.
        """
        stream = self._stream
        if stream is None:
            raise RuntimeError("CUDAGraph.capture_end: no recording is under way; call capture_begin first")
        self._stream = None
        self._graph = runtime().end_capture(stream._native)

    def replay(self) -> None:
        """Run what was recorded, on the current stream.

        Raises:
            RuntimeError: if nothing was recorded.
        """
        if self._graph is None:
            raise RuntimeError("CUDAGraph.replay: nothing has been recorded")
        runtime().launch_graph(self._graph, current_stream()._native)

    def reset(self) -> None:
        """Forget the recording and its memory."""
        self._graph = None
        self._pool = None

    def pool(self) -> Any:
        """The memory pool of the recording, for another graph to share."""
        return self._pool

    def debug_dump(self, debug_path: str) -> None:
        """Write the graph in the DOT language to a file."""
        if self._graph is None:
            raise RuntimeError("CUDAGraph.debug_dump: nothing has been recorded")
        Path(debug_path).write_text(runtime().graph_text(self._graph), "utf-8")


class graph:  # noqa: N801 - PyTorch's name
    """A block whose work on a stream of its own is recorded into ``cuda_graph``.

    Args:
        cuda_graph: receives the recording.
        pool: memory of another graph's recording to share.
        stream: the stream to record; a new one by default.
    """

    def __init__(
        self, cuda_graph: CUDAGraph, pool: Any = None, stream: Stream | None = None, capture_error_mode: str = "global"
    ) -> None:
        self.cuda_graph = cuda_graph
        self.pool = pool
        self.capture_stream = Stream() if stream is None else stream
        self.capture_error_mode = capture_error_mode
        self._context = StreamContext(self.capture_stream)

    def __enter__(self) -> None:
        # Memory freed so far must be free before the recording takes its own.
        synchronize()
        self._context.__enter__()
        try:
            self.cuda_graph.capture_begin(pool=self.pool, capture_error_mode=self.capture_error_mode)
        except BaseException:
            self._context.__exit__(None, None, None)
            raise

    def __exit__(self, *exc: Any) -> None:
        try:
            self.cuda_graph.capture_end()
        except Exception:
            # A recording that failed cannot be ended well; what made it fail is what the user needs to see.
            if exc[0] is None:
                raise
        finally:
            self._context.__exit__(*exc)

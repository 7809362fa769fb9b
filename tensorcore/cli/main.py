"""Where the command starts: what goes wrong becomes one line on standard error and an exit code.

Exit codes: 0 for success, 1 for failure, 2 for a command line that cannot be meant, 130 for Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, Final

__all__ = ["InterruptError", "UsageError", "main"]

#: What the extra ``[cli]`` brings, by import names.
_EXTRA: Final = ("typer", "rich", "click")


class InterruptError(Exception):
    """Ctrl-C, in a form that typer lets through."""


class UsageError(Exception):
    """A command line that cannot be meant, such as one that names an unknown model."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv``, by default the process's own, and return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    # Accepted anywhere, as one adds it to the end of a command that failed.
    traceback = "--traceback" in words
    words = [word for word in words if word != "--traceback"]
    try:
        import rich  # noqa: F401 - tables and bars need it later, when it is too late to say so

        from tensorcore.cli.app import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        return _fail(f"the command line needs {error.name}: pip install 'tensorcore-framework[cli]'", 2)
    _show_warnings_in_a_line()
    try:
        code = run(words)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader has gone, as in `tensorcore models | head -1`; what is left to flush at exit goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, InterruptError):
        return _fail("interrupted", 130)
    except Exception as error:
        if traceback:
            raise
        return _report(error)


def _report(error: Exception) -> int:
    from tensorcore.cli.app import command_of
    from tensorcore.errors import BackendUnavailableError, DeviceError, TensorcoreError

    misused = command_of(error)
    if misused is not None:
        message = _line(error.format_message())  # type: ignore[attr-defined]
        return _fail(f"{message.rstrip('.')}; see `{misused} --help`", 2)
    if isinstance(error, UsageError):
        return _fail(str(error), 2)
    if isinstance(error, DeviceError) and not isinstance(error, BackendUnavailableError):
        return _fail(str(error), 2)
    if isinstance(error, OSError) and error.strerror and not isinstance(error, TensorcoreError):
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else error.strerror, 1)
    # Chosen messages are for the user; any other class is a fault of the program's, whose name helps to find it.
    chosen = isinstance(error, TensorcoreError | OSError) or type(error) is RuntimeError
    kind = "" if chosen else f"{type(error).__name__}: "
    hint = "" if chosen else " (--traceback shows where)"
    return _fail(f"{kind}{error}{hint}", 1)


def _fail(message: str, code: int) -> int:
    print(f"tensorcore: {_line(message)}", file=sys.stderr)
    return code


def _line(message: str) -> str:
    return " ".join(message.split())


def _show_warnings_in_a_line() -> None:
    import warnings

    def show(message: Any, *rest: Any, **options: Any) -> None:
        print(f"tensorcore: warning: {_line(str(message))}", file=sys.stderr)

    warnings.showwarning = show

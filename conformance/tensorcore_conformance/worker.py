"""A worker process: runs cases one after another and tells each outcome, so that what it dies of is known.

Requests come as lines of JSON on standard input, messages go out as lines of JSON on what was standard output. The
backend gets neither: its own input is empty, and what it prints goes to a file that is read after each case.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from typing import Any, TextIO

__all__ = ["PRINTED", "main"]

#: How much of what a case prints is kept.
PRINTED = 300


class _Console:
    """The place where standard output and error of the backend go."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process lives
        for number in (1, 2):
            os.dup2(self._file.fileno(), number)
        self._seen = 0

    def new(self) -> str:
        """What was written since the last call, the beginning of it."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:  # the backend closed or replaced it
                pass
        end = os.fstat(self._file.fileno()).st_size
        if end == self._seen:
            return ""
        os.lseek(self._file.fileno(), self._seen, os.SEEK_SET)
        data = os.read(self._file.fileno(), PRINTED)
        os.lseek(self._file.fileno(), 0, os.SEEK_END)
        self._seen = end
        return data.decode("utf-8", "replace")


def _channel() -> tuple[TextIO, TextIO]:
    """Requests and messages, on descriptors that the backend does not know."""
    requests, messages = os.fdopen(os.dup(0), "r", encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return requests, messages


def main() -> int:
    """Serve requests until standard input ends."""
    requests, messages = _channel()
    # The terminal's Ctrl-C reaches the whole group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def tell(**message: Any) -> None:
        messages.write(json.dumps(message) + "\n")
        messages.flush()

    console = _Console()
    judge: Any = None
    for line in requests:
        request = json.loads(line)
        if "device" in request:
            try:
                judge = _judge(request)
            except BaseException as error:
                tell(refused=f"{error}" or type(error).__name__, kind=type(error).__name__, printed=console.new())
                return 2
            tell(ready=_facts(judge), printed=console.new())
        else:
            try:
                _examine(judge, request["subject"], request["skip"], tell, console)
            except BaseException as error:
                tell(broken=f"{type(error).__name__}: {error}")
    return 0


def _judge(request: dict[str, Any]) -> Any:
    from tensorcore_conformance.judge import Judge
    from tensorcore_conformance.limits import Limits

    return Judge(request["device"], request["ops"], Limits.from_dict(request["limits"]), isolated=True)


def _facts(judge: Any) -> dict[str, Any]:
    from tensorcore_conformance.host_facts import facts_of

    return {"device": judge.device, "contract": judge.contract, **facts_of(judge)}


def _examine(judge: Any, subject: str, skip: int, tell: Callable[..., None], console: _Console) -> None:
    """Run the cases of a subject after the first ``skip``, which an earlier worker has run."""
    from dataclasses import asdict, replace

    from tensorcore_conformance.checks import LISTENERS

    begun = judge.begin(subject)
    tell(begun={"kind": begun.kind, "runs_as": begun.runs_as, "note": begun.note})
    LISTENERS[:] = [lambda: tell(alive=True)]
    for number, check in enumerate(judge.checks(subject)):
        if number < skip:
            continue
        tell(case=check.name, dtype=check.dtype, shapes=check.shapes, program=check.program)
        outcome = judge.run(check)
        printed = console.new()
        if printed:
            outcome = replace(outcome, printed=printed)
        standard = _STANDARD
        tell(outcome={name: value for name, value in asdict(outcome).items() if value != standard.get(name)})
    tell(done=True)


#: Fields of an outcome that are not sent when they hold this.
_STANDARD = {
    "kind": "", "message": "", "program": "", "ulp": 0.0, "mean": 0.0, "budget": 0.0, "oracle": "", "printed": "",
}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())

"""A worker process: runs cases one after another and tells each outcome, so that what it dies of is known.

Requests come as lines of JSON on standard input, messages go out as lines of JSON on what was standard output, each
behind a token of the parent's. The backend gets neither: its own input is empty, and what it prints goes to a file of
the parent's, which is read and emptied after each case, so that after a crash it holds the last words.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, TextIO

__all__ = ["PRINTED", "main"]

#: How many bytes of what a case prints are kept.
PRINTED = 300


class _Console:
    """The file where standard output and error of the backend go; standard error is it from the start."""

    def __init__(self) -> None:
        self._file = os.dup(2)
        os.dup2(2, 1)

    def new(self) -> str:
        """What was written since the last call, the beginning of it."""
        from tensorcore_conformance.outcomes import plain

        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:  # the backend closed or replaced it
                pass
        data = os.pread(self._file, PRINTED, 0)
        if data:
            # The descriptors share one position, in whichever process they are.
            os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)
        for number, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(self._file, number)
            stream = getattr(sys, name)
            if stream is None or getattr(stream, "closed", False):
                anew = open(number, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115 - it stays
                setattr(sys, name, anew)
        return plain(data.decode("utf-8", "replace"))


def _channel() -> tuple[TextIO, TextIO]:
    """Requests and messages, on descriptors that the backend does not know."""
    requests, messages = os.fdopen(os.dup(0), "r", encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return requests, messages


def _guarded() -> None:
    """See to it that nothing of this process outlives the parent, or costs it memory."""
    # The terminal's Ctrl-C is the parent's to interpret.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
    os.register_at_fork(after_in_child=lambda: sys.setprofile(_came_back))
    try:
        # Where memory runs out, the system ends this process, not the parent or a stranger.
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:  # other systems have no such file
        pass


def _came_back(frame: FrameType, event: str, argument: Any) -> None:
    """End a process that a kernel forked, when it comes back from the kernel: the cases are its parent's to run."""
    if str(frame.f_globals.get("__name__")).startswith("tensorcore_conformance."):
        os.write(2, b"a process that was forked came back from the kernel, and was ended\n")
        os._exit(0)


def main() -> int:
    """Serve requests until standard input ends."""
    requests, messages = _channel()
    console = _Console()
    _guarded()
    token = requests.readline().strip()

    def tell(**message: Any) -> None:
        # The first newline ends what a stranger may have written.
        messages.write(f"\n{token} {json.dumps(message)}\n")
        messages.flush()

    judge: Any = None
    for line in requests:
        request = json.loads(line)
        if "device" in request:
            try:
                judge = _judge(request)
                facts = _facts(judge)
            except BaseException as error:
                tell(**_refusal(request["device"], error), printed=console.new())
                return 2
            tell(ready=facts, printed=console.new())
        else:
            try:
                _examine(judge, request["subject"], request["skip"], tell, console)
            except BaseException as error:
                from tensorcore_conformance.forward import described
                from tensorcore_conformance.outcomes import plain

                tell(broken=plain(described(error)))
    return 0


def _refusal(device: str, error: BaseException) -> dict[str, Any]:
    """Why a device cannot be examined, and whether the words of the command are to blame."""
    from tensorcore.errors import DeviceError, PluginError
    from tensorcore_conformance.forward import described
    from tensorcore_conformance.outcomes import plain

    named = type(error) is ValueError or isinstance(error, (DeviceError, PluginError))
    text = str(error) if named else f"loading device {device!r} raised {described(error)}"
    return {"refused": plain(text), "usage": type(error) is ValueError}


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
    from tensorcore_conformance.process_state import ProcessState

    begun = judge.begin(subject)
    tell(begun={"kind": begun.kind, "runs_as": begun.runs_as, "note": begun.note})
    LISTENERS[:] = [lambda: tell(alive=True)]
    for number, check in enumerate(judge.checks(subject)):
        if number < skip:
            continue
        tell(case=check.name, dtype=check.dtype, shapes=check.shapes, program=check.program)
        state = ProcessState()
        outcome = judge.run(check)
        changed = state.restore()
        printed = console.new() + (f"(and changed, in the whole process: {', '.join(changed)})" if changed else "")
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

"""Worker processes: cases run where they can crash, hang and print, and the examination goes on."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from tensorcore.errors import DeviceError
from tensorcore_conformance.exemptions import Exemption
from tensorcore_conformance.limits import Limits
from tensorcore_conformance.outcomes import Outcome, SubjectReport

__all__ = ["Lost", "Workers"]

#: Workers that one op or area may cost, and that all may: what is left then is given up.
PER_SUBJECT, IN_ALL = 3, 60
#: Seconds that a worker may take to import the backend.
STARTING = 300.0


@dataclass(frozen=True)
class Lost:
    """A worker that ended before its time: what it was doing, and how it ended."""

    subject: str
    case: str
    kind: str
    how: str


class _Worker:
    """A process that runs cases, and the thread that ends it when it takes too long."""

    def __init__(self, request: dict[str, Any]) -> None:
        path = os.pathsep.join(entry for entry in sys.path if entry)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tensorcore_conformance.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            text=True,
            encoding="utf-8",
        )
        self.deadline = time.monotonic() + STARTING
        self.hung = False
        self.send(request)

    def send(self, request: dict[str, Any]) -> None:
        """Ask for something."""
        stream = self.process.stdin
        assert stream is not None
        try:
            stream.write(json.dumps(request) + "\n")
            stream.flush()
        except OSError:  # it is gone, which reading tells
            pass

    def messages(self, limit: float) -> Any:
        """What the worker tells; each message gives it ``limit`` more seconds."""
        stream: IO[str] | None = self.process.stdout
        assert stream is not None
        while True:
            line = stream.readline()
            self.deadline = time.monotonic() + limit
            if not line.endswith("\n"):
                return
            yield json.loads(line)

    def end(self) -> str:
        """End the process, and how it ended."""
        self.process.kill() if self.hung else self._closed()
        code = self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    pass
        if code < 0:
            try:
                return f"signal {signal.Signals(-code).name}"
            except ValueError:
                return f"signal {-code}"
        return f"exit code {code}"

    def _closed(self) -> None:
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()


@dataclass
class Workers:
    """Examines subjects of a device in worker processes.

    Args:
        device: name of the device, which must be known to every process.
        ops: names or patterns of ops and areas.
        limits: how much is tried.
        jobs: how many processes work at once.
        seconds: what a case may take; then the worker is ended and another goes on with the next case.
    """

    device: str
    ops: Sequence[str]
    limits: Limits
    jobs: int = 2
    seconds: float = 60.0
    lost: list[Lost] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._living: list[_Worker] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        #: A worker that waits for its first subject.
        self._first: _Worker | None = None
        self._declared: list[Exemption] | None = None
        self._contract = 0

    # ---------------------------------------------------------------- facts

    def facts(self) -> dict[str, Any]:
        """What a first worker says of the device: versions, capabilities, declared exceptions.

        Raises:
            DeviceError: where the device is unknown or cannot be loaded, or a worker ends while loading it.
            ValueError: for names that the judge refuses.
        """
        threading.Thread(target=self._watch, daemon=True).start()
        first = self._started()
        found, refusal = self._ready(first)
        if found is None:
            raise refusal
        self._first = first
        self._declared = [Exemption(**_tuples(each)) for each in found["exceptions"]]
        self._contract = int(found["contract"])
        return found

    def _started(self) -> _Worker:
        request = {"device": self.device, "ops": list(self.ops), "limits": self.limits.as_dict()}
        worker = _Worker(request)
        with self._lock:
            self._living.append(worker)
        return worker

    def _ready(self, worker: _Worker) -> tuple[dict[str, Any] | None, Exception]:
        for message in worker.messages(STARTING):
            if "ready" in message:
                return message["ready"], DeviceError("")
            self._end(worker)
            text = message["refused"]
            if message["kind"] == "ValueError":
                return None, ValueError(text)
            known = message["kind"].endswith("Error") and message["kind"] != "SystemExit"
            return None, DeviceError(
                text if known else f"loading device {self.device!r} raised {message['kind']}: {text}"
            )
        how = "it took too long" if worker.hung else self._end(worker)
        if worker.hung:
            self._end(worker)
        return None, DeviceError(f"the process that loads device {self.device!r} ended: {how}")

    def _end(self, worker: _Worker) -> str:
        with self._lock:
            if worker in self._living:
                self._living.remove(worker)
        return worker.end()

    def _watch(self) -> None:
        """End the workers whose time is up."""
        while not self._stop.wait(0.1):
            with self._lock:
                late = [each for each in self._living if time.monotonic() > each.deadline and not each.hung]
            for worker in late:
                worker.hung = True
                worker.process.kill()

    # ---------------------------------------------------------------- subjects

    def examine(
        self, subjects: Sequence[str], progress: Callable[[SubjectReport], None] | None = None
    ) -> list[SubjectReport]:
        """The reports on ``subjects``, in their order; ``progress`` is called with each when it is complete."""
        waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        for subject in subjects:
            waiting.put(subject)
        done: queue.SimpleQueue[SubjectReport | BaseException] = queue.SimpleQueue()
        jobs = max(1, min(self.jobs, len(subjects)))
        if self._declared is None:
            self.facts()
        first, self._first = self._first, None
        threads = [
            threading.Thread(target=self._work, args=(waiting, done, first if number == 0 else None), daemon=True)
            for number in range(jobs)
        ]
        for thread in threads:
            thread.start()
        found: dict[str, SubjectReport] = {}
        try:
            while len(found) < len(subjects):
                report = done.get()
                if isinstance(report, BaseException):
                    raise report
                found[report.name] = report
                if progress is not None:
                    progress(report)
        finally:
            self.close()
        return [found[subject] for subject in subjects]

    def examine_one(self, subject: str) -> SubjectReport:
        """The report on one subject, by a worker that lives on for the next."""
        if self._declared is None:
            self.facts()
        report, self._first = self._subject(subject, self._first)
        return report

    def close(self) -> None:
        """End all workers."""
        self._stop.set()
        with self._lock:
            living, self._living = self._living, []
        for worker in living:
            stream = worker.process.stdin
            try:
                assert stream is not None
                stream.close()
            except OSError:
                pass
            worker.process.kill()
            worker.process.wait()
            if worker.process.stdout is not None:
                worker.process.stdout.close()

    def _work(self, waiting: Any, done: Any, worker: _Worker | None) -> None:
        """A thread that gives one worker after another what is waiting."""
        try:
            while not self._stop.is_set():
                try:
                    subject = waiting.get_nowait()
                except queue.Empty:
                    break
                report, worker = self._subject(subject, worker)
                done.put(report)
        except BaseException as error:
            if not self._stop.is_set():
                done.put(error)

    def _subject(self, subject: str, worker: _Worker | None) -> tuple[SubjectReport, _Worker | None]:
        report = SubjectReport(subject, "")
        met: dict[Exemption, list[bool]] = {}
        for exemption in self._declared or ():
            if exemption.op == subject and (not exemption.dtypes or self._tries(exemption)):
                met[exemption] = []
        spent = cases = 0
        while True:
            refusal = ""
            if worker is None:
                worker = self._started()
                found, error = self._ready(worker)
                if found is None:
                    refusal, worker = str(error), None
            if worker is not None:
                finished, cases, lost = self._run(subject, worker, cases, report, met)
                if finished:
                    break
                worker = None
                self.lost.append(lost)
                spent += 1
            if refusal or spent >= PER_SUBJECT or len(self.lost) >= IN_ALL:
                why = refusal or f"{spent} worker processes were lost in it" if spent else "too many were lost before"
                outcome = Outcome("given up", kind="not run", message=f"the cases that follow were not run: {why}")
                self._take(outcome, report, met)
                break
        if not report.kind:
            report.kind = "op"
        report.settle(self.device, met, self._contract)
        return report, worker

    def _tries(self, exemption: Exemption) -> bool:
        return not self.limits.dtypes or bool({*exemption.dtypes} & {*self.limits.dtypes})

    def _run(
        self, subject: str, worker: _Worker, skip: int, report: SubjectReport, met: dict[Exemption, list[bool]]
    ) -> tuple[bool, int, Lost]:
        """Whether the subject is finished, how many cases have run, and what was lost if it is not."""
        worker.deadline = time.monotonic() + self.seconds
        worker.send({"subject": subject, "skip": skip})
        current: dict[str, Any] = {}
        start = time.monotonic()
        for message in worker.messages(self.seconds):
            if "begun" in message:
                for name, value in message["begun"].items():
                    setattr(report, name, value)
            elif "case" in message:
                current, start = message, time.monotonic()
            elif "outcome" in message:
                skip += 1
                facts = message["outcome"]
                self._take(Outcome(**{**facts, "shapes": tuple(facts["shapes"])}), report, met)
                current = {}
            elif "broken" in message:
                # Listing the cases raised: what the backend says of itself cannot be asked.
                self._take(Outcome("cases", kind="raised", message=message["broken"]), report, met)
                return True, skip, Lost("", "", "", "")
            elif "done" in message:
                return True, skip, Lost("", "", "", "")
        how = self._end(worker)
        kind = "hung" if worker.hung else "crashed"
        what = (
            f"the case took more than {self.seconds:g} s, and its process was ended"
            if worker.hung
            else f"the interpreter ended while the case ran ({how})"
        )
        case = current.get("case", "before the first case")
        outcome = Outcome(
            case, current.get("dtype", ""), tuple(current.get("shapes", ())), kind, what, current.get("program", ""),
            seconds=time.monotonic() - start,
        )  # fmt: skip
        self._take(outcome, report, met)
        return False, skip + bool(current), Lost(subject, case, kind, how)

    def _take(self, outcome: Outcome, report: SubjectReport, met: dict[Exemption, list[bool]]) -> None:
        for exemption in report.add(outcome, self.device, list(met)):
            met[exemption].append(bool(outcome.kind))


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    """Sequences as tuples, which JSON has not."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}

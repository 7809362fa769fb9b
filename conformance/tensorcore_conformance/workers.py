"""Worker processes: cases run where they can crash, hang and print, and the examination goes on."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tensorcore.errors import DeviceError
from tensorcore_conformance.exemptions import Exemption
from tensorcore_conformance.limits import Limits
from tensorcore_conformance.outcomes import Outcome, SubjectReport, plain
from tensorcore_conformance.worker import PRINTED

__all__ = ["Lost", "Workers"]

#: Workers that one op or area may cost, and that all may: what is left then is given up.
PER_SUBJECT, IN_ALL = 3, 60
#: Seconds that a worker may take to import the backend.
STARTING = 300.0
#: Bytes that a case may print.
OUTPUT = 1 << 30


@dataclass(frozen=True)
class Lost:
    """A worker that ended before its time: what it was doing, and how it ended."""

    subject: str
    case: str
    kind: str
    how: str


class _Worker:
    """A process that runs cases, in a group of its own with all that it forks.

    What it prints goes to a file that outlives it. A thread reads what it tells, because a process that it left behind
    may hold the pipe open after its end.
    """

    def __init__(self, request: dict[str, Any]) -> None:
        path = os.pathsep.join(entry for entry in sys.path if entry)
        self.console = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tensorcore_conformance.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.console,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
        )
        self.deadline = time.monotonic() + STARTING
        #: Why it was ended, where it was.
        self.ended = ""
        self.hung = False
        #: What it had printed since its last case when it ended.
        self.said = ""
        #: What came on the channel of messages and was none, the beginning of it.
        self.strange = ""
        self._told: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._token = os.urandom(8).hex()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._write(self._token)
        self.send(request)

    def send(self, request: dict[str, Any]) -> None:
        """Ask for something."""
        self._write(json.dumps(request))

    def _write(self, line: str) -> None:
        stream = self.process.stdin
        assert stream is not None
        try:
            stream.write(f"{line}\n".encode())
            stream.flush()
        except OSError:  # it is gone, which reading tells
            pass

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        mark = f"{self._token} ".encode()
        with stream:
            for line in stream:
                if line.startswith(mark) and line.endswith(b"\n"):
                    self._told.put(json.loads(line[len(mark) :]))
                elif line.strip() and not self.strange:
                    self.strange = plain(line[:PRINTED].decode("utf-8", "replace"))
        self._told.put(None)

    def messages(self, limit: float) -> Iterator[dict[str, Any]]:
        """What the worker tells; each message gives it ``limit`` more seconds."""
        while True:
            try:
                message = self._told.get(timeout=0.5)
            except queue.Empty:
                if self.process.poll() is None:
                    continue
                return
            if message is None:
                return
            self.deadline = time.monotonic() + limit
            yield message

    def watch(self, memory: int) -> None:
        """End the process if its time is up, or if it takes more than it may."""
        if self.ended:
            return
        if time.monotonic() > self.deadline:
            self.hung, self.ended = True, "its time was up"
        elif 0 < memory < (taken := _memory_of(self.process.pid)):
            self.ended = f"it had taken {taken / 1e9:.3g} GB of memory"
        elif os.fstat(self.console.fileno()).st_size > OUTPUT:
            self.ended = f"it had printed more than {OUTPUT / 1e9:.3g} GB"
        if self.ended:
            self.kill()

    def kill(self) -> None:
        """End the process and all that it has forked."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        except PermissionError:  # a group in which only what has ended is left, on some systems
            pass

    def end(self) -> str:
        """End the process, and how it ended."""
        if not self.ended:
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                pass
        # What it has forked is of its group, and keeps the group's number from being anybody else's.
        self.kill()
        code = self.process.wait()
        stream = self.process.stdin
        assert stream is not None
        try:
            stream.close()
        except OSError:
            pass
        self._reader.join(1)
        self.said = plain(os.pread(self.console.fileno(), PRINTED, 0).decode("utf-8", "replace")).strip()
        self.console.close()
        if self.ended:
            return self.ended
        if code < 0:
            try:
                return f"signal {signal.Signals(-code).name}"
            except ValueError:
                return f"signal {-code}"
        return f"exit code {code}"


def _memory_of(process: int) -> int:
    """Bytes of memory that a process holds; 0 where the system does not tell."""
    try:
        with open(f"/proc/{process}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


def _memory_for_each() -> int:
    """Bytes that a worker may take: half of what is free, and 2 GB at least; 0 where the system does not tell."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            free = next(int(line.split()[1]) << 10 for line in file if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return 0
    return max(2 << 30, free // 2)


@dataclass
class Workers:
    """Examines subjects of a device in worker processes.

    Args:
        device: name of the device, which must be known to every process.
        ops: names or patterns of ops and areas.
        limits: how much is tried.
        jobs: how many processes work at once.
        seconds: what a case may take; then the worker is ended and another goes on with the next case.
        memory: bytes that a worker may take, then the same; 0 for no limit.
    """

    device: str
    ops: Sequence[str]
    limits: Limits
    jobs: int = 2
    seconds: float = 60.0
    memory: int = field(default_factory=_memory_for_each)
    lost: list[Lost] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._living: list[_Worker] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        #: What the backend printed while it was loaded.
        self.printed = ""
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
            stopped = self._stop.is_set()
        if stopped:  # while it started, and `close` may have missed it
            self._end(worker)
            raise DeviceError("the examination was ended")
        return worker

    def _ready(self, worker: _Worker) -> tuple[dict[str, Any] | None, Exception]:
        for message in worker.messages(STARTING):
            if "ready" in message:
                self.printed = self.printed or message["printed"]
                return message["ready"], DeviceError("")
            self._end(worker)
            text = message["refused"] + _also(message["printed"])
            return None, ValueError(text) if message["usage"] else DeviceError(text)
        how, said = self._end(worker), _also(worker.said)
        how = f"it took more than {STARTING:g} s" if worker.hung else how
        return None, DeviceError(f"the process that loads device {self.device!r} ended: {how}{said}")

    def _end(self, worker: _Worker) -> str:
        with self._lock:
            if worker in self._living:
                self._living.remove(worker)
        return worker.end()

    def _watch(self) -> None:
        """End the workers whose time is up, or that take too much."""
        while not self._stop.wait(0.1):
            with self._lock:
                for each in self._living:
                    each.watch(self.memory)

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
            worker.ended = worker.ended or "no more is asked of it"
            worker.kill()
            worker.end()

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
                if worker.strange:
                    facts["printed"] = f"{facts.get('printed', '')}(into a pipe that is not its own) {worker.strange}"
                    worker.strange = ""
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
        if worker.hung:
            what = f"the case took more than {self.seconds:g} s, and its process was ended"
        elif worker.ended:
            what = f"the process was ended while the case ran: {how}"
        else:
            what = f"the interpreter ended while the case ran ({how})"
        what += _also(worker.said)
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


def _also(printed: str) -> str:
    return f"; it had printed {printed!r}" if printed else ""


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    """Sequences as tuples, which JSON has not."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}

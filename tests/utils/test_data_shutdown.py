"""How worker processes of a loader end: with the data, dropped, killed, interrupted."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tensorcore as tc
from tensorcore.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

pytestmark = pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="these tests start workers by fork"
)


class Computed(Dataset[Any]):
    """Samples that a function computes in the worker."""

    def __init__(self, function: Callable[[int], Any], length: int = 8) -> None:
        self.function = function
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Any:
        return self.function(index)


class Share(IterableDataset[int]):
    """The numbers below ``stop`` that fall to this worker."""

    def __init__(self, stop: int) -> None:
        self.stop = stop

    def __iter__(self) -> Iterator[int]:
        info = get_worker_info()
        assert info is not None
        return iter(range(info.id, self.stop, info.num_workers))


def identity(index: int) -> int:
    return index


def loader(dataset: Any, num_workers: int = 2, **options: Any) -> DataLoader[Any]:
    return DataLoader(dataset, num_workers=num_workers, multiprocessing_context="fork", **options)


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("the condition did not come true")


def is_gone(pid: int) -> bool:
    """Whether no process has this id, not even as a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    yield
    gc.collect()
    assert multiprocessing.active_children() == []


# ------------------------------------------------------------------ deaths


def test_a_killed_worker_is_named() -> None:
    def killed(index: int) -> int:
        if index == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return index

    expected = r"DataLoader worker \(pid \d+, number 1\) is killed by signal: SIGKILL \(exit code -9\)"
    with pytest.raises(RuntimeError, match=expected):
        list(loader(Computed(killed), batch_size=None))


def test_a_worker_that_exits_is_named() -> None:
    with pytest.raises(RuntimeError, match=r"\(pid \d+, number 0\) exited unexpectedly with exit code 3"):
        list(loader(Computed(lambda i: os._exit(3)), batch_size=None))


def test_timeout() -> None:
    expected = r"timed out after 0\.2 seconds, waiting for DataLoader worker \(pid \d+, number 0\)"
    with pytest.raises(RuntimeError, match=expected):
        list(loader(Computed(lambda i: time.sleep(2)), 1, batch_size=None, timeout=0.2))


def test_timeout_out_of_order() -> None:
    with pytest.raises(RuntimeError, match=r"timed out after 0\.2 seconds"):
        list(loader(Computed(lambda i: time.sleep(2)), 1, batch_size=None, timeout=0.2, in_order=False))


# ------------------------------------------------------------------ shutdown


def pids_of(batches: Any) -> list[int]:
    return [worker.process.pid for worker in batches.workers.members]


def test_processes_end_with_the_last_batch() -> None:
    batches = iter(loader(Computed(identity)))
    pids = pids_of(batches)
    list(batches)
    assert all(map(is_gone, pids))
    with pytest.raises(StopIteration):
        next(batches)


@pytest.mark.parametrize("taken", [0, 1, 3])
def test_processes_end_with_a_dropped_iterator(taken: int) -> None:
    batches = iter(loader(Computed(lambda i: tc.ones(5000), 100)))
    for _ in range(taken):
        next(batches)
    pids, directory = pids_of(batches), batches.workers.shared.first  # type: ignore[attr-defined]
    assert os.path.exists(directory)
    del batches
    assert all(map(is_gone, pids))
    assert not os.path.exists(directory)


def test_a_loop_that_is_left() -> None:
    for _ in loader(Computed(identity, 1000)):
        break
    assert multiprocessing.active_children() == []


def test_a_worker_stuck_in_a_full_pipe_ends() -> None:
    # Small batches far ahead fill the pipe, as nobody reads them.
    batches = iter(loader(Computed(lambda i: "x" * 1500, 500), 1, batch_size=None, prefetch_factor=300))
    next(batches)
    pids = pids_of(batches)
    started = batches.workers.members[0].process  # type: ignore[attr-defined]
    del batches
    assert all(map(is_gone, pids))
    assert started.exitcode == 0


def test_long_lists_of_indices_and_unread_answers_do_not_block_each_other() -> None:
    # Both pipes would be full several times over: 100 tasks of 10 kB, 100 answers of 1.5 kB.
    order = [[i] * 5000 for i in range(100)]
    batches = loader(
        Computed(identity, 100), 1, batch_sampler=order, prefetch_factor=100, collate_fn=lambda b: str(b[0]) * 750
    )
    assert [text[-1] for text in batches] == [str(i)[-1] for i in range(100)]


def test_epochs_that_are_begun_and_not_read() -> None:
    batches = loader(
        Computed(lambda i: [i, "x" * 1500], 200), 1, batch_size=None, persistent_workers=True, prefetch_factor=50
    )
    for _ in range(50):
        iter(batches)
    assert [each[0] for each in batches] == list(range(200))


def test_persistent_workers() -> None:
    batches = loader(Computed(lambda i: [i, os.getpid()], 4), batch_size=None, persistent_workers=True)
    epochs = [list(batches) for _ in range(3)]
    assert epochs[0] == epochs[1] == epochs[2]
    assert [each[0] for each in epochs[0]] == [0, 1, 2, 3]
    pids = [each[1] for each in epochs[0]]
    assert not any(map(is_gone, pids))
    del batches
    assert all(map(is_gone, pids))


def test_persistent_workers_after_an_epoch_that_was_broken_off() -> None:
    batches = loader(Computed(identity, 10), batch_size=None, persistent_workers=True)
    for index in batches:
        if index == 2:
            break
    assert list(batches) == list(range(10))


def test_persistent_workers_of_an_iterable() -> None:
    batches = loader(Share(5), batch_size=None, persistent_workers=True)
    assert [sorted(batches) for _ in range(3)] == [list(range(5))] * 3


def test_persistent_workers_are_replaced_after_a_death() -> None:
    batches = loader(Computed(identity, 10), batch_size=None, persistent_workers=True)
    iterator = iter(batches)
    os.kill(pids_of(iterator)[0], signal.SIGKILL)
    with pytest.raises(RuntimeError, match="SIGKILL"):
        list(iterator)
    assert list(batches) == list(range(10))


HEAD = """
    import os, sys, time
    import tensorcore as tc
    from tensorcore.utils.data import DataLoader, Dataset

    class Data(Dataset):
        def __len__(self):
            return 6

        def __getitem__(self, index):
            return tc.full((2000,), float(index)), os.getpid()

    if __name__ == "__main__":
"""


def run(body: str, tmp_path: Path, **options: Any) -> subprocess.Popen[str]:
    """A process that runs ``body`` as the main part of a program."""
    path = tmp_path / "program.py"
    path.write_text(textwrap.dedent(HEAD) + textwrap.indent(textwrap.dedent(body), "    "))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)}
    command = [sys.executable, "-W", "error", str(path)]
    return subprocess.Popen(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, **options
    )


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_other_start_methods(method: str, tmp_path: Path) -> None:
    body = f"""
        loader = DataLoader(Data(), batch_size=2, num_workers=1, multiprocessing_context="{method}")
        print([x[:, 0].tolist() for x, _ in loader])
    """
    out, err = run(body, tmp_path).communicate(timeout=60)
    assert (out, err) == ("[[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]\n", "")


def test_positions_with_other_start_methods(tmp_path: Path) -> None:
    body = """
        def make():
            generator = tc.Generator().manual_seed(1)
            return DataLoader(Data(), num_workers=1, multiprocessing_context="spawn", shuffle=True, generator=generator)

        loader, other = make(), make()
        batches = iter(loader)
        next(batches), next(batches)
        other.load_state_dict(loader.state_dict())
        print([x[0, 0].item() for x, _ in batches] == [x[0, 0].item() for x, _ in other])
    """
    out, err = run(body, tmp_path).communicate(timeout=60)
    assert (out, err) == ("True\n", "")


def test_a_program_that_ends_in_the_middle(tmp_path: Path) -> None:
    body = """
        batches = iter(DataLoader(Data(), num_workers=2, multiprocessing_context="fork"))
        print(*next(batches)[1].tolist(), batches.workers.shared.first)
    """
    process = run(body, tmp_path)
    out, err = process.communicate(timeout=60)
    pid, directory = out.split()
    assert (err, process.returncode) == ("", 0)
    assert is_gone(int(pid))
    assert not os.path.exists(directory)


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    body = """
        batches = iter(DataLoader(Data(), num_workers=3, multiprocessing_context="fork"))
        pids = [next(batches)[1].item() for _ in range(3)]
        print(*pids, batches.workers.shared.first, flush=True)
        time.sleep(60)
    """
    process = run(body, tmp_path)
    assert process.stdout is not None
    *pids, directory = process.stdout.readline().split()
    process.kill()
    process.communicate(timeout=60)
    # Nobody waits for orphans here, so a zombie counts as ended.
    wait_until(lambda: all(is_gone(int(pid)) or is_zombie(int(pid)) for pid in pids))
    assert not os.path.exists(directory)


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def members_of(group: int) -> list[str]:
    """The processes of a group, zombies left out, as lines of /proc."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            line = path.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        state, _, member = line.rpartition(")")[2].split()[:3]
        if int(member) == group and state != "Z":
            found.append(line)
    return found


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="finds processes by /proc")
@pytest.mark.parametrize(
    ("method", "options"),
    [("fork", ""), ("fork", "persistent_workers=True"), ("fork", "prefetch_factor=1, in_order=False"), ("spawn", "")],
)
def test_an_interrupt_shows_one_traceback_and_leaves_no_process(method: str, options: str, tmp_path: Path) -> None:
    body = f"""
        loader = DataLoader(Data(), num_workers=2, multiprocessing_context="{method}", {options})
        batches = iter(loader)
        next(batches), next(batches)
        print("ready", flush=True)
        time.sleep(60)
    """
    process = run(body, tmp_path, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert err.count("Traceback") == 1
    assert err.rstrip().endswith("KeyboardInterrupt")
    wait_until(lambda: members_of(process.pid) == [])

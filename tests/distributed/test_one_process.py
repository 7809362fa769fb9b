"""Process groups of one process: how they begin and end, and what is refused."""

from __future__ import annotations

import copy
import pickle

import pytest

import tensorcore as tc
import tensorcore.distributed as dist


@pytest.fixture
def group(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    dist.init_process_group("gloo")
    yield
    dist.destroy_process_group()


@pytest.fixture(autouse=True)
def ended(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "TORCHELASTIC_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    yield
    assert not dist.is_initialized()


def test_the_environment_of_a_launcher_is_read(group, monkeypatch):
    assert (dist.get_rank(), dist.get_world_size(), dist.get_backend()) == (0, 1, "gloo")
    assert dist.group.WORLD is dist.GroupMember.WORLD is not None
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert dist.get_node_local_rank() == 0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: dist.get_rank(), ValueError, "make sure to call init_process_group"),
        (lambda: dist.barrier(), ValueError, "make sure to call init_process_group"),
        (lambda: dist.destroy_process_group(), AssertionError, "init_process_group has not been called"),
        (lambda: dist.init_process_group("gloo"), ValueError, r"RANK expected.*rank=0, world_size=1"),
        (lambda: dist.init_process_group("gloo", rank=0), ValueError, "WORLD_SIZE expected"),
        (lambda: dist.init_process_group("gloo", rank=0, world_size=4), RuntimeError, "world_size=4.*one process"),
        (lambda: dist.init_process_group("gloo", rank=1, world_size=1), ValueError, "rank 1 is not below world_size 1"),
        (lambda: dist.init_process_group("smoke", rank=0, world_size=1), ValueError, "'smoke', expected one of.*gloo"),
        (lambda: dist.get_node_local_rank(), RuntimeError, "LOCAL_RANK"),
        (lambda: tc.nn.parallel.DistributedDataParallel(tc.nn.Linear(1, 1)), ValueError, "call init_process_group"),
    ],
)
def test_refusals_without_a_group(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: dist.all_reduce(x, op="sum"), TypeError, "`op` to be a ReduceOp, got str"),
        (lambda x: dist.all_reduce(x, group="all"), TypeError, "expected a process group, got str"),
        (lambda x: dist.all_gather([tc.zeros(3)], x), RuntimeError, r"\[3\].*does not fit.*\[2\]"),
        (lambda x: dist.all_gather(x, x), TypeError, "list of tensors, got Tensor"),
        (lambda x: dist.broadcast(x), ValueError, "must specify src or group_src"),
        (lambda x: dist.isend(x, 0), ValueError, "invalid destination rank"),
        (lambda x: dist.irecv(x, 0), ValueError, "invalid source rank"),
        (lambda x: dist.all_to_all_single(x, x, [1]), ValueError, r"split sizes \[1\] do not fit"),
        (lambda x: dist.get_global_rank(dist.group.WORLD, 2), ValueError, "group_rank=2"),
        (
            lambda x: tc.nn.parallel.DistributedDataParallel(tc.nn.Linear(1, 1), device_ids=[0, 1]),
            ValueError,
            r"single element.*\[0, 1\]",
        ),
    ],
)  # fmt: skip
def test_refusals_in_a_group(group, call, error, message):
    with pytest.raises(error, match=message):
        call(tc.ones(2))


def test_more_collectives(group):
    x = tc.arange(4.0)
    for begin in (dist.reduce_scatter, dist.all_to_all):
        out = tc.zeros(4)
        assert begin(out if begin is dist.reduce_scatter else [out], [x]) is None
        assert out.tolist() == x.tolist()
    for begin in (dist.reduce_scatter_tensor, dist.all_to_all_single, dist.all_gather_into_tensor):
        out = tc.zeros(4)
        work = begin(out, x, async_op=True)
        assert work.wait() and work.is_success() and work.exception() is None and work.result()[0] is out
        assert out.tolist() == x.tolist()
    dist.monitored_barrier()
    dist.all_reduce(x, op=dist.ReduceOp.AVG)
    assert x.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_outside_a_group_nothing_is_done(group):
    out = tc.zeros(2)
    assert dist.all_gather([out], tc.ones(2), group=dist.new_group([])) is None
    assert out.tolist() == [0.0, 0.0]


def test_objects_are_copies(group):
    given, found = {"a": [1]}, [None]
    dist.all_gather_object(found, given)
    given["a"].append(2)
    assert found == [{"a": [1]}]


def test_a_wrapped_module_is_copied_and_pickled(group):
    model = tc.nn.parallel.DistributedDataParallel(tc.nn.Linear(2, 1), device_ids=["cpu"])
    for made in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert made(tc.ones(1, 2)).tolist() == model(tc.ones(1, 2)).tolist()
        assert made.process_group is dist.group.WORLD
    with model.join():
        model.register_comm_hook(None, lambda state, bucket: None)
    with pytest.raises(TypeError, match="must be callable, got int"):
        model.register_comm_hook(None, 3)

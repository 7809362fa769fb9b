"""Process groups of one process against PyTorch's, with gloo."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from modules_against_torch import agree  # noqa: E402

import tensorcore as tc  # noqa: E402

if not torch.distributed.is_available() or not torch.distributed.is_gloo_available():
    pytest.skip("PyTorch was built without gloo", allow_module_level=True)


@pytest.fixture(scope="module", autouse=True)
def groups(tmp_path_factory):
    for lib in (tc, torch):
        meeting = tmp_path_factory.mktemp(lib.__name__) / "meeting"
        lib.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=0, world_size=1)
    yield
    for lib in (tc, torch):
        lib.distributed.destroy_process_group()


X = "D = t.distributed; x, y = t.tensor([1.0, -2.0]), t.zeros(2); "
PROGRAMS = [
    "D = t.distributed; [D.get_rank(), D.get_world_size(), D.is_initialized(), D.is_available(), str(D.get_backend())]",
    "D = t.distributed; [D.get_rank(D.group.WORLD), D.get_process_group_ranks(D.group.WORLD), D.group.WORLD.size()]",
    "D = t.distributed; g = D.new_group([0]); [D.get_rank(g), D.get_world_size(g), D.get_global_rank(g, 0)]",
    *(X + f"r = D.all_reduce(x, op=D.ReduceOp.{op}); [r is None, x]" for op in ("SUM", "PRODUCT", "MIN", "MAX")),
    X + "w = D.all_reduce(x, async_op=True); [w.wait(), w.is_completed(), x]",
    X + "D.broadcast(x, 0); D.reduce(x, 0); D.barrier(); x", X + "D.broadcast(x, src=0, group=D.new_group([0])); x",
    X + "l = [y]; D.all_gather(l, x); [l, y]", X + "D.all_gather([y, y], x)", X + "D.gather(x, [y]); y",
    X + "D.scatter(y, [x]); y", X + "D.all_gather_into_tensor(y, x); y",
    X + "D.gather(x)", X + "D.scatter(y)", X + "D.broadcast(x, 1)", X + "D.reduce(x, 3)", X + "D.all_reduce(3)",
    X + "D.all_gather_into_tensor(t.zeros(3), x)", X + "D.send(x, 0)",
    "o = [None]; t.distributed.all_gather_object(o, {'a': 1}); o",
    "o = ['x', 2]; t.distributed.broadcast_object_list(o, 0); o",
    "o = [None]; t.distributed.scatter_object_list(o, [{'a': 1}], 0); o",
    "o = [None]; t.distributed.gather_object((1, 2), o); o",
    "t.distributed.init_process_group('gloo', rank=0, world_size=1)", "t.distributed.Backend('smoke')",
    "t.distributed.new_group([0, 1])", "[str(t.distributed.Backend('GLOO')), t.distributed.Backend.NCCL]",
    # Wrapped modules.
    "t.manual_seed(0); m = t.nn.parallel.DistributedDataParallel(t.nn.Linear(2, 3)); o = m(t.ones(4, 2)); "
    "o.sum().backward(); [o, m.module.weight.grad, list(m.state_dict()), repr(m), m.device_ids, m.output_device, "
    "m.dim, "
    "m.broadcast_buffers, m.find_unused_parameters, m.static_graph, m.require_backward_grad_sync]",
    "t.manual_seed(0); m = t.nn.parallel.DistributedDataParallel(t.nn.Linear(2, 3))\n"
    "with m.no_sync(): m(t.ones(4, 2)).sum().backward(); r = m.require_backward_grad_sync\n"
    "m(t.ones(1, 2)).sum().backward(); [r, m.require_backward_grad_sync, m.module.bias.grad]",
    "t.nn.parallel.DistributedDataParallel(t.nn.ReLU())",
    "m = t.nn.parallel.DistributedDataParallel(t.nn.BatchNorm1d(2)); m(t.arange(6.).reshape(3, 2)); "
    "m.module.running_mean",
    "repr(t.nn.SyncBatchNorm.convert_sync_batchnorm(t.nn.Sequential(t.nn.BatchNorm1d(2))))",
    "s = t.utils.data.DistributedSampler(range(5)); [s.num_replicas, s.rank, list(s)]",
]  # fmt: skip


@pytest.mark.parametrize("source", PROGRAMS)
def test_programs(source):
    agree(source)

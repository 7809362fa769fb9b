"""The kernels' results, without a GPU (see `on_host`): the conformance suite's cases for each op with a kernel."""

from __future__ import annotations

import contextlib

import pytest

import tensorcore as tc
from tensorcore.errors import DimensionError
from tensorcore.ops.record import REGISTRY
from tests.backends.cuda.on_host import COMPILER, HostCuda, HostKernels
from tests.backends.cuda.own_cases import by_library, cases_of, check, own_kernels

pytestmark = [
    pytest.mark.skipif(COMPILER is None, reason="g++ is not installed"),
    pytest.mark.skipif(tc.cuda.is_available(), reason="there is a GPU, on which test_on_gpu.py runs the same cases"),
]

OPS = [op for op in own_kernels() if not by_library(op)]


def whole_programs():
    """What several ops together make of each other's results; returns what is to be compared between devices."""

    def training(device):
        tc.manual_seed(0)
        x, target = tc.randn(8, 5).to(device), tc.randn(8, 3).to(device)
        weight = tc.randn(5, 3).to(device).requires_grad_(True)
        bias = tc.zeros(3, device=device, requires_grad=True)
        losses = []
        for _ in range(3):
            out = tc.log_softmax(tc.relu(x @ weight + bias), dim=1)
            loss = ((out - target) * (out - target)).mean()
            loss.backward()
            with tc.no_grad():
                for parameter in (weight, bias):
                    parameter -= parameter.grad * 0.1
                    parameter.grad = None
            losses.append(loss.item())
        return losses, weight.tolist()

    def updates(device):
        from tensorcore.optim import SGD, Adam

        found = []
        for cls, options in (
            (SGD, {"lr": 0.1}), (SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
            (Adam, {"lr": 0.1}), (Adam, {"lr": 0.1, "amsgrad": True, "weight_decay": 0.01, "maximize": True}),
        ):  # fmt: skip
            for shape in ((5, 3), (1,), (1030,)):
                tc.manual_seed(1)
                parameter = tc.randn(*shape).to(device).requires_grad_(True)
                optimizer = cls([parameter], **options)
                address = parameter.data_ptr()
                for _ in range(3):
                    optimizer.zero_grad()
                    (parameter * parameter * parameter).sum().backward()
                    optimizer.step()
                found.append(parameter.detach().reshape(-1)[:20].tolist())
                assert device != "cuda" or parameter.data_ptr() == address, "the step was not taken in place"
        return found

    def in_place(device):
        x = tc.arange(24, dtype=tc.float32).to(device).reshape(4, 6)
        x[1:].add_(x[:-1])  # overlaps
        x.t().mul_(2)
        x[:, ::2] -= x[0, 0]
        x.mul_(x[2, 3])
        x[tc.tensor([0, 2, 0]).to(device)] = tc.ones(6, device=device) * 3
        x[x > 100] = -1
        return x.tolist()

    def transfers(device):
        values = tc.arange(100).to(device)  # more than a piece of the staging
        empty = tc.zeros(0, 3, device=device)
        odd = tc.arange(60, dtype=tc.bfloat16).to(device).reshape(5, 12)[1:, ::3].t()
        return values.cpu().tolist(), empty.cpu().shape, odd.cpu().tolist(), values[7].item(), odd.tolist()

    def random_numbers(device):
        from tensorcore.ops.drawing import philox_uniform

        generator = tc.Generator().manual_seed(2**63 + 5)
        kind = tc.device(device).kind(tc.float32)
        first = philox_uniform(generator.ticket("philox", 3), (13,), kind)
        second = philox_uniform(generator.ticket("philox", 3), (3, 2), kind)
        tc.manual_seed(0)
        return first.tolist(), second.tolist(), tc.rand(3, device=device).tolist()

    return {each.__name__: each for each in (training, updates, in_place, transfers, random_numbers)}


PROGRAMS = whole_programs()


@pytest.fixture(scope="module", autouse=True)
def cuda_on_host(tmp_path_factory, install):
    kernels = HostKernels(tmp_path_factory.mktemp("kernels"))
    install(HostCuda(kernels))
    for op in OPS:
        for case in cases_of(op):
            with contextlib.suppress(Exception):
                check(case)
    for program in PROGRAMS.values():
        with contextlib.suppress(Exception, AssertionError):
            program("cuda")
    kernels.build()
    install(HostCuda(kernels))


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_kernel(op):
    for case in cases_of(op):
        try:
            check(case)
        except Exception as error:
            raise AssertionError(f"{op.name} {case.name}: {error}") from error


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    got, expected = PROGRAMS[name]("cuda"), PROGRAMS[name]("cpu")
    assert flat(got) == pytest.approx(flat(expected), rel=2e-5, abs=1e-6)


def flat(values):
    if isinstance(values, (list, tuple)):
        return [each for value in values for each in flat(value)]
    return [values]


@pytest.mark.parametrize(("places", "shown"), [([5], "5"), ([0, -4], "-4"), ([2, 3, 9], "9")])
def test_indices_out_of_range_are_named(places, shown):
    x = tc.zeros(3, 2, device="cuda")
    with pytest.raises(DimensionError, match=f"index {shown} is out of range for dimension 0 of shape"):
        x[tc.tensor(places, device="cuda")]


def test_writing_twice_keeps_the_last():
    x = tc.zeros(4, device="cuda")
    x[tc.tensor([1, 1, 1], device="cuda")] = tc.tensor([1.0, 2.0, 3.0], device="cuda")
    assert x.tolist() == [0, 3, 0, 0]


def test_to_numpy_is_refused():
    from tensorcore.errors import DeviceError

    with pytest.raises(DeviceError, match=r"on 'cuda:0'; copy it to the host with \.cpu\(\)"):
        tc.zeros(2, device="cuda").numpy()


def test_the_printed_device_has_its_index():
    assert repr(tc.zeros(2, device="cuda")) == "tensor([0., 0.], device='cuda:0')"


def test_all_ops_with_kernels_are_under_test():
    assert {op.name for op in OPS} >= {name for name, op in REGISTRY.items() if op.primitive and name != "random_words"}

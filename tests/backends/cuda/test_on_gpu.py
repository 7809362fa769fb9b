"""The backend on a GPU: what `on_host` checks, and what only a GPU does (``pytest tests/backends/cuda`` runs all)."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import tensorcore as tc
from tensorcore.errors import DeviceError, DimensionError, OutOfMemoryError
from tests.backends.cuda.own_cases import cases_of, check, own_kernels
from tests.backends.cuda.test_kernels_on_host import PROGRAMS, flat

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not tc.cuda.is_available(), reason="there is no CUDA device")]


@pytest.mark.parametrize("op", own_kernels(), ids=lambda op: op.name)
def test_kernel(op):
    failures = []
    for case in cases_of(op):
        try:
            check(case)
        except Exception as error:
            failures.append(f"{case.name}: {error}")
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    assert flat(PROGRAMS[name]("cuda")) == pytest.approx(flat(PROGRAMS[name]("cpu")), rel=2e-5, abs=1e-6)


# ---------------------------------------------------------------- sizes


@pytest.mark.parametrize("size", [1, 255, 256, 257, 1023, 4097, 1_000_003])
def test_elementwise_ends(size):
    x = tc.arange(size, dtype=tc.float32)
    assert (x.cuda() * 2 + 1).cpu().tolist() == (x * 2 + 1).tolist()
    assert (x.cuda()[1:] - x.cuda()[:-1]).cpu().sum().item() == size - 1


@pytest.mark.parametrize("shape", [(1000, 1), (1, 1000), (257, 129), (3, 70_000), (70_000, 3)])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_rows_of_all_lengths(shape, name):
    tc.manual_seed(0)
    x = tc.randn(*shape)
    for dim in (0, 1):
        got = getattr(tc, name)(x.cuda(), dim=dim).cpu()
        np.testing.assert_allclose(got.numpy(), getattr(tc, name)(x, dim=dim).numpy(), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("size", [0, 1, 2**16, 2**25 + 3, 3 * 2**25])
def test_transfers_of_all_sizes(size):
    data = np.random.default_rng(0).integers(0, 255, size, dtype=np.uint8)
    there = tc.from_numpy(data).cuda()
    assert np.array_equal(there.cpu().numpy(), data)
    assert there.sum().item() == int(data.sum())


def test_many_uploads_do_not_mix():
    tensors = [tc.full((1000,), float(i)).cuda() for i in range(500)]
    assert [each[999].item() for each in tensors] == list(range(500))


# ---------------------------------------------------------------- products and convolutions


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "int32", "complex64"])
def test_products(dtype):
    tc.manual_seed(0)
    a, b = ((tc.randn(2, 33, 65) * 4).round().to(getattr(tc, dtype)) for _ in range(2))
    expected = (a.to(tc.complex128) @ b.transpose(1, 2).to(tc.complex128)).numpy()
    got = (a.cuda() @ b.cuda().transpose(1, 2)).cpu().to(tc.complex128).numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-2 if dtype in ("float16", "bfloat16") else 1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize(
    ("input", "weight", "options"),
    [((2, 3, 9, 8), (4, 3, 3, 3), {}), ((2, 4, 9, 8), (6, 2, 3, 2), {"stride": 2, "padding": 1, "groups": 2}),
     ((2, 3, 20), (4, 3, 5), {"dilation": 2}), ((1, 2, 5, 6, 7), (3, 2, 2, 2, 2), {"padding": 1})],
)  # fmt: skip
def test_convolutions_and_their_gradients(dtype, input, weight, options):
    from tensorcore.nn import functional as F

    tc.manual_seed(0)
    x, w, b = tc.randn(*input), tc.randn(*weight), tc.randn(weight[0])
    convolve = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}[len(input)]

    def results(device, dtype):
        parts = [each.to(device, dtype).requires_grad_(True) for each in (x, w, b)]
        out = convolve(*parts, **options)
        (out * out).sum().backward()
        return [each.to(tc.float64).cpu().detach().numpy() for each in (out, *(part.grad for part in parts))]

    tolerance = {"float16": 2e-2, "bfloat16": 2e-1, "float32": 1e-4, "float64": 1e-9}[dtype]
    for got, expected in zip(results("cuda", getattr(tc, dtype)), results("cpu", tc.float64), strict=True):
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


# ---------------------------------------------------------------- streams, events, graphs


def test_streams_run_in_order_and_wait_for_one_another():
    first, second = tc.cuda.Stream(), tc.cuda.Stream(priority=-1)
    x = tc.zeros(1 << 20, device="cuda")
    tc.cuda.synchronize()
    with tc.cuda.stream(first):
        assert tc.cuda.current_stream() == first
        for _ in range(50):
            x += 1
    second.wait_stream(first)
    with tc.cuda.stream(second):
        y = x * 2
    second.synchronize()
    assert first.query() and second.query()
    assert y[-1].item() == 100
    assert tc.cuda.current_stream() == tc.cuda.default_stream()


def test_events_measure_time():
    start, end = tc.cuda.Event(enable_timing=True), tc.cuda.Event(enable_timing=True)
    x = tc.ones(1 << 22, device="cuda")
    start.record()
    for _ in range(10):
        x = x * 1.0
    end.record()
    end.synchronize()
    assert end.query() and start.elapsed_time(end) > 0


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64", "complex64"])
def test_a_graph_with_products_repeats_them(dtype):
    kind = getattr(tc, dtype)
    tc.manual_seed(0)
    x, w = tc.randn(2, 8, 16).to("cuda", kind), tc.randn(16, 4).to("cuda", kind)

    def step():
        return (x @ w) * 2 + (w.t() @ x.transpose(1, 2)).transpose(1, 2)

    warm = tc.cuda.Stream()
    with tc.cuda.stream(warm):
        step()
    warm.synchronize()
    graph = tc.cuda.CUDAGraph()
    with tc.cuda.graph(graph, stream=warm):
        out = step()
    for scale in (1, 3):
        x.copy_(x * scale)
        graph.replay()
        tc.cuda.synchronize()
        expected = step().to(tc.complex128).cpu().numpy()
        np.testing.assert_allclose(out.to(tc.complex128).cpu().numpy(), expected, rtol=2e-2)


def test_reading_a_value_cannot_be_recorded():
    x = tc.ones(1, device="cuda")
    with pytest.raises(Exception, match="captur"), tc.cuda.graph(tc.cuda.CUDAGraph()):
        x.item()
    assert (x + 1).item() == 2


# ---------------------------------------------------------------- memory


def test_memory_is_counted():
    gc.collect()
    tc.cuda.reset_peak_memory_stats()
    before = tc.cuda.memory_allocated()
    x = tc.zeros(1 << 20, device="cuda")
    assert tc.cuda.memory_allocated() >= before + 4 * 2**20
    del x
    gc.collect()
    assert tc.cuda.memory_allocated() == before
    assert tc.cuda.max_memory_allocated() >= before + 4 * 2**20
    assert tc.cuda.memory_reserved() >= tc.cuda.memory_allocated()
    tc.cuda.empty_cache()
    free, total = tc.cuda.mem_get_info()
    assert 0 < free <= total == tc.cuda.get_device_properties().total_memory


def test_too_much_memory_is_refused_with_numbers():
    with pytest.raises(OutOfMemoryError, match=r"cuda:0 has no [\d,]+ bytes: tensors use"):
        tc.empty(1 << 50, device="cuda", dtype=tc.uint8)
    assert (tc.ones(3, device="cuda") + 1).sum().item() == 6
    assert tc.cuda.memory_stats()["num_ooms"] >= 1


# ---------------------------------------------------------------- the rest


def test_indices_out_of_range_are_refused():
    x = tc.zeros(5, 2, device="cuda")
    for wrong in ([5], [-6], [0, 1, 9]):
        with pytest.raises(DimensionError, match="out of range for dimension 0 of side 5"):
            x[tc.tensor(wrong, device="cuda")]


def test_nan_is_first_among_the_largest_and_last_in_order():
    x = tc.rand(10_000)
    x[[77, 5000, 9999]] = float("nan")
    there = x.cuda()
    assert there.argmax().item() == there.argmin().item() == 77
    assert there.sort().indices[-3:].tolist() == [77, 5000, 9999]
    assert there.sort(descending=True).indices[:3].tolist() == [77, 5000, 9999]


def test_dlpack_shares_memory():
    cupy = pytest.importorskip("cupy")
    x = tc.arange(6, dtype=tc.float32).cuda()
    view = cupy.from_dlpack(x)
    assert view.data.ptr == x.data_ptr()
    back = tc.from_dlpack(view, device="cuda")
    back += 1
    assert x.tolist() == [1, 2, 3, 4, 5, 6]
    assert tc.from_dlpack(np.arange(3.0), device="cuda").tolist() == [0, 1, 2]


def test_numpy_is_refused():
    with pytest.raises(DeviceError, match=r"copy it to the host with \.cpu\(\)"):
        tc.zeros(1, device="cuda").numpy()


def test_properties():
    found = tc.cuda.get_device_properties()
    assert found.name == tc.cuda.get_device_name() != ""
    assert (found.major, found.minor) == tc.cuda.get_device_capability() >= (5, 0)
    assert tc.cuda.is_initialized() and tc.cuda.current_device() == 0


@pytest.mark.skipif(tc.cuda.device_count() < 2, reason="needs two devices")
def test_kernels_run_where_their_operands_are():
    x = tc.arange(10, device="cuda:1", dtype=tc.float32)
    y = (x * 2).sum()
    assert y.device == tc.device("cuda:1") and y.item() == 90
    assert x.to("cuda:0").tolist() == x.tolist()
    with pytest.raises(DeviceError, match="several devices"):
        x + tc.ones(10, device="cuda:0")

"""What the devices say they are, transfers, errors, and that libraries are imported only when used."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import tensorcore as tc
from tensorcore.errors import DeviceError, DimensionError, DTypeError
from tests.backends.array_api.conftest import importable

ALL = [
    tc.bool, tc.uint8, tc.uint16, tc.uint32, tc.uint64, tc.int8, tc.int16, tc.int32, tc.int64,
    tc.float16, tc.bfloat16, tc.float32, tc.float64, tc.complex64, tc.complex128,
]  # fmt: skip


def test_capabilities_are_what_the_library_has(device):
    able = tc.device(device).capabilities
    missing = {"array_api_strict": {tc.float16, tc.bfloat16}, "mlx": {tc.complex128}, "dpnp": {tc.bfloat16}}
    if device == "mlx" and tc.ones(1, device="mlx")._array.__dlpack_device__()[0] != 1:
        missing["mlx"].add(tc.float64)
    assert able.dtypes == set(ALL) - missing.get(device, set())
    functional = device in ("jax", "mlx")
    assert (able.mutable, able.views) == (not functional, not functional)
    assert able.asynchronous == (device in ("jax", "mlx", "dpnp"))


@pytest.mark.parametrize("dtype", ALL, ids=lambda each: each.name)
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)], ids=str)
def test_every_dtype_travels_both_ways(dtype, shape, device):
    if dtype not in tc.device(device).capabilities.dtypes:
        with pytest.raises(DTypeError, match=f"device {device!r} has no arrays of dtype"):
            tc.zeros(shape, dtype=dtype, device=device)
        return
    x = tc.arange(int(np.prod(shape))).reshape(shape).to(dtype)
    there = x.to(device)
    assert (there.dtype, there.shape, str(there.device)) == (dtype, shape, device)
    assert there.tolist() == x.tolist()
    assert there.cpu().tolist() == x.tolist()
    assert there.t().cpu().tolist() == x.t().tolist()


def test_subnormals_are_kept_as_declared(device):
    tiny = tc.tensor([1e-40], device=device)
    assert bool(tiny * 0.5 != 0) == tc.device(device).capabilities.subnormals


def test_indices_out_of_range_raise(device):
    x = tc.arange(3, device=device)
    for act in (
        lambda: x[tc.tensor([0, 3], device=device)],
        lambda: x.gather(0, tc.tensor([-1], device=device)),
        lambda: x.scatter(0, tc.tensor([7], device=device), x[:1]),
        lambda: tc.nn.functional.embedding(tc.tensor([4], device=device), tc.ones(3, 2, device=device)),
    ):
        with pytest.raises(DimensionError, match=r"out of range|they must be from 0 to 2"):
            act()


def test_memory_is_shared_with_numpy_only_where_it_can_be_written(device):
    x = tc.zeros(3, device=device)
    array = x.numpy(force=True)
    array[0] = 5.0
    assert x[0].item() == (5.0 if device == "torch" else 0.0)


def test_a_tensor_holds_a_copy_of_the_data(device):
    source = np.arange(64, dtype="float32")
    x = tc.tensor(source, device=device)
    source[:] = -1
    assert x[3].item() == 3.0


def test_strict_devices_do_not_mix():
    x, y = (tc.ones(2, device=f"array_api_strict:{index}") for index in (0, 1))
    assert (y + y).tolist() == [2.0, 2.0]
    assert str((y.sort()[0] // 2).device) == "array_api_strict:1"
    with pytest.raises(DeviceError, match="array_api_strict:1"):
        x + y


def test_jax_has_a_device_for_each_of_its_devices():
    pytest.importorskip("jax")
    code = """
import tensorcore as tc
x = tc.arange(3.0, device="jax:1")
places = (x > 0).nonzero()
made = [x, x * 2, x.sum(), places, x[places], tc.rand(2, device="jax:1"), x.sort()[1]]
assert {device.id for each in made for device in each._array.devices()} == {1}
double = tc.compile(lambda x: x * 2)
assert [double(x).tolist() for _ in range(3)] == [[0.0, 2.0, 4.0]] * 3
try:
    x + tc.ones(3, device="jax:0")
except tc.errors.DeviceError:
    pass
else:
    raise SystemExit("devices mixed")
"""
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120, env=environment)


@pytest.mark.parametrize("name", ["torch", "jax", "mlx"])
def test_arrays_are_exchanged_by_dlpack(name):
    importable(name)
    x = tc.from_dlpack(np.arange(3.0), device=name)
    assert (str(x.device), x.dtype, x.tolist()) == (name, tc.float64, [0.0, 1.0, 2.0])
    assert np.from_dlpack(x + 1).tolist() == [1.0, 2.0, 3.0]


def test_mlx_takes_what_dlpack_brings_by_a_copy():
    importable("mlx")
    import mlx.core as mx

    source = np.arange(3.0)
    x = tc.from_dlpack(source, device="mlx")
    source[0] = 7
    assert x.tolist() == [0.0, 1.0, 2.0]
    with pytest.raises(BufferError, match="share no memory"):
        tc.from_dlpack(source, device="mlx", copy=False)
    # NumPy has no bfloat16.
    half = tc.from_dlpack(mx.array([1.5], dtype=mx.bfloat16), device="mlx")
    assert (half.dtype, mx.from_dlpack(half).dtype) == (tc.bfloat16, mx.bfloat16)


def test_threads_compute_what_others_left_to_compute(device):
    x = tc.ones(3, device=device) * 2
    made = []
    for _ in range(2):
        thread = threading.Thread(target=lambda: made.append((made[-1] if made else x) + x))
        thread.start()
        thread.join()
    assert [each.tolist() for each in made] == [[4.0] * 3, [6.0] * 3]


@pytest.mark.parametrize("name", ["sum", "prod", "any", "all"])
def test_reductions_without_elements(name, device):
    # MLX's wait for ever, now and then.
    expected = {"sum": 0.0, "prod": 1.0, "any": False, "all": True}[name]
    for _ in range(20):
        x = tc.ones(0, 4, device=device)
        assert getattr(x, name)(0).tolist() == [expected] * 4
        assert getattr(x.t(), name)(1, keepdim=True).tolist() == [[expected]] * 4
        assert getattr(x, name)(1).tolist() == []


@pytest.mark.parametrize("dtype", [tc.int8, tc.int16, tc.int32, tc.int64], ids=lambda each: each.name)
def test_the_lowest_integer_by_minus_one(dtype, device):
    low = tc.iinfo(dtype).min
    x, y = tc.tensor([low, 6], dtype=dtype, device=device), tc.tensor([-1, -1], dtype=dtype, device=device)
    assert ((x // y).tolist(), (x % y).tolist()) == ([low, -6], [0, 0])


def test_exponentials_reach_to_the_end_of_float32(device):
    x = tc.tensor([88.7, 88.3, -87.3, 89.0, float("inf"), -float("inf"), float("nan"), -0.0], device=device)
    np.testing.assert_allclose(x.exp().tolist(), x.cpu().exp().tolist(), rtol=1e-6)


def test_long_sums_keep_their_digits(device):
    if device == "array_api_strict":
        pytest.skip("declared: the NumPy behind it adds rows one by one")
    x = tc.full((65536,), 0.1, device=device)
    assert x.sum().item() == pytest.approx(6553.6, rel=1e-6)
    assert tc.ones(3, 2, 65536, device=device).sum(-1).tolist() == [[65536.0] * 2] * 3


def test_long_products_on_mlx_are_made_of_blocks():
    importable("mlx")
    a, b = tc.rand(2, 1, 3, 2500), tc.rand(4, 2500, 5)
    np.testing.assert_allclose((a.to("mlx") @ b.to("mlx")).tolist(), (a @ b).tolist(), rtol=1e-5)


@pytest.mark.parametrize("name", ["torch", "jax", "mlx"])
def test_a_library_is_imported_when_its_device_is_used(name):
    importable(name)
    code = f"""
import sys, tensorcore as tc
tc.ones(2) + 1
tc.device({name!r})
assert not {{"torch", "jax", "mlx.core", "array_api_strict"}} & set(sys.modules), "imported too early"
assert (tc.ones(2, device={name!r}) + 1).tolist() == [2.0, 2.0]
assert {name!r} in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120)

"""Devices: names, defaults, and the errors of what is on several or none."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import pytest

import tensorcore as tc
from tensorcore.errors import BackendUnavailableError, DeviceError


def test_names():
    assert (
        tc.device("cpu") is tc.device("cpu")
        and tc.device(tc.device("cpu")) is tc.device("cpu")
        and tc.device(type="cpu").type == "cpu"
    )
    assert (tc.device("cpu:0").index, tc.device("cpu").index, tc.device("cpu", 0).index) == (0, None, 0)
    assert (
        tc.device("cpu") == tc.device("cpu:0")
        and hash(tc.device("cpu")) == hash(tc.device("cpu:0"))
        and tc.device("cpu") != tc.device("reference")
    )
    assert (
        tc.device("cpu") != "cpu"
        and str(tc.device("cpu:0")) == "cpu:0"
        and repr(tc.device("cpu", 0)) == "device(type='cpu', index=0)"
    )
    assert copy.deepcopy(tc.device("cpu")) is tc.device("cpu") and pickle.loads(
        pickle.dumps(tc.device("cpu:0"))
    ) is tc.device("cpu:0")


@pytest.mark.parametrize("name", ["", "a b", "cpu:", "cpu:-1", "cpu:x", "1cpu", ":0"])
def test_what_is_no_name(name):
    with pytest.raises(RuntimeError, match="expected NAME or NAME:INDEX"):
        tc.device(name)


@pytest.mark.parametrize("given", [5, 1.5, [], object()])
def test_what_is_no_device(given):
    with pytest.raises(TypeError, match="device: expected a name such as 'cpu'"):
        tc.device(given)


def test_an_unknown_device_lists_the_known_ones():
    with pytest.raises(DeviceError, match=r"nowhere[\s\S]*cpu[\s\S]*reference"):
        tc.zeros(1, device="nowhere")
    with pytest.raises(DeviceError, match="index is given twice"):
        tc.device("cpu:0", 1)


def test_an_index_beyond_the_devices():
    with pytest.raises(DeviceError, match=r"'cpu:7' does not exist: 'cpu' has 1 device"):
        tc.zeros(1, device="cpu:7")


def test_a_device_that_is_off_says_why():
    try:
        tc.zeros(1, device="cuda")
    except BackendUnavailableError as error:
        assert "cuda" in str(error) and len(str(error)) > 20
        assert isinstance(error, (RuntimeError, ImportError))


OPERATIONS = {
    "add": lambda a, b: a + b, "matmul": lambda a, b: a @ b, "cat": lambda a, b: tc.cat([a, b]), "eq": lambda a,
    b: a == b,
    "where": lambda a, b: tc.where(a > 0, a, b), "stack": lambda a, b: tc.stack([a, b]),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATIONS)
def test_mixed_devices_are_refused_by_both_names(name):
    with pytest.raises(RuntimeError, match=r"'cpu'[\s\S]*'reference'[\s\S]*\.to\(device\)"):
        OPERATIONS[name](tc.ones(2, 2), tc.ones(2, 2, device="reference"))


def test_numbers_go_with_every_device():
    assert (tc.ones(2, device="reference") * 2 + 1).tolist() == [3.0, 3.0]


def test_defaults():
    with tc.device("reference"):
        assert tc.zeros(1).device == tc.tensor([1]).device == tc.arange(2).device == tc.device("reference")
        with tc.device("cpu"):
            assert tc.get_default_device() == tc.device("cpu")
        assert tc.get_default_device() == tc.device("reference")
    tc.set_default_device("reference")
    assert tc.rand(1).device == tc.device("reference") and tc.zeros(1, device="cpu").device == tc.device("cpu")
    tc.set_default_device(None)
    assert tc.get_default_device().type != "reference"


def test_results_stay_on_their_device():
    x = tc.arange(4.0, device="reference")
    results = [
        x + 1,
        x.sum(),
        x[1:],
        x[x > 1],
        x.to(tc.int64),
        x.argmax(),
        tc.zeros_like(x),
        x.new_zeros(2),
        x.reshape(2, 2).tril(),
        x.diag(),
        x.cumsum(0),
        x.repeat_interleave(2),
    ]
    assert {str(y.device) for y in results} == {"reference"}


def test_transfers_keep_values_and_gradients():
    x = tc.tensor([1.5, -2.0], requires_grad=True)
    y = x.to("reference") * 3
    assert y.device == tc.device("reference") and y.tolist() == [4.5, -6.0]
    y.sum().backward()
    assert x.grad.device == tc.device("cpu") and x.grad.tolist() == [3.0, 3.0]
    assert x.to("cpu") is x and x.cpu() is x


@pytest.mark.slow
def test_the_environment_names_the_default():
    program = "import tensorcore as tc; print(tc.zeros(1).device.type)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**__import__("os").environ, "TENSORCORE_DEVICE": "reference"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "reference"


def test_the_accelerator_is_the_best_device_with_memory_of_its_own():
    found = tc.accelerator.current_accelerator()
    assert tc.accelerator.is_available() == (found is not None) and (found is None) == (
        tc.accelerator.device_count() == 0
    )
    assert found is None or not found.backend.host_memory
    tc.accelerator.synchronize()
    tc.accelerator.synchronize("cpu")

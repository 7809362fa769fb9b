"""What devices of several places are asked for: the current one, copies between them, page-locked memory."""

from __future__ import annotations

import pytest

import tensorcore as tc
from tensorcore.plugins import BackendSpec, hookimpl
from tensorcore.plugins.host import host


class Twin:
    """Registers the device ``twin``: NumPy arrays on two places, with what only accelerators have."""

    @hookimpl
    def tensorcore_backends(self):
        return [BackendSpec("twin", f"{__name__}:made")]


def made():
    from tensorcore_cpu.backend import CpuBackend

    class TwinBackend(CpuBackend):
        host_memory = False
        current = 0

        def __init__(self):
            super().__init__()
            self.name = "twin"
            self.calls = []

        def device_count(self):
            return 2

        def current_index(self):
            return self.current

        def upload(self, data, dtype, shape, index):
            self.calls.append("upload")
            return self.from_host(data, dtype, shape, index)

        def move(self, array, index):
            self.calls.append(f"move to {index}")
            return array.copy()

        def pinned_memory(self, size):
            import numpy as np

            return np.zeros(size, np.uint8)

    return TwinBackend()


@pytest.fixture
def twin(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or __import__(__name__))
    host.register(Twin(), "twin-plugin")
    yield host.backend("twin")
    host.unregister("twin-plugin")


def test_a_name_without_index_means_the_current_device(twin):
    first = tc.zeros(2, device="twin")
    twin.current = 1
    second = tc.zeros(2, device="twin")
    assert (str(first.device), str(second.device)) == ("twin:0", "twin:1")
    assert str((first > 0).device) == "twin:0", "results stay where their operands are"
    assert second.device == tc.device("twin")
    with pytest.raises(RuntimeError, match="several devices"):
        first + second


def test_copies_within_a_backend_do_not_pass_the_host(twin):
    x = tc.tensor([1.0, 2.0], device="twin:0", requires_grad=True)
    y = x.to("twin:1")
    (y * 3).sum().backward()
    assert (twin.calls, x.grad.tolist(), str(x.grad.device)) == (["move to 1", "move to 0"], [3, 3], "twin:0")


@pytest.mark.parametrize(
    "send", [lambda x: x.to("twin", non_blocking=True), lambda x: x.to("twin", tc.float32, True)], ids=["name", "place"]
)
def test_non_blocking_reaches_the_backend(twin, send):
    assert send(tc.tensor([1.0, 2.0])).tolist() == [1, 2]
    assert twin.calls == ["upload"]
    tc.ones(1).to("twin")
    assert twin.calls == ["upload"]


@pytest.mark.parametrize("value", [[[1.0, 2.0], [3.0, 4.0]], 5, [True, False]])
def test_pinned_memory(twin, value):
    x = tc.tensor(value)
    y = x.pin_memory("twin")
    assert (y.is_pinned(), x.is_pinned(), y.pin_memory("twin") is y) == (True, False, True)
    assert (y.tolist(), y.dtype, y.shape) == (x.tolist(), x.dtype, x.shape)
    y.fill_(0)
    assert x.tolist() == value


def test_pinned_memory_of_other_tensors(twin):
    assert tc.tensor([[1, 2], [3, 4]]).t().pin_memory("twin").tolist() == [[1, 3], [2, 4]]
    assert tc.ones(1).pin_memory("cpu").is_pinned() is False
    with pytest.raises(RuntimeError, match="only tensors in host memory are pinned, this one is on 'twin:0'"):
        tc.ones(1, device="twin").pin_memory("twin")


@pytest.mark.parametrize("workers", [0, 1])
def test_a_data_loader_pins_its_batches(twin, workers):
    data = [{"x": tc.tensor([float(i)]), "name": str(i)} for i in range(4)]
    options = {"batch_size": 2, "num_workers": workers, "multiprocessing_context": "fork" if workers else None}
    loader = tc.utils.data.DataLoader(data, pin_memory=True, pin_memory_device="twin", **options)
    batches = list(loader)
    assert [batch["x"].is_pinned() for batch in batches] == [True, True]
    assert [batch["x"].tolist() for batch in batches] == [[[0], [1]], [[2], [3]]]
    assert batches[0]["name"] == ["0", "1"]

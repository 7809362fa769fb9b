"""Views by strides, storages and determinism on every kind of device; `tests/parity` compares them with PyTorch."""

from __future__ import annotations

import copy
import warnings
from types import SimpleNamespace

import pytest

import tensorcore as tc
from tensorcore.plugins.host import host
from tensorcore.settings import check_deterministic

WANTED = ("cpu", "reference", "torch", "jax")
DEVICES = [s.name for s in host.states(load=False) if s.name in WANTED and s.state in ("available", "loaded")]


@pytest.fixture(params=DEVICES)
def device(request):
    with tc.device(request.param):
        yield request.param


def test_views_by_strides_write_into_what_they_view(device):
    x = tc.arange(12.0).reshape(3, 4)
    x.as_strided((2, 2), (4, 1), 1).fill_(9)
    x.diagonal(1).mul_(2)
    assert x.tolist() == [[0, 18, 9, 3], [4, 9, 18, 7], [8, 9, 10, 22]]
    x.unfold(1, 2, 2)[:, 1, 0].zero_()
    assert x[:, 2].tolist() == [0, 0, 0]


def test_what_lies_beyond_the_memory_is_refused(device):
    x = tc.zeros(4)
    for size, stride, offset, told in (((5,), (1,), None, "4 elements"), ((2,), (3,), 2, "4 elements"),
                                       ((2,), (-1,), None, "negative"), ((2,), (1, 1), None, "2 strides")):  # fmt: skip
        with pytest.raises(RuntimeError, match=f"as_strided: .*{told}"):
            x.as_strided(size, stride, offset)


def test_a_device_without_strides_sees_the_tensor_alone():
    if "jax" not in DEVICES:
        pytest.skip("no device without strides")
    x = tc.arange(6, device="jax").reshape(2, 3)
    assert x[1].as_strided((2, 2), (1, 1)).tolist() == [[3, 4], [4, 5]]
    assert x.t().as_strided((3,), (2,)).tolist() == [0, 1, 2]


def test_a_storage_is_the_memory_of_its_tensors(device):
    x = tc.arange(4.0)
    storage = x.storage()
    assert (len(storage), storage.nbytes(), storage.dtype, list(storage)) == (4, 16, tc.float32, [0, 1, 2, 3])
    storage[1] = 7
    assert x.tolist() == [0, 7, 2, 3] and copy.deepcopy(storage).fill_(1).tolist() == [1] * 4 and x[0] == 0
    assert repr(x.storage()).endswith(
        f"[tensorcore.storage.TypedStorage(dtype=tensorcore.float32, device={device}) of size 4]"
    )
    with pytest.raises(RuntimeError, match=r"Tensor\.resize_"):
        storage.resize_(5)
    with pytest.raises(IndexError, match="index 4"):
        storage[4]
    assert not storage.resizable() and storage.resize_(4) is storage


def test_memory_read_as_another_dtype_is_the_same():
    x = tc.tensor([1.0, 2.0])
    words = x.view(tc.int32)
    x.untyped_storage().fill_(0)
    assert words.tolist() == [0, 0] and x._version == 1
    assert tc.tensor([258], dtype=tc.int16).untyped_storage().tolist() == [2, 1]
    assert tc.UntypedStorage.from_buffer(b"ab").tolist() == [97, 98]


def test_a_tensor_grows_beyond_its_memory_and_shrinks_within_it():
    x = tc.arange(4)
    part = x[2:]
    assert x.resize_(2).tolist() == [0, 1] and x.resize_(2, 2).tolist() == [[0, 1], [2, 3]]
    x[1, 0] = 9
    assert part.tolist() == [9, 3]
    assert x.resize_(5).tolist() == [0, 1, 9, 3, 0] and part.tolist() == [9, 3]


def test_sums_in_no_fixed_order_are_refused_where_that_is_asked_for():
    kind = SimpleNamespace(device=SimpleNamespace(capabilities=SimpleNamespace(deterministic=False)))
    check_deterministic("index_add", kind)
    try:
        tc.use_deterministic_algorithms(True)
        with pytest.raises(RuntimeError, match=r"index_add: .*no fixed order"):
            check_deterministic("index_add", kind)
        assert tc.zeros(3).index_add_(0, tc.tensor([0, 0]), tc.ones(2)).tolist() == [2, 0, 0]
        tc.use_deterministic_algorithms(True, warn_only=True)
        with pytest.warns(UserWarning, match="no fixed order"):
            check_deterministic("index_add", kind)
    finally:
        tc.use_deterministic_algorithms(False)


def test_warnings_are_given_again_and_again_where_that_is_asked_for():
    with warnings.catch_warnings():
        tc.set_warn_always(True)
        assert warnings.filters[0][0] == "always"
        tc.set_warn_always(False)
        assert not [each for each in warnings.filters if getattr(each[3], "pattern", "") == r"tensorcore(\.|$)"]


def test_old_types_of_another_device_make_tensors_there():
    assert tc.cuda.FloatTensor.place == "cuda" and tc.cuda.FloatTensor.__module__ == "tensorcore.cuda"
    assert not isinstance(tc.zeros(1), tc.cuda.FloatTensor) and isinstance(tc.zeros(1), tc.FloatTensor)
    with pytest.raises(AttributeError, match="NoTensor"):
        _ = tc.cuda.NoTensor


class Marked(tc.Tensor):
    """A subclass with a method."""

    def doubled(self):
        return self * 2


def test_a_subclass_is_a_tensor_with_more():
    x = tc.ones(2, requires_grad=True)
    y = (x * 3).as_subclass(Marked)
    y.doubled().sum().backward()
    assert (
        x.grad.tolist() == [6, 6] and repr(Marked([1.0])) == "Marked([1.])" and type(copy.copy(Marked([1.0]))) is Marked
    )
    with pytest.raises(TypeError, match="subclass of Tensor"):
        x.as_subclass(int)


@pytest.mark.parametrize("shape", [(3,), (0,), (2, 3, 4)])
@pytest.mark.parametrize("name", ["index_add_", "index_copy_", "index_fill_", "scatter_", "scatter_add_", "put_"])
def test_writes_at_places_reach_views_and_the_graph(name, shape):
    places = tc.tensor([0, -1] if shape[0] and "scatter" not in name else [0] * bool(shape[0]), dtype=tc.int64)
    whole = tc.zeros(*shape, 2)
    part = whole[..., 1]
    source = tc.ones(len(places), *shape[1:])
    if name == "put_":
        source, arguments = tc.ones(len(places)), lambda s: (places, s)
    elif "scatter" in name:
        index = places.reshape(-1, *[1] * (len(shape) - 1)).expand(source.shape)
        arguments = lambda s: (0, index, s)  # noqa: E731
    elif name == "index_fill_":
        arguments = lambda s: (0, places, 1.0)  # noqa: E731
    else:
        arguments = lambda s: (0, places, s)  # noqa: E731
    functional = getattr(part.clone(), name[:-1])(*arguments(source))
    assert getattr(part, name)(*arguments(source)) is part
    assert part.tolist() == functional.tolist() == whole[..., 1].tolist() and whole[..., 0].sum() == 0
    weight = source.clone().requires_grad_()
    y = tc.zeros(*shape, requires_grad=True) * 1
    getattr(y, name)(*arguments(weight))
    y.sum().backward()
    assert name == "index_fill_" or weight.grad.tolist() == tc.ones_like(weight).tolist()

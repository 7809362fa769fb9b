"""Objects saved whole: modules, classes of a user's, generators, sparse tensors and storages."""

from __future__ import annotations

import collections
import io
import pickle
from fractions import Fraction

import pytest

import tensorcore as tc
from tensorcore.errors import ArgumentError, CheckpointError
from tensorcore.serialization import get_unsafe_globals_in_checkpoint, load, safe_globals, save
from tensorcore.storage import TypedStorage, UntypedStorage
from tests.serialization.round_trip import Point, Settings, again


class Slotted:
    """A class with slots."""

    __slots__ = ("value",)


class Net(tc.nn.Module):
    """A module of a user's."""

    def __init__(self):
        super().__init__()
        self.layer = tc.nn.Linear(2, 3)
        self.activation = tc.nn.functional.relu
        self.settings = Settings(0.5)

    def forward(self, x):
        return self.activation(self.layer(x))


class Tagged(tc.Tensor):
    """A tensor class of a user's."""


def test_objects_come_back_where_they_are_trusted():
    slotted = Slotted()
    slotted.value = 5
    found = again([Settings(0.1), Point(1, tc.ones(1)), Fraction(1, 3), slotted, range(3)], weights_only=False)
    assert found[0].rate == 0.1
    assert found[0].weight.tolist() == [1, 1]
    assert type(found[1]) is Point
    assert found[2] == Fraction(1, 3)
    assert found[3].value == 5
    assert found[4] == range(3)


def test_modules_come_back_whole():
    model = Net()
    x = tc.rand(4, 2)
    found = again(model, weights_only=False)
    assert found(x).tolist() == model(x).tolist()
    assert found.settings.rate == 0.5
    assert [type(each) for each in found.parameters()] == [tc.nn.Parameter] * 2
    found.layer.weight.data.zero_()
    assert model.layer.weight.any()


def test_modules_are_refused_unless_trusted():
    with pytest.raises(CheckpointError, match=r"Net'.*nothing was executed.*add_safe_globals.*weights_only=False"):
        again(Net())


def test_the_refusal_is_pickles_too():
    with pytest.raises(pickle.UnpicklingError, match="Fraction"):
        again(Fraction(1, 2))


def test_tied_parameters_stay_tied():
    model = Net()
    model.other = tc.nn.Linear(2, 3)
    model.other.weight = model.layer.weight
    found = again(model, weights_only=False)
    assert found.other.weight is found.layer.weight


def test_optimizers_come_back_whole():
    model = Net()
    optimizer = tc.optim.Adam(model.parameters(), lr=0.25)
    model(tc.ones(1, 2)).sum().backward()
    optimizer.step()
    model, optimizer = again((model, optimizer), weights_only=False)
    assert optimizer.param_groups[0]["params"][0] is next(model.parameters())
    assert optimizer.state_dict()["state"][0]["exp_avg"].shape == (3, 2)


def test_a_tensor_class_of_a_user():
    found = again(Tagged([1.0, 2.0]), weights_only=False)
    assert type(found) is Tagged
    assert found.tolist() == [1, 2]


def test_lazy_parameters():
    lazy = again(tc.nn.LazyLinear(3), weights_only=False)
    assert lazy(tc.ones(2, 5)).shape == (2, 3)


def test_a_class_that_is_gone():
    file = io.BytesIO()
    save(Settings(1), file)
    broken = file.getvalue().replace(b"Settings", b"Absences")
    # Checksums are of the data that was written.
    with pytest.raises(CheckpointError, match="checksum"):
        load(io.BytesIO(broken), weights_only=False)
    tc.serialization.set_crc32_options(False)
    try:
        save(Settings(1), file := io.BytesIO())
    finally:
        tc.serialization.set_crc32_options(True)
    with pytest.raises(CheckpointError, match=r"Absences, which cannot be imported.*state_dict"):
        load(io.BytesIO(file.getvalue().replace(b"Settings", b"Absences")), weights_only=False)


def test_errors_of_a_users_class_are_its_own():
    with pytest.raises(ZeroDivisionError):
        again(Exploding(), weights_only=False)


class Exploding:
    """A class whose instances cannot be made again."""

    def __reduce__(self):
        return (_explode, ())


def _explode():
    raise ZeroDivisionError


class Module:
    """A module like ``pickle``."""

    class Unpickler(pickle.Unpickler):
        """An unpickler that counts."""

        found = 0

        def find_class(self, module, name):
            Module.Unpickler.found += 1
            return super().find_class(module, name)


def test_a_pickle_module():
    file = io.BytesIO()
    save([Fraction(1, 2), tc.ones(1)], file)
    file.seek(0)
    # It implies weights_only=False.
    assert load(file, pickle_module=Module)[0] == Fraction(1, 2)
    assert Module.Unpickler.found
    file.seek(0)
    with pytest.raises(CheckpointError, match="runs nothing"):
        load(file, pickle_module=Module, weights_only=True)
    with pytest.raises(ArgumentError, match="pickle_module must be a module with an Unpickler"):
        load(file, pickle_module=io)


def test_unsafe_globals():
    def unsafe(value):
        save(value, file := io.BytesIO())
        file.seek(0)
        return get_unsafe_globals_in_checkpoint(file)

    assert unsafe({"w": tc.ones(2), "o": collections.OrderedDict(a={1})}) == []
    assert unsafe([Fraction(1, 2), Fraction(1, 3), Settings(1)]) == [
        "fractions.Fraction",
        f"{Settings.__module__}.Settings",
    ]
    with safe_globals([Fraction]):
        assert unsafe([Fraction(1, 2)]) == []


def test_unsafe_globals_of_what_is_no_checkpoint(tmp_path):
    (tmp_path / "a").write_bytes(b"text")
    with pytest.raises(CheckpointError, match="unknown format"):
        get_unsafe_globals_in_checkpoint(tmp_path / "a")


@pytest.mark.parametrize("weights_only", [True, False])
@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_sparse_tensors_come_back(device, weights_only):
    dense = tc.tensor([[0.0, 2.0], [3.0, 0.0]], device=device)
    for sparse in (dense.to_sparse(), dense.to_sparse_csr(), dense.to_sparse_csc(), dense.to_sparse(1)):
        found = again({"s": sparse}, weights_only=weights_only)["s"]
        assert found.layout is sparse.layout
        assert found.device == sparse.device
        assert found.to_dense().tolist() == dense.tolist()


def test_values_of_sparse_tensors_share_memory():
    sparse = tc.eye(2).to_sparse()
    found = again([sparse, sparse._values()])
    found[1].zero_()
    assert found[0].to_dense().tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("weights_only", [True, False])
def test_generators_come_back(weights_only):
    generator = tc.Generator().manual_seed(3)
    tc.rand(5, generator=generator)
    found = again(generator, weights_only=weights_only)
    assert tc.rand(5, generator=found).tolist() == tc.rand(5, generator=generator).tolist()


def test_storages_come_back():
    x = tc.ones(3)
    found = again([x.untyped_storage(), tc.FloatStorage([1, 2]), {"x": x}])
    assert [type(each) for each in found] == [UntypedStorage, TypedStorage, dict]
    assert found[1].tolist() == [1, 2]
    assert found[0].nbytes() == 12

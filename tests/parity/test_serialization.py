"""Files exchanged with PyTorch and with the safetensors package, both ways."""

from __future__ import annotations

import collections
import io
import warnings

import pytest

torch = pytest.importorskip("torch")

import tensorcore as tc  # noqa: E402
from tensorcore.dtypes import ALL  # noqa: E402
from tensorcore.errors import CheckpointError  # noqa: E402
from tensorcore.nn.parameter import Parameter  # noqa: E402
from tensorcore.serialization import load, save  # noqa: E402
from tensorcore.serialization.safetensors import load_file, load_metadata, save_file  # noqa: E402

NAMES = [dtype.name for dtype in ALL]
SHAPES = [(), (0,), (2, 0, 3), (5,), (2, 3)]


def torch_tensor(name: str, shape=(2, 3)):
    """A tensor that uses the whole width of the dtype."""
    dtype = getattr(torch, name)
    count = torch.Size(shape).numel()
    drawn = torch.randint(0, 256, (count * dtype.itemsize,), dtype=torch.uint8, generator=torch.manual_seed(0))
    drawn = drawn % 2 if dtype is torch.bool else drawn
    # NaNs of random bits stay as they are: nothing here computes.
    return drawn.view(dtype).reshape(shape) if count else torch.empty(shape, dtype=dtype)


def torch_bytes(x) -> bytes:
    flat = x.detach().contiguous().reshape(-1)
    return bytes(flat.view(torch.uint8).tolist()) if x.numel() else b""


def own_bytes(x: tc.Tensor) -> bytes:
    return bytes(x._kind.backend.to_host(x._array))


def agree(own: tc.Tensor, theirs) -> bool:
    return (
        own.dtype.name == str(theirs.dtype).removeprefix("torch.")
        and tuple(own.shape) == tuple(theirs.shape)
        and own_bytes(own) == torch_bytes(theirs)
        and own.requires_grad == theirs.requires_grad
    )


def from_torch(obj, **options):
    """What `load` makes of a file by ``torch.save``."""
    file = io.BytesIO()
    torch.save(obj, file)
    file.seek(0)
    return load(file, **options)


def to_torch(obj, **options):
    """What ``torch.load`` makes of a file by `save`."""
    file = io.BytesIO()
    save(obj, file)
    file.seek(0)
    return torch.load(file, weights_only=True, **options)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", NAMES)
def test_tensors_go_both_ways(name, shape):
    theirs = torch_tensor(name, shape)
    own = from_torch(theirs)
    assert agree(own, theirs)
    assert agree(own, to_torch(own))


@pytest.mark.parametrize("device", ["cpu", "reference"])
@pytest.mark.parametrize(
    "view",
    [
        lambda x: x.t(), lambda x: x[:, 1:], lambda x: x[:, ::2], lambda x: x[1], lambda x: x[1, 2],
        lambda x: x[:1].expand(3, 4), lambda x: x.reshape(2, 3, 2).permute(2, 0, 1), lambda x: x[3:],
    ],
)  # fmt: skip
def test_views_go_both_ways(view, device):
    x = torch.arange(12.0).reshape(3, 4)
    own = from_torch([x, view(x)], map_location=device)
    assert agree(own[1], view(x))
    back = to_torch(own)
    assert agree(own[1], back[1])
    assert back[0].untyped_storage().data_ptr() == back[1].untyped_storage().data_ptr() or not view(x).numel()
    y = tc.arange(12.0, device=device).reshape(3, 4)
    assert torch.equal(to_torch([y, view(y)])[1], view(x))
    assert torch.equal(to_torch(view(y)), view(x))


@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_shared_storages_stay_shared(device):
    x = torch.zeros(3, 4)
    own = from_torch({"x": x, "t": x.t(), "row": x[1]}, map_location=device)
    own["x"] += 1
    assert own["t"].tolist() == [[1] * 3] * 4
    assert own["row"].tolist() == [1] * 4
    back = to_torch(own)
    back["x"][1] = 5
    assert back["row"].tolist() == [5] * 4
    assert back["t"].stride() == (1, 4)


def test_pytorch_tensors_with_marks_are_resolved():
    x = torch.tensor([1 + 2j, -3j])
    assert from_torch(x.conj()).tolist() == [1 - 2j, 3j]
    assert from_torch(x.conj().imag).tolist() == [-2, 3]


def test_parameters_and_attributes_go_both_ways():
    weight = torch.nn.Parameter(torch.ones(2))
    frozen = torch.nn.Parameter(torch.ones(2), requires_grad=False)
    tagged, tagged_weight = torch.ones(1), torch.nn.Parameter(torch.zeros(1))
    tagged.tag = tagged_weight.tag = "a"
    own = from_torch([weight, frozen, tagged, tagged_weight])
    assert [type(x) for x in own] == [Parameter, Parameter, tc.Tensor, Parameter]
    assert [x.requires_grad for x in own] == [True, False, False, True]
    assert own[2].tag == own[3].tag == "a"
    back = to_torch(own)
    assert [type(x) for x in back] == [torch.nn.Parameter, torch.nn.Parameter, torch.Tensor, torch.nn.Parameter]
    assert [x.requires_grad for x in back] == [True, False, False, True]
    assert back[2].tag == back[3].tag == "a"


def test_data_goes_both_ways():
    value = collections.OrderedDict(
        numbers=[0, 255, 256, 65536, -1, 2**31, 2**80, -(2**80), 1.5, float("inf"), True, False, None],
        texts=["", "é", "a" * 300, ("nested", ("tuple", [{"dict": {1, 2}}]))],
        more=[b"", b"\x00\xff", bytearray(b"ab"), 1 - 2j, collections.Counter("aab"), (), {}, []],
    )
    assert from_torch(value) == value
    assert to_torch(value) == value


def test_dtypes_devices_and_shapes_go_both_ways():
    names = [*NAMES]
    assert [dtype.name for dtype in from_torch([getattr(torch, name) for name in names])] == names
    assert to_torch([getattr(tc, name) for name in names]) == [getattr(torch, name) for name in names]
    assert from_torch([torch.device("cpu"), torch.device("cuda:1")]) == [tc.device("cpu"), tc.device("cuda:1")]
    assert to_torch([tc.device("cpu"), tc.device("cuda:1")]) == [torch.device("cpu"), torch.device("cuda:1")]
    assert from_torch(torch.Size([2, 3])) == tc.Size([2, 3])
    assert to_torch(tc.Size([2, 3])) == torch.Size([2, 3])


def test_a_state_dict_of_pytorch():
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Linear(4, 3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    model[2](torch.ones(1, 4)).sum().backward()
    optimizer.step()
    own = from_torch({"model": model.state_dict(), "optimizer": optimizer.state_dict()})
    assert list(own["model"]) == list(model.state_dict())
    assert own["model"]._metadata == model.state_dict()._metadata
    assert all(agree(own["model"][key], value) for key, value in model.state_dict().items())
    back = to_torch(own)
    model.load_state_dict(back["model"])
    optimizer.load_state_dict(back["optimizer"])
    assert back["optimizer"]["param_groups"] == optimizer.state_dict()["param_groups"]


def test_state_dicts_of_this_library_load_in_pytorch():
    model = tc.nn.Sequential(tc.nn.Linear(4, 3), tc.nn.ReLU(), tc.nn.Linear(3, 2))
    optimizer = tc.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model(tc.ones(1, 4)).sum().backward()
    optimizer.step()
    back = to_torch({"model": model.state_dict(), "optimizer": optimizer.state_dict()})
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
    theirs.load_state_dict(back["model"])
    torch.optim.SGD(theirs.parameters(), lr=1.0, momentum=0.9).load_state_dict(back["optimizer"])
    assert all(
        agree(own.detach(), value) for own, value in zip(model.parameters(), theirs.state_dict().values(), strict=True)
    )


def test_tensors_of_a_device_pytorch_lacks_load_there():
    assert to_torch(tc.ones(2, device="reference")).device.type == "cpu"


@pytest.mark.parametrize("mapped", [False, True])
def test_files_on_disk_go_both_ways(tmp_path, mapped):
    x = torch.arange(1000.0).reshape(10, 100)
    torch.save({"x": x, "half": x.half()}, tmp_path / "theirs.pt")
    own = load(tmp_path / "theirs.pt", mmap=mapped)
    assert agree(own["x"], x)
    save(own, tmp_path / "own.pt")
    back = torch.load(tmp_path / "own.pt", weights_only=True, mmap=mapped)
    assert agree(own["half"], back["half"])


def test_checksums_that_pytorch_left_out(tmp_path):
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"x": torch.ones(3)}, tmp_path / "a.pt")
    finally:
        torch.serialization.set_crc32_options(before)
    assert load(tmp_path / "a.pt")["x"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_binary_protocol_of_pytorch_is_read(protocol):
    value = {"x": torch.arange(4), "more": [1, "a" * 300, b"ab", {1}, frozenset({2}), 2**80, (1, (2,))]}
    file = io.BytesIO()
    torch.save(value, file, pickle_protocol=protocol)
    file.seek(0)
    own = load(file)
    assert own["x"].tolist() == [0, 1, 2, 3]
    assert own["more"] == value["more"]


@pytest.mark.parametrize(
    "map_location", [lambda storage, location: storage, lambda storage, location: storage.cpu(), {"cuda:0": "cpu"}]
)
def test_map_location_as_pytorch_programs_write_it(map_location):
    assert from_torch(torch.ones(1), map_location=map_location).device == tc.device("cpu")


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), "torch._utils._rebuild_qtensor"),
        (lambda: torch.empty(2, device="meta"), "torch._utils._rebuild_meta_tensor_no_storage"),
        (lambda: torch.ones(2).to(torch.float8_e4m3fn), "torch.float8_e4m3fn"),
        (lambda: torch.nn.Linear(1, 1), "torch.nn.modules.linear.Linear"),
    ],
)
def test_what_this_library_lacks_is_named(value, named):
    with warnings.catch_warnings():
        # PyTorch warns that quantised tensors are on their way out.
        warnings.simplefilter("ignore")
        made = value()
        with pytest.raises(CheckpointError, match=f"{named}.*nothing was executed"):
            from_torch(made)


def test_programs_are_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = torch.jit.trace(torch.nn.Linear(1, 1), torch.ones(1, 1))
        file = io.BytesIO()
        torch.jit.save(script, file)
    file.seek(0)
    with pytest.raises(CheckpointError, match="TorchScript"):
        load(file)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", [name for name in NAMES if name != "complex128"])
def test_safetensors_go_both_ways(tmp_path, name, shape):
    package = pytest.importorskip("safetensors.torch")
    theirs = {"x": torch_tensor(name, shape), "y": torch.ones(3)}
    package.save_file(theirs, tmp_path / "theirs", metadata={"format": "pt"})
    own = load_file(tmp_path / "theirs")
    assert all(agree(own[key], theirs[key]) for key in theirs)
    assert load_metadata(tmp_path / "theirs") == {"format": "pt"}
    save_file(own, tmp_path / "own", metadata={"format": "pt"})
    assert (tmp_path / "own").read_bytes() == (tmp_path / "theirs").read_bytes()
    back = package.load_file(tmp_path / "own")
    assert all(agree(own[key], back[key]) for key in theirs)

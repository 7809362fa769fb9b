"""PyTorch's zip format, written and read by this library (tests/parity holds the comparison with PyTorch)."""

from __future__ import annotations

import collections
import io
import zipfile
from fractions import Fraction

import pytest

import tensorcore as tc
from tensorcore.errors import CheckpointError, DeviceError
from tensorcore.nn.parameter import Parameter
from tensorcore.serialization import load, safe_globals, save, zip_archive
from tests.serialization.round_trip import Point, Settings, again


class Tagged(tc.Tensor):
    """A tensor class of a user's."""


# ---------------------------------------------------------------- data


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, 255, 256, 65535, 65536, -1, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**63, -(2**100),
        10**700, 0.0, -0.0, 1e300, float("inf"), "", "é\n\x00", "x" * 70000, "\ud800", b"", b"\x00\xff",
        bytearray(b"ab"), 1 - 2j, (), (1,), (1, (2, "a")), [], [1, [2]], {}, {"a": {1: None, (1, "b"): 2.5}}, {1, 2},
        frozenset({"a"}), collections.OrderedDict(b=1, a=2), collections.Counter("aab"), tc.float32,
        tc.bfloat16, tc.bool, tc.uint64,
    ],
    ids=lambda value: f"{type(value).__name__}-{value!r:.20}",
)  # fmt: skip
def test_data_comes_back(value):
    found = again(value)
    assert found == value
    assert type(found) is type(value)
    assert repr(found) == repr(value)


def test_nan_comes_back():
    found = again(float("nan"))
    assert found != found


def test_devices_and_shapes_come_back():
    assert again([tc.device("cpu"), tc.device("cuda:1")]) == [tc.device("cpu"), tc.device("cuda:1")]
    assert type(again(tc.ones(2, 3).shape)) is tc.Size


def test_references_come_back():
    shared, text = [1], "text"
    loop = [shared, shared, text]
    loop.append((loop,))
    found = again(loop)
    assert found[0] is found[1]
    assert found[3][0] is found


def test_a_tuple_that_contains_itself_comes_back():
    inner = []
    outer = (inner,)
    inner.append(outer)
    found = again(outer)
    assert found[0][0] is found


def test_attributes_of_an_ordered_dict_come_back():
    state = collections.OrderedDict(a=1)
    state._metadata = {"": {"version": 1}}
    assert again(state)._metadata == {"": {"version": 1}}


def test_more_strings_than_one_byte_can_number():
    value = {f"key {i}": [f"value {i}"] for i in range(700)}
    assert again(value) == value


def test_nesting_beyond_the_limit_is_told():
    value = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(RecursionError, match="save: the object is nested too deeply"):
        save(value, io.BytesIO())


# ---------------------------------------------------------------- tensors


def test_every_dtype_comes_back(dtype, device, sample, same):
    x = sample(dtype, device)
    assert same(again(x), x)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1, 1), (2, 3, 4)])
def test_every_shape_comes_back(shape, device, same):
    x = tc.ones(shape, device=device)
    assert same(again(x), x)


@pytest.mark.parametrize(
    "view",
    [
        lambda x: x.permute(2, 0, 1), lambda x: x[:, 1], lambda x: x[:, ::2, 1:], lambda x: x[1, 2, 3],
        lambda x: x[0, 0].expand(5, 2, 4), lambda x: x[:, :1].expand(2, 6, 4), lambda x: x.flip(1), lambda x: x[1:1],
    ],
)  # fmt: skip
@pytest.mark.parametrize("together", [False, True])
def test_views_come_back(view, together, device, same):
    x = tc.arange(24.0, device=device).reshape(2, 3, 4)
    y = view(x)
    found = again([x, y] if together else [y])
    assert same(found[-1], y)


def test_a_transposed_tensor_stays_transposed(device):
    x = tc.arange(6.0, device=device).reshape(2, 3).t()
    assert again(x).stride() == x.stride()


def test_a_lone_view_takes_its_own_elements_only():
    file = io.BytesIO()
    save(tc.zeros(100_000)[5:7], file)
    assert len(file.getvalue()) < 2000
    assert again(tc.zeros(2).expand(50_000, 2)).stride() == (0, 1)


def test_shared_memory_is_written_once_and_shared_again(device):
    x = tc.arange(12.0, device=device).reshape(3, 4)
    file = io.BytesIO()
    save({"x": x, "t": x.t(), "row": x[1], "same": x, "detached": x.detach()}, file)
    names = zipfile.ZipFile(file).namelist()
    assert [name for name in names if "/data/" in name] == ["archive/data/0"]
    file.seek(0)
    found = load(file)
    assert found["same"] is found["x"]
    found["x"][1, 0] = 100.0
    assert found["detached"][1, 0] == 100
    assert found["t"][0, 1] == 100
    assert found["row"][0] == 100


def test_overlapping_parts_without_the_whole_share_again():
    x = tc.arange(10)
    found = again([x[:6], x[4:]])
    found[0][5] = -1
    assert found[1].tolist() == [4, -1, 6, 7, 8, 9]


def test_interleaved_parts_come_back(dtype, sample, same):
    x = sample(dtype)
    left, right = x[:, :2], x[:, 1:]
    found = again([left, right])
    assert same(found[0], left)
    assert same(found[1], right)


def test_loaded_tensors_share_when_saved_again():
    x = tc.zeros(4)
    first = again([x, x[1:]])
    second = again(first)
    second[0][2] = 5
    assert second[1].tolist() == [0, 5, 0]


def test_tensors_of_two_dtypes_over_one_memory_are_written_apart():
    x = tc.ones(4)
    found = again([x, x.view(tc.int32)])
    assert found[1].dtype is tc.int32
    assert found[0].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("requires_grad", [False, True])
def test_requires_grad_comes_back(requires_grad):
    found = again(tc.ones(2, requires_grad=requires_grad))
    assert found.requires_grad is requires_grad
    assert found.is_leaf
    parameter = again(Parameter(tc.ones(2), requires_grad))
    assert type(parameter) is Parameter
    assert parameter.requires_grad is requires_grad


def test_the_result_of_an_op_is_saved_as_a_leaf():
    found = again(tc.ones(2, requires_grad=True) * 2)
    assert found.requires_grad
    assert found.is_leaf


def test_attributes_of_tensors_come_back():
    x, p = tc.ones(2), Parameter(tc.ones(2))
    x.tag, p.tag = "a", [1]
    found = again([x, p])
    assert found[0].tag == "a"
    assert found[1].tag == [1]
    assert type(found[1]) is Parameter


def test_gradients_are_not_saved():
    x = tc.ones(2, requires_grad=True)
    x.sum().backward()
    assert again(x).grad is None


def test_a_tensor_class_of_a_user_needs_to_be_allowed():
    x = Tagged([1.0, 2.0])
    with pytest.raises(CheckpointError, match="Tagged"):
        again(x)
    with safe_globals([Tagged]):
        found = again(x)
    assert type(found) is Tagged
    assert found.tolist() == [1, 2]


# ---------------------------------------------------------------- where tensors go


def test_tensors_return_to_their_device():
    x = [tc.ones(1, device="cpu"), tc.ones(1, device="reference")]
    assert [each.device.type for each in again(x)] == ["cpu", "reference"]


@pytest.mark.parametrize(
    ("map_location", "devices"),
    [
        ("reference", ["reference", "reference"]),
        (tc.device("cpu"), ["cpu", "cpu"]),
        ({"cpu": "reference"}, ["reference", "reference"]),
        ({"reference": "cpu"}, ["cpu", "cpu"]),
        ({tc.device("reference"): tc.device("cpu")}, ["cpu", "cpu"]),
        (lambda storage, location: storage, ["cpu", "cpu"]),
        (lambda storage, location: None, ["cpu", "reference"]),
        (lambda storage, location: storage.to(device="reference"), ["reference", "reference"]),
    ],
)
def test_map_location(map_location, devices):
    x = [tc.ones(1, device="cpu"), tc.ones(1, device="reference")]
    assert [each.device.type for each in again(x, map_location=map_location)] == devices


def test_map_location_is_told_the_size_and_device():
    seen = []
    again(tc.ones(3), map_location=lambda storage, location: seen.append((storage.nbytes(), storage.size(), location)))
    assert seen == [(12, 3, "cpu")]


def test_errors_of_map_location_are_the_callers():
    with pytest.raises(ZeroDivisionError):
        again(tc.ones(1), map_location=lambda storage, location: 1 / 0)
    with pytest.raises(TypeError, match="map_location returned a int"):
        again(tc.ones(1), map_location=lambda storage, location: 1)
    with pytest.raises(TypeError, match="map_location must be"):
        again(tc.ones(1), map_location=1)


def test_a_missing_device_is_named():
    with pytest.raises(DeviceError, match="nowhere"):
        again(tc.ones(1), map_location="nowhere")


@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_mapped_files(tmp_path, device, dtype, sample, same):
    x = sample(dtype, device)
    save({"x": x, "empty": tc.zeros(0)}, tmp_path / "a.pt")
    found = load(tmp_path / "a.pt", mmap=True)
    assert same(found["x"], x)
    assert found["empty"].shape == (0,)


def test_writing_into_a_mapped_tensor_leaves_the_file(tmp_path):
    save(tc.zeros(3), tmp_path / "a.pt")
    found = load(tmp_path / "a.pt", mmap=True)
    found += 1
    assert load(tmp_path / "a.pt").tolist() == [0, 0, 0]


def test_mapping_needs_a_path():
    with pytest.raises(ValueError, match="mmap needs a path"):
        load(io.BytesIO(), mmap=True)


# ---------------------------------------------------------------- classes of a user's


def test_other_classes_need_to_be_allowed():
    value = [Settings(0.1), Point(1, 2), Fraction(1, 3)]
    with pytest.raises(CheckpointError, match=r"Settings.* is not among .*; nothing was executed.*add_safe_globals"):
        again(value)
    with safe_globals([Settings, Point, Fraction]):
        found = again(value)
    assert found[0].rate == 0.1
    assert found[1:] == [Point(1, 2), Fraction(1, 3)]
    assert type(found[1]) is Point


@pytest.mark.parametrize("value", [lambda: 0, (each for each in ()), memoryview(b"")], ids=lambda x: type(x).__name__)
def test_what_no_pickle_holds_is_told(value):
    with pytest.raises(TypeError, match="cannot"):
        save(value, io.BytesIO())


# ---------------------------------------------------------------- the container


def test_the_layout(tmp_path):
    save({"w": tc.ones(3), "e": tc.zeros(0)}, tmp_path / "a.pt")
    data = (tmp_path / "a.pt").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.pt") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            f"archive/{name}" for name in ("data.pkl", "byteorder", "data/0", "data/1", "version")
        ]
        assert archive.read("archive/version") == b"3\n"
        for info in archive.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            extra = int.from_bytes(data[info.header_offset + 28 : info.header_offset + 30], "little")
            assert (info.header_offset + 30 + len(info.filename) + extra) % 64 == 0


def test_large_files_use_the_64_bit_fields(monkeypatch, tmp_path):
    monkeypatch.setattr(zip_archive, "ZIP64_FROM", 500)
    save({"w": tc.arange(300.0), "v": tc.ones(2)}, tmp_path / "a.pt")
    with zipfile.ZipFile(tmp_path / "a.pt") as archive:
        assert archive.testzip() is None
        assert archive.infolist()[-1].extract_version == 45
    found = load(tmp_path / "a.pt")
    assert found["w"].tolist() == list(range(300))
    assert found["v"].tolist() == [1, 1]


def test_paths_and_file_objects(tmp_path):
    for path in (tmp_path / "a.pt", str(tmp_path / "b.pt"), str(tmp_path / "c.pt").encode()):
        save([1], path)
        assert load(path) == [1]
    with open(tmp_path / "d.pt", "wb") as file:
        save([tc.ones(2)], file)
    with open(tmp_path / "d.pt", "rb") as file:
        assert load(file)[0].tolist() == [1, 1]


class Stream(io.RawIOBase):
    """A stream that goes one way, as a pipe or a download."""

    def __init__(self, data=b""):
        self.source, self.written = io.BytesIO(data), bytearray()

    def write(self, data):
        self.written += data
        return len(data)

    def read(self, size=-1):
        return self.source.read(size)

    def seekable(self):
        return False


def test_streams_that_cannot_seek():
    stream = Stream()
    save([tc.ones(2)], stream)
    assert load(Stream(bytes(stream.written)))[0].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: save(1, 5), TypeError, "f must be a path or have a write method, got int"),
        (lambda: load(5), TypeError, "f must be a path or a file object"),
        (lambda: load(io.StringIO("text")), TypeError, "binary mode"),
        (lambda: save(1, io.BytesIO(), pickle_module=zipfile), ValueError, "pickle_module"),
        (lambda: load(io.BytesIO(), pickle_module=zipfile), ValueError, "pickle_module"),
        (lambda: save(1, io.BytesIO(), _use_new_zipfile_serialization=False), ValueError, "before version 1.6"),
        (lambda: load(io.BytesIO(), weights=1), TypeError, "unexpected arguments 'weights'"),
        (lambda: load("/none/a.pt"), FileNotFoundError, "none"),
        (lambda: tc.serialization.add_safe_globals([1]), TypeError, "expected classes and functions, got 1"),
        (lambda: tc.serialization.add_safe_globals([(int, 1)]), TypeError, "a pair is"),
    ],
)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_modules_and_optimizers_come_back():
    from tensorcore import nn

    tc.manual_seed(0)
    model = nn.Linear(3, 2)
    optimizer = tc.optim.Adam(model.parameters(), lr=0.1)
    model(tc.ones(4, 3)).sum().backward()
    optimizer.step()
    found = again({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3})
    other = nn.Linear(3, 2)
    other.load_state_dict(found["model"])
    assert other.weight.tolist() == model.weight.tolist()
    restored = tc.optim.Adam(other.parameters(), lr=0.5)
    restored.load_state_dict(found["optimizer"])
    assert restored.param_groups[0]["lr"] == 0.1

"""The safetensors format: round trips, the bytes of the specification, and files that are not quite right."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorcore as tc
from tensorcore.errors import CheckpointError, DTypeError
from tensorcore.serialization.safetensors import load_file, load_metadata, parse_header, save_file
from tensorcore.serialization.safetensors.format import MAX_HEADER


def packed(table, data: bytes = b"") -> bytes:
    """A file with a given header, which may be wrong."""
    text = table if isinstance(table, bytes) else json.dumps(table).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype="F32", shape=(1,), offsets=(0, 4)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def test_every_dtype_comes_back(tmp_path, dtype, device, sample, same):
    if dtype is tc.complex128:
        return  # It has no name in the format: see test_complex128_is_refused.
    x = sample(dtype, device)
    save_file({"x": x}, tmp_path / "a")
    assert same(load_file(tmp_path / "a", device)["x"], x)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1, 1), (2, 3, 4)])
def test_every_shape_comes_back(tmp_path, shape):
    save_file({"x": tc.ones(shape)}, tmp_path / "a")
    assert load_file(tmp_path / "a")["x"].shape == shape


@pytest.mark.parametrize(
    "view", [lambda x: x.t(), lambda x: x[:, 1:], lambda x: x[0].expand(4, 3), lambda x: x.flip(0)]
)
def test_views_are_saved_row_major(tmp_path, view):
    x = view(tc.arange(6.0).reshape(2, 3))
    save_file({"x": x}, tmp_path / "a")
    assert load_file(tmp_path / "a")["x"].tolist() == x.tolist()


def test_the_layout_is_the_specification(tmp_path):
    save_file({"b": tc.tensor([1, 2], dtype=tc.int16), "a": tc.tensor(3.0)}, tmp_path / "a", metadata={"k": "v"})
    data = (tmp_path / "a").read_bytes()
    length = int.from_bytes(data[:8], "little")
    assert length % 8 == 0
    assert json.loads(data[8 : 8 + length]) == {
        "__metadata__": {"k": "v"}, "a": entry("F32", (), (0, 4)), "b": entry("I16", (2,), (4, 8)),
    }  # fmt: skip
    assert data[8 + length :] == struct.pack("<fhh", 3.0, 1, 2)


def test_metadata(tmp_path):
    save_file({}, tmp_path / "a", metadata={"step": "7", "é": "\n"})
    assert load_metadata(tmp_path / "a") == {"step": "7", "é": "\n"}
    assert load_file(tmp_path / "a") == {}
    save_file({}, tmp_path / "a")
    assert load_metadata(tmp_path / "a") == {}


def test_order_of_names_is_that_of_the_header(tmp_path):
    names = ["z", "a", "m", "ü", ""]
    save_file({name: tc.zeros(1) for name in names}, tmp_path / "a")
    assert set(load_file(tmp_path / "a")) == set(names)


def test_loading_puts_tensors_on_the_device(tmp_path):
    save_file({"x": tc.ones(2)}, tmp_path / "a")
    assert load_file(tmp_path / "a", device="reference")["x"].device == tc.device("reference")
    with tc.device("reference"):
        assert load_file(tmp_path / "a")["x"].device == tc.device("reference")


def test_load_finds_out_the_format(tmp_path):
    save_file({"x": tc.ones(2)}, tmp_path / "a")
    assert tc.serialization.load(tmp_path / "a", map_location="reference")["x"].device == tc.device("reference")


def test_complex128_is_refused(tmp_path):
    with pytest.raises(DTypeError, match=r"no name for tensorcore.complex128 of 'x'.*view_as_real"):
        save_file({"x": tc.ones(1, dtype=tc.complex128)}, tmp_path / "a")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("tensors", "metadata", "error", "message"),
    [
        ({"x": 1.0}, None, TypeError, "expected a tensor for 'x', got float"),
        ({1: 1.0}, None, TypeError, "names of tensors are strings, got 1"),
        ({"__metadata__": None}, None, ValueError, "reserved"),
        ({}, {"a": 1}, TypeError, "maps strings to strings"),
        ({}, {"a": "\ud800"}, TypeError, "no valid Unicode"),
    ],
)
def test_what_cannot_be_saved(tmp_path, tensors, metadata, error, message):
    with pytest.raises(error, match=message):
        save_file(tensors, tmp_path / "a", metadata)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "an empty file"),
        (b"\x01\x02", "an unknown format"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (struct.pack("<Q", MAX_HEADER + 1) + b"{", f"{MAX_HEADER + 1} bytes is announced, but the specification"),
        (struct.pack("<Q", 99) + b"{}", "99 bytes is announced, but the file has 10"),
        (packed(b"{"), "is no JSON"),
        (packed(b"{\xff}"), "is no JSON"),
        (packed(b'{"a":' + b"[" * 99999 + b"]" * 99999 + b"}"), "is no JSON"),
        (packed(b'{"a":1,"a":1}'), "the key 'a' twice"),
        (packed(b'{"a":{"dtype":"F32","dtype":"F32"}}'), "the key 'dtype' twice"),
        (packed({"__metadata__": {"a": 1}}), "must map strings to strings"),
        (packed({"__metadata__": []}), "must map strings to strings"),
        (packed({"x": 1}), "'x' .*expected the keys dtype, shape and data_offsets, got int"),
        (packed({"x": {**entry(), "more": 1}}, bytes(4)), "expected the keys"),
        (packed({"x": entry("F8_E4M3", (4,))}, bytes(4)), "'F8_E4M3' is not known; known: BOOL"),
        (packed({"x": entry([])}, bytes(4)), r"dtype \[\] is not known"),
        (packed({"x": entry(shape=[-1])}, bytes(4)), "shape must be"),
        (packed({"x": entry(shape=[True])}, bytes(4)), "shape must be"),
        (packed({"x": entry(shape=[1.0])}, bytes(4)), "shape must be"),
        (packed({"x": entry(shape=[2**62] * 64)}, bytes(4)), "takes"),
        (packed({"x": entry(shape=[2**63])}, bytes(4)), "shape must be"),
        (packed({"x": entry(shape=[1] * 65)}, bytes(4)), "shape must be"),
        (packed({"x": entry(offsets=[4, 0])}, bytes(4)), "data_offsets must be"),
        (packed({"x": entry(offsets=[0, 2, 4])}, bytes(4)), "data_offsets must be"),
        (packed({"x": entry(offsets=[0, 8])}, bytes(8)), r"takes 4 bytes, data_offsets \[0, 8\] give 8"),
        (packed({"x": entry(offsets=[4, 8])}, bytes(8)), "leaves 4 unused bytes after the header"),
        (packed({"x": entry(), "y": entry(offsets=[2, 6])}, bytes(6)), "'y' starts at 2 and overlaps tensor 'x'"),
        (packed({"x": entry(), "y": entry()}, bytes(4)), "overlaps"),
        (packed({"x": entry()}, bytes(3)), "truncated: the tensors take 4 bytes, 3 follow"),
        (packed({"x": entry()}, bytes(5)), "1 bytes follow the last tensor"),
    ],
)
def test_damaged_files_are_refused(tmp_path, data, message):
    (tmp_path / "a").write_bytes(data)
    for read in (load_file, load_metadata):
        with pytest.raises(CheckpointError, match=message) as caught:
            read(tmp_path / "a")
        assert str(tmp_path / "a") in str(caught.value)


def test_every_truncation_is_refused(tmp_path):
    save_file({"w": tc.arange(20.0).reshape(4, 5), "s": tc.tensor(1)}, tmp_path / "whole", metadata={"a": "b"})
    data = (tmp_path / "whole").read_bytes()
    for length in range(0, len(data), 7):
        (tmp_path / "a").write_bytes(data[:length])
        with pytest.raises(CheckpointError):
            load_file(tmp_path / "a")


def test_a_missing_file_is_the_usual_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_file(tmp_path / "none")


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
_near_entry = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "BOOL", "C64", "F99"]) | _json,
        "shape": st.lists(st.integers(-1, 4), max_size=3) | _json,
        "data_offsets": st.lists(st.integers(-1, 40), min_size=2, max_size=2) | _json,
    }
)


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=60) | st.dictionaries(st.text(max_size=3), _near_entry | _json, max_size=3), st.integers(0, 50)
)
def test_any_header_is_read_or_refused(table, size):
    text = table if isinstance(table, bytes) else json.dumps(table).encode()
    try:
        entries, metadata = parse_header(text, size, "name")
    except CheckpointError as error:
        assert "name" in str(error)
    else:
        # What is accepted covers the data exactly.
        assert sum(each.end - each.start for each in entries.values()) == size
        assert all(type(value) is str for value in metadata.values())


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), max_size=6).filter(lambda name: name != "__metadata__"),
        st.tuples(st.sampled_from(["float32", "int64", "bool", "bfloat16"]), st.lists(st.integers(0, 3), max_size=3)),
        max_size=5,
    )
)  # fmt: skip
def test_any_tensors_come_back(tmp_path_factory, described):
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    tensors = {name: tc.ones(shape, dtype=getattr(tc, dtype)) for name, (dtype, shape) in described.items()}
    save_file(tensors, path)
    found = load_file(path)
    assert {name: (x.dtype, x.shape) for name, x in found.items()} == {
        name: (x.dtype, x.shape) for name, x in tensors.items()
    }
    assert all(bool((x == 1).all()) for x in found.values())

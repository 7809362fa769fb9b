"""Files made to do harm, and files that are damaged: nothing runs, and the error says what was found."""

from __future__ import annotations

import io
import os
import pickle
import random
import struct
import zipfile

import pytest

import tensorcore as tc
from tensorcore.errors import CheckpointError, DeviceError
from tensorcore.serialization import load, safe_globals, save
from tensorcore.serialization.allowed_globals import AllowedGlobals
from tensorcore.serialization.pickle_reader import PickleReader


def checkpoint(pickled: bytes, entries: dict[str, bytes] | None = None, **options) -> io.BytesIO:
    """An archive around a pickle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as archive:
        archive.writestr("archive/data.pkl", pickled)
        for name, data in (entries or {}).items():
            archive.writestr(f"archive/{name}", data)
    file.seek(0)
    return file


class Reduces:
    """An object that pickles as a call."""

    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced

    def __call__(self):
        """Callable, so that it can be what another reduces to."""


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


# ---------------------------------------------------------------- code in pickles


@pytest.fixture
def mark(tmp_path):
    """A path that an attack creates when it runs."""
    return tmp_path / "it-ran"


def attacks(path: str) -> dict[str, tuple[bytes, str]]:
    """Pickles that create ``path`` when executed, and what the refusal names."""
    command = f"touch {path}"
    program = f"open({path!r}, 'w').close()"
    system = text(command) + b"\x85R."
    chain = Reduces(getattr, (Reduces(__import__, ("os",)), "system"))
    return {
        "system": (pickle.dumps(Reduces(os.system, (command,)), 2), f"{os.name}.system"),
        "system-protocol-4": (pickle.dumps(Reduces(os.system, (command,)), 4), f"{os.name}.system"),
        "system-as-os": (b"\x80\x02cos\nsystem\n" + system, "os.system"),
        "eval": (pickle.dumps(Reduces(eval, (program,)), 2), "builtins.eval"),
        "exec": (pickle.dumps(Reduces(exec, (program,)), 2), "builtins.exec"),
        "open": (pickle.dumps(Reduces(open, (path, "w")), 2), "io.open|_io.open"),
        "getattr-chain": (pickle.dumps(Reduces(chain, (command,)), 2), "builtins.getattr"),
        "import": (b"\x80\x02c__builtin__\n__import__\n" + text("os") + b"\x85R.", "builtins.__import__"),
        "subprocess": (b"\x80\x02csubprocess\nPopen\n]" + text(command) + b"a\x85R.", "subprocess.Popen"),
        "runpy": (b"\x80\x02crunpy\n_run_code\n" + system, "runpy._run_code"),
        "torch-hub": (b"\x80\x02ctorch.hub\nload\n" + system, "torch.hub.load"),
        "own-module": (b"\x80\x02ctensorcore.serialization.torch_zip\nload\n" + system, "tensorcore.serialization"),
        "attribute-of-allowed": (b"\x80\x04" + text("collections") + text("OrderedDict.fromkeys") + b"\x93" + system,
                                 "collections.OrderedDict.fromkeys"),
        "module-of-allowed": (b"\x80\x04" + text("collections.OrderedDict") + text("__class__") + b"\x93" + system,
                              "collections.OrderedDict.__class__"),
        "stack-global": (b"\x80\x04" + text("os") + text("system") + b"\x93" + system, "os.system"),
        "stack-global-no-string": (b"\x80\x04" + b"K\x01" + text("system") + b"\x93" + system, "no string"),
        "memoized-global": (b"\x80\x02cos\nsystem\nq\x000h\x00" + system, "os.system"),
        "inst": (b"\x80\x02(" + text(command) + b"ios\nsystem\n.", "os.system"),
        "inst-of-allowed": (b"\x80\x02(icollections\nOrderedDict\n.", "opcode INST"),
        "obj": (b"\x80\x02(cos\nsystem\n" + text(command) + b"o.", "os.system"),
        "obj-of-allowed": (b"\x80\x02(ccollections\nOrderedDict\no.", "opcode OBJ"),
        "newobj": (b"\x80\x02cos\nsystem\n" + text(command) + b"\x85\x81.", "os.system"),
        "newobj-ex": (b"\x80\x04ccollections\nOrderedDict\n)}\x92.", "keyword arguments"),
        "extension": (b"\x80\x02\x82\x01.", "opcode EXT1"),
        "protocol-0": (pickle.dumps(Reduces(os.system, (command,)), 0), "opcode GLOBAL|system"),
        "reduce-text": (b"\x80\x02" + text("os.system") + system, "calls an object of type str"),
        "reduce-dtype": (b"\x80\x02ctorch\nfloat32\n)R.", "calls an object of type DType"),
        "reduce-class-without-call": (b"\x80\x02ctorch\nTensor\n)R.", "calls <torch.Tensor>"),
        "reduce-args-no-tuple": (b"\x80\x02ccollections\nOrderedDict\n]R.", "calls"),
        "build-class": (b"\x80\x02ccollections\nOrderedDict\n}" + text("call") + b"Nsb.", "state of an object of type"),
        "build-dict": (b"\x80\x02}}b.", "state of an object of type dict"),
        "build-slots": (b"\x80\x02ccollections\nOrderedDict\n)RN}\x86b.", "state of an object of type OrderedDict"),
        "append-to-dict": (b"\x80\x02}K\x01a.", "appends to an object of type dict"),
        "assign-to-class": (b"\x80\x02ccollections\nOrderedDict\nK\x01K\x02s.", "items of an object of type Global"),
        "add-to-list": (b"\x80\x04](K\x01\x90.", "adds elements to an object of type list"),
        "encode-with-a-codec": (b"\x80\x02c_codecs\nencode\n" + text("a") + text("hex") + b"\x86R.", "encode takes"),
        "bytes-of-a-length": (b"\x80\x02c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R.", "bytearray takes bytes"),
        "persistent-text": (b"\x80\x02Pos.system\n.", "opcode PERSID"),
        "persistent-other": (b"\x80\x02" + text("module") + b"\x85Q.", "persistent id"),
        "key-with-a-hash": (b"\x80\x02}ctorch\nTensor\nNs.", ""),
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(attacks("x")))
def test_nothing_is_executed(name, mark):
    pickled, message = attacks(str(mark))[name]
    if name == "key-with-a-hash":
        # An inert object is a harmless key.
        load(checkpoint(pickled))
    else:
        with pytest.raises(CheckpointError, match=message):
            load(checkpoint(pickled))
    assert not mark.exists()


def test_the_attacks_would_work(mark):
    # Without this the tests above could pass for the wrong reason.
    pickle.loads(attacks(str(mark))["system"][0])
    assert mark.exists()


def test_the_refusal_says_what_to_do():
    with pytest.raises(CheckpointError) as caught:
        load(checkpoint(pickle.dumps(Reduces(os.system, ("true",)), 2)))
    assert "a BytesIO" in str(caught.value)
    assert f"'{os.name}.system'" in str(caught.value)
    assert "nothing was executed" in str(caught.value)


def test_an_allowed_class_allows_no_other(mark):
    with safe_globals([Reduces]):
        for pickled, _ in (attacks(str(mark))["system"], attacks(str(mark))["getattr-chain"]):
            with pytest.raises(CheckpointError):
                load(checkpoint(pickled))
    assert not mark.exists()


def test_an_attack_after_tensors_runs_nothing(tmp_path, mark):
    value = {"w": [1, 2], "bad": Reduces(os.system, (f"touch {mark}",))}
    save(value, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="system"):
        load(tmp_path / "a.pt")
    assert not mark.exists()


def test_a_file_cannot_set_a_tensors_own_attributes():
    x = tc.ones(1)
    x.tag = 1
    file = io.BytesIO()
    save(x, file)
    pickled = zipfile.ZipFile(file).read("archive/data.pkl").replace(b"X\x03\x00\x00\x00tag", b"X\x04\x00\x00\x00grad")
    with pytest.raises(CheckpointError, match="sets 'grad' of a tensor"):
        load(checkpoint(pickled, {"data/0": bytes(4)}))


# ---------------------------------------------------------------- bombs


def nested_tuple(depth: int) -> bytes:
    return b")" + b"\x85" * depth


def doubled_tuple(depth: int) -> bytes:
    return b")" + b"2\x86" * depth


@pytest.mark.parametrize("key", [nested_tuple(1_000_000), doubled_tuple(200)], ids=["deep", "doubled"])
@pytest.mark.parametrize(
    "use",
    [lambda k: b"}" + k + b"Ns.", lambda k: b"\x8f(" + k + b"\x90.", lambda k: b"(" + k + b"\x91.",
     lambda k: b"c__builtin__\nset\n]" + k + b"a\x85R.",
     lambda k: b"ccollections\nOrderedDict\n]" + k + b"N\x86a\x85R."],
    ids=["dict", "set", "frozenset", "set-call", "ordered-dict-call"],
)  # fmt: skip
def test_keys_that_take_for_ever_to_hash(key, use):
    with pytest.raises(CheckpointError, match="nested too deeply"):
        load(checkpoint(b"\x80\x04" + use(key)))


def test_deep_nesting_is_read_without_recursion():
    found = load(checkpoint(b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."))
    depth = 0
    while found:
        (found,) = found
        depth += 1
    assert depth == 99_999


@pytest.mark.parametrize(
    "opcode", [b"X\xff\xff\xff\xff", b"\x8d" + b"\xff" * 8, b"\x8b\xff\xff\xff\x7f", b"\x8e" + b"\xff" * 8]
)
def test_lengths_beyond_the_file(opcode):
    with pytest.raises(CheckpointError, match="ends early"):
        load(checkpoint(b"\x80\x02" + opcode + b"abc"))


# ---------------------------------------------------------------- tensors that do not fit


def tensor_pickle(
    storage="FloatStorage", key="0", location="cpu", count=4, start=0, shape=(4,), strides=(1,), grad=False
):
    """A tensor as PyTorch pickles it, from parts that may be wrong."""
    out = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + f"ctorch\n{storage}\n".encode()
    out += text(key) + text(location) + instructions(count) + b"tQ"
    out += b"".join(map(instructions, (start, shape, strides, grad)))
    return out + b"ccollections\nOrderedDict\n)RtR."


def instructions(value) -> bytes:
    """The pickle of a value, without its first and last instruction."""
    return pickle.dumps(value, 2)[2:-1]


def test_the_parts_make_a_tensor():
    found = load(checkpoint(tensor_pickle(), {"data/0": struct.pack("<4f", 1, 2, 3, 4)}))
    assert found.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"start": 1}, "needs 5 elements of .*float32, its storage has 4"),
        ({"start": -1}, "no non-negative integers"),
        ({"strides": (2,)}, "needs 7 elements"),
        ({"strides": (-1,)}, "no non-negative integers"),
        ({"strides": ()}, "no non-negative integers"),
        ({"shape": (2**80,)}, "no non-negative integers"),
        ({"shape": (2**62,)}, "needs 4611686018427387904 elements"),
        ({"shape": (True,)}, "no non-negative integers"),
        ({"shape": (1.5,)}, "no non-negative integers"),
        ({"count": 5}, "should take 20 bytes, its entry has 16"),
        ({"count": -1}, "should take -4 bytes"),
        ({"key": "1"}, "no entry 'data/1'"),
        ({"key": "../data.pkl"}, "no entry"),
        ({"storage": "QInt8Storage"}, "torch.QInt8Storage"),
        ({"storage": "LongStorage"}, "should take 32 bytes"),
        ({"storage": "IntStorage", "grad": True}, "floating-point"),
        ({"storage": "float32"}, "persistent id has parts of the wrong types"),
    ],
)  # fmt: skip
def test_tensors_that_do_not_fit_their_storage(wrong, message):
    with pytest.raises(CheckpointError, match=message):
        load(checkpoint(tensor_pickle(**wrong), {"data/0": bytes(16)}))


def test_an_unknown_device_names_map_location():
    file = checkpoint(tensor_pickle(location="mps"), {"data/0": bytes(16)})
    with pytest.raises(DeviceError, match=r"saved on 'mps'.*map_location"):
        load(file)
    assert load(file, map_location="cpu").shape == (4,)


def test_the_other_byte_order():
    data = struct.pack(">4f", 1, 2, 3, 4)
    assert load(checkpoint(tensor_pickle(), {"data/0": data, "byteorder": b"big"})).tolist() == [1, 2, 3, 4]
    pickled = tensor_pickle("ComplexFloatStorage", count=2, shape=(2,))
    assert load(checkpoint(pickled, {"data/0": data, "byteorder": b"big"})).tolist() == [1 + 2j, 3 + 4j]
    with pytest.raises(CheckpointError, match="byte order is 'little' or 'big', found 'middle'"):
        load(checkpoint(tensor_pickle(), {"data/0": data, "byteorder": b"middle"}))


# ---------------------------------------------------------------- other and damaged files


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "an empty file"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "truncated or damaged: the pickle at byte 15"),
        (pickle.dumps([1]), "a plain pickle of protocol 4"),
        (b"\x93NUMPY\x01", "numpy.load"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"GGUF\x03", "GGUF"),
        (b"\x89PNG\r\n", "PNG"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"<html><body>404", "web page"),
        (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        (bytes(257) + b"ustar" + bytes(300), "tar archive"),
        (b"hello", "unknown format that starts with b'hello'"),
        (b"PK\x03\x04", "truncated or damaged"),
    ],
)  # fmt: skip
def test_other_formats_are_named(tmp_path, data, message):
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(CheckpointError, match=message) as caught:
        load(tmp_path / "a")
    assert str(tmp_path / "a") in str(caught.value)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"m/data.pkl": b"", "m/constants.pkl": b""}, "TorchScript"),
        ({"a.npy": b"", "b.npy": b""}, "numpy.load"),
        ({"[Content_Types].xml": b""}, "office document"),
        ({"META-INF/MANIFEST.MF": b""}, "Java archive"),
        ({"x/readme": b""}, "zip archive of 1 entries, 'readme'"),
    ],
)
def test_other_archives_are_named(entries, message):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    file.seek(0)
    with pytest.raises(CheckpointError, match=message):
        load(file)


def test_compressed_entries_are_refused():
    with pytest.raises(CheckpointError, match=r"'archive/data\.pkl' is compressed"):
        load(checkpoint(b"\x80\x02N.", compression=zipfile.ZIP_DEFLATED))


def test_entries_that_appear_twice_are_refused():
    with pytest.warns(UserWarning, match="Duplicate"):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("archive/data.pkl", b"\x80\x02N.")
            archive.writestr("archive/data.pkl", b"\x80\x02K\x01.")
    file.seek(0)
    with pytest.raises(CheckpointError, match="twice"):
        load(file)


@pytest.fixture(scope="module")
def whole() -> bytes:
    file = io.BytesIO()
    save({"w": tc.arange(6.0).reshape(2, 3), "n": [1, "a", None], "u": tc.ones(2, dtype=tc.uint16)}, file)
    return file.getvalue()


def test_every_truncation_is_refused(whole, tmp_path):
    for length in range(0, len(whole), 7):
        (tmp_path / "a.pt").write_bytes(whole[:length])
        for options in ({}, {"mmap": True}):
            with pytest.raises(CheckpointError):
                load(tmp_path / "a.pt", **options)


def test_a_changed_element_is_noticed(whole):
    place = whole.index(struct.pack("<f", 5.0))
    data = whole[:place] + b"\xff" + whole[place + 1 :]
    with pytest.raises(CheckpointError, match="'data/0' does not match its checksum"):
        load(io.BytesIO(data))


def test_any_changed_byte_is_read_or_refused(whole):
    draw = random.Random(0)
    for place in range(len(whole)):
        data = bytearray(whole)
        data[place] ^= draw.randrange(1, 256)
        try:
            load(io.BytesIO(bytes(data)))
        except CheckpointError:
            pass


def test_any_changed_pickle_is_read_or_refused(whole):
    # Without checksums, so that the machine itself meets the damage.
    pickled = zipfile.ZipFile(io.BytesIO(whole)).read("archive/data.pkl")
    draw = random.Random(0)
    allowed = AllowedGlobals({"torch._utils._rebuild_tensor_v2": lambda *args: args})
    for _ in range(20_000):
        data = bytearray(pickled)
        for _ in range(draw.randrange(1, 4)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        try:
            PickleReader(bytes(data), allowed.find, lambda saved_id: saved_id, allowed.trusts).load()
        except CheckpointError:
            pass


@pytest.mark.parametrize(
    "pickled",
    [
        b"", b"\x80", b"\x80\x02", b"\x80\x02.", b"\x80\x02N", b"\x80\x02h\x05.", b"\x80\x02t.", b"\x80\x02(K\x01u.",
        b"\x80\x02}(K\x01u.", b"\x80\x06N.", b"\x80\x02X\x01\x00\x00\x00\xff.", b"\x80\x02cos", b"\x80\x02\x87.",
        b"\x80\x02\xfe.",
    ],
)  # fmt: skip
def test_broken_pickles_are_refused(pickled):
    with pytest.raises(CheckpointError, match=r"pickle|opcode"):
        load(checkpoint(pickled))

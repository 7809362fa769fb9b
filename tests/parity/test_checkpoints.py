"""Old files, sparse tensors, generators, storages and whole modules, exchanged with PyTorch."""

from __future__ import annotations

import collections
import io
import json
import pickle
import warnings

import pytest

torch = pytest.importorskip("torch")

import tensorcore as tc  # noqa: E402
from tensorcore.errors import CheckpointError  # noqa: E402
from tensorcore.serialization import safetensors as st  # noqa: E402
from tensorcore.storage import TypedStorage, UntypedStorage  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:TypedStorage is deprecated", "ignore:Sparse CS[RC] tensor support")

OLD = {"_use_new_zipfile_serialization": False}


def theirs_read(value, **how):
    """What we make of a file by ``torch.save``."""
    file = io.BytesIO()
    torch.save(value, file, **how)
    file.seek(0)
    return tc.load(file)


def ours_read(value, **how):
    """What PyTorch makes of a file by `save`."""
    file = io.BytesIO()
    tc.save(value, file)
    file.seek(0)
    return torch.load(file, **how)


def equal(own, theirs) -> bool:
    """Whether tensors in equal containers have equal elements, dtypes and shapes."""
    if isinstance(theirs, dict):
        return list(own) == list(theirs) and all(equal(own[key], theirs[key]) for key in theirs)
    if isinstance(theirs, list | tuple):
        return len(own) == len(theirs) and all(map(equal, own, theirs))
    if not isinstance(theirs, torch.Tensor):
        return own == theirs
    same = str(own.dtype).split(".")[1] == str(theirs.dtype).split(".")[1] and tuple(own.shape) == tuple(theirs.shape)
    return same and own.tolist() == theirs.tolist() and own.requires_grad == theirs.requires_grad


# ---------------------------------------------------------------- the format before version 1.6

BASE = torch.arange(12.0).reshape(3, 4)


@pytest.mark.parametrize(
    "value",
    [
        5, {"a": [1, (2, None)], "b": "text"}, BASE, BASE.t(), BASE[1:, ::2], torch.ones(()), torch.ones(0, 2),
        [BASE, BASE[1], BASE.t()], torch.ones(2).expand(3, 2), torch.nn.Parameter(torch.ones(2)),
        torch.ones(2, requires_grad=True), torch.nn.Linear(2, 3).state_dict(), torch.Size([2, 3]),
        {"w": torch.arange(3), "same": [torch.ones(1)] * 2}, collections.OrderedDict(a=torch.zeros(1)),
        *(torch.tensor([0, 1, 1], dtype=dtype) for dtype in (
            torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bfloat16,
            torch.float64, torch.complex64, torch.complex128)),
    ],
    ids=str,
)  # fmt: skip
def test_old_files_are_read(value):
    assert equal(theirs_read(value, **OLD), value)


def test_tensors_of_old_files_share_memory():
    own = theirs_read({"x": BASE, "row": BASE[1]}, **OLD)
    own["x"] += 1
    assert own["row"].tolist() == [5, 6, 7, 8]


def test_old_files_go_to_devices():
    file = io.BytesIO()
    torch.save([BASE], file, **OLD)
    file.seek(0)
    assert tc.load(file, map_location="reference")[0].device.type == "reference"


def test_two_old_files_in_one_stream():
    file = io.BytesIO()
    torch.save([BASE], file, **OLD)
    torch.save({"b": BASE + 1}, file, **OLD)
    file.seek(0)
    assert equal(tc.load(file), [BASE])
    assert equal(tc.load(file), {"b": BASE + 1})


def test_old_files_on_disk(tmp_path):
    torch.save({"x": BASE}, tmp_path / "a.pth", **OLD)
    assert equal(tc.load(tmp_path / "a.pth"), {"x": BASE})
    with pytest.raises(CheckpointError, match="cannot be mapped"):
        tc.load(tmp_path / "a.pth", mmap=True)


def test_old_files_that_end_early():
    file = io.BytesIO()
    torch.save({"x": BASE, "y": torch.ones(3)}, file, **OLD)
    whole = file.getvalue()
    for length in range(0, len(whole), 7):
        with pytest.raises(CheckpointError):
            tc.load(io.BytesIO(whole[:length]))


def test_old_files_are_as_safe():
    with pytest.raises(CheckpointError, match=r"Fraction.*nothing was executed"):
        theirs_read([__import__("fractions").Fraction(1, 2)], **OLD)


def test_optimizers_in_old_files():
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(4, 3)).sum().backward()
    optimizer.step()
    assert equal(theirs_read(optimizer.state_dict(), **OLD), optimizer.state_dict())


# ---------------------------------------------------------------- sparse tensors


torch.sparse.check_sparse_tensor_invariants.disable()
with warnings.catch_warnings():
    # PyTorch calls its compressed layouts a beta.
    warnings.simplefilter("ignore")
    CSR, CSC = torch.eye(3).to_sparse_csr(), torch.eye(3, dtype=torch.complex64).to_sparse_csc()
SPARSE = [
    torch.sparse_coo_tensor([[0, 1], [2, 0]], [3.0, 4.0], (2, 3)),
    torch.sparse_coo_tensor([[1, 1], [0, 0]], [3.0, 4.0], (2, 3)),
    torch.sparse_coo_tensor([[1, 0]], [[1.0, 2.0], [3.0, 4.0]], (2, 2)).coalesce(),
    torch.sparse_coo_tensor(torch.zeros(1, 0, dtype=torch.int64), torch.zeros(0), (4,)),
    CSR,
    CSC,
]


@pytest.mark.parametrize("how", [{}, OLD], ids=["new", "old"])
@pytest.mark.parametrize("value", SPARSE, ids=lambda x: str(x.layout))
def test_sparse_tensors_go_both_ways(value, how):
    own = theirs_read([value], **how)[0]
    back = ours_read([own])[0]
    assert str(own.layout).split(".")[1] == str(value.layout).split(".")[1]
    assert back.layout == value.layout
    assert torch.equal(back.to_dense(), value.to_dense())
    assert own.to_dense().tolist() == value.to_dense().tolist()
    if value.layout is torch.sparse_coo:
        assert own.is_coalesced() == back.is_coalesced() == value.is_coalesced()


def test_sparse_tensors_with_wrong_indices_are_refused():
    value = torch.sparse_coo_tensor([[5]], [1.0], (2,))
    with pytest.raises(CheckpointError, match="damaged"):
        theirs_read(value)


# ---------------------------------------------------------------- generators, storages, layouts, functions


@pytest.mark.parametrize("how", [{}, OLD], ids=["new", "old"])
def test_generators_go_on_with_the_same_numbers(how):
    theirs = torch.Generator().manual_seed(5)
    torch.rand(7, generator=theirs)
    own = theirs_read({"g": theirs}, **how)["g"]
    back = ours_read(own, weights_only=False)
    expected = torch.rand(9, generator=theirs).tolist()
    assert tc.rand(9, generator=own).tolist() == expected
    assert torch.rand(9, generator=back).tolist() == expected


def test_states_of_generators():
    state = torch.Generator().manual_seed(5).get_state()
    assert equal(theirs_read(state), state)
    assert ours_read(tc.get_rng_state()).tolist() == tc.get_rng_state().tolist()


def test_storages_go_both_ways():
    x = torch.tensor([1.0, 2.0])
    own = theirs_read({"s": torch.FloatStorage([1, 2]), "u": torch.UntypedStorage([7, 8]), "x": x})
    assert isinstance(own["s"], TypedStorage)
    assert own["s"].tolist() == [1, 2]
    assert isinstance(own["u"], UntypedStorage)
    assert own["u"].tolist() == [7, 8]
    back = ours_read(own, weights_only=False)
    assert list(back["s"]) == [1, 2]
    assert list(back["u"].untyped()) == [7, 8]


RESULTS = {
    "max": lambda lib, x: lib.max(x, 0), "topk": lambda lib, x: x.topk(2), "sort": lambda lib, x: lib.sort(x),
    "svd": lambda lib, x: lib.linalg.svd(x), "slogdet": lambda lib, x: lib.linalg.slogdet(x @ x.T),
    "lstsq": lambda lib, x: lib.linalg.lstsq(x.T, x.T), "histogram": lambda lib, x: lib.histogram(x, 3),
}  # fmt: skip


@pytest.mark.parametrize("name", RESULTS)
def test_named_results_go_both_ways(name):
    theirs = RESULTS[name](torch, torch.arange(6.0).reshape(2, 3) + torch.eye(2, 3))
    own = theirs_read([theirs])[0]
    assert type(own) is type(RESULTS[name](tc, tc.arange(6.0).reshape(2, 3) + tc.eye(2, 3)))
    assert equal(own, tuple(theirs))
    back = ours_read(own, weights_only=False)
    assert type(back) is type(theirs)
    assert equal(own, tuple(back))


@pytest.mark.parametrize("name", ["strided", "sparse_coo", "sparse_csr"])
def test_layouts_go_both_ways(name):
    assert theirs_read(getattr(torch, name)) is getattr(tc, name)
    assert ours_read(getattr(tc, name)) is getattr(torch, name)


@pytest.mark.parametrize("name", ["relu", "nn.functional.gelu", "nn.functional.cross_entropy"])
def test_functions_go_both_ways(name):
    def found(library):
        for part in name.split("."):
            library = getattr(library, part)
        return library

    file = io.BytesIO()
    torch.save(found(torch), file)
    file.seek(0)
    assert tc.load(file, weights_only=False) is found(tc)
    assert ours_read(found(tc), weights_only=False) in (found(torch), getattr(torch.nn.functional, name, None))


# ---------------------------------------------------------------- objects


MODULES = [
    (lambda nn: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.BatchNorm1d(4), nn.Linear(4, 2)), (5, 3)),
    (lambda nn: nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.MaxPool2d(2), nn.GELU(), nn.Flatten()), (2, 1, 4, 4)),
    (lambda nn: nn.TransformerEncoderLayer(4, 2, 8, 0.0, batch_first=True), (2, 3, 4)),
    (lambda nn: nn.ModuleDict({"a": nn.LayerNorm(3), "b": nn.ModuleList([nn.Embedding(4, 2)])})["a"], (2, 3)),
]


@pytest.mark.parametrize("how", [{}, OLD], ids=["new", "old"])
@pytest.mark.parametrize(("make", "shape"), MODULES)
def test_modules_that_pytorch_saved_whole(make, shape, how):
    theirs = make(torch.nn).eval()
    x = torch.arange(float(torch.Size(shape).numel())).reshape(shape) / 10
    file = io.BytesIO()
    torch.save(theirs, file, **how)
    file.seek(0)
    with pytest.raises(CheckpointError, match="weights_only=False"):
        tc.load(file)
    file.seek(0)
    own = tc.load(file, weights_only=False)
    assert type(own).__module__.startswith("tensorcore.")
    torch.testing.assert_close(torch.tensor(own(tc.tensor(x.tolist())).tolist()), theirs(x), rtol=1e-5, atol=1e-6)
    assert repr(own) == repr(make(tc.nn))


def test_optimizers_that_pytorch_saved_whole():
    optimizer = torch.optim.SGD(torch.nn.Linear(2, 1).parameters(), lr=0.5, momentum=0.9)
    file = io.BytesIO()
    torch.save(optimizer, file)
    file.seek(0)
    own = tc.load(file, weights_only=False)
    assert isinstance(own, tc.optim.SGD)
    assert own.param_groups[0]["lr"] == 0.5


def test_modules_saved_whole_by_name_of_pytorch():
    # Allowing our class allows the name that PyTorch's files have for it.
    file = io.BytesIO()
    torch.save(torch.nn.Linear(2, 3), file)
    file.seek(0)
    with tc.serialization.safe_globals([tc.nn.Linear]):
        assert tc.load(file).weight.shape == (3, 2)


def test_what_has_no_counterpart_is_named():
    file = io.BytesIO()
    torch.save(torch.nn.quantizable.LSTM, file)
    file.seek(0)
    with pytest.raises(CheckpointError, match=r"torch\.ao\..*no counterpart"):
        tc.load(file, weights_only=False)


def test_unsafe_globals_are_those_that_pytorch_finds():
    from fractions import Fraction

    value = {"f": Fraction(1, 2), "x": torch.ones(1), "g": pickle.PickleBuffer, "m": torch.nn.ReLU()}
    for protocol in (2, 4):
        file = io.BytesIO()
        torch.save(value, file, pickle_protocol=protocol)
        file.seek(0)
        own = tc.serialization.get_unsafe_globals_in_checkpoint(file)
        if protocol == 2:
            file.seek(0)
            assert sorted(own) == sorted(torch.serialization.get_unsafe_globals_in_checkpoint(file))
        assert "fractions.Fraction" in own


# ---------------------------------------------------------------- safetensors


def tied(nn):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Embedding(4, 3)
            self.decoder = nn.Linear(3, 4)
            self.decoder.weight = self.encoder.weight

    return Tied()


def test_models_go_both_ways(tmp_path):
    package = pytest.importorskip("safetensors.torch")
    theirs, own = tied(torch.nn), tied(tc.nn)
    package.save_model(theirs, tmp_path / "theirs", metadata={"epoch": "3"})
    assert st.load_model(own, tmp_path / "theirs") == ([], [])
    assert equal(dict(own.state_dict()), dict(theirs.state_dict()))
    assert own.decoder.weight is own.encoder.weight
    st.save_model(own, tmp_path / "own", metadata={"epoch": "3"})
    # The order of metadata is the package's hash table's.
    assert st.load_metadata(tmp_path / "own") == st.load_metadata(tmp_path / "theirs")
    assert sorted((tmp_path / "own").read_bytes()) == sorted((tmp_path / "theirs").read_bytes())
    assert package.load_model(tied(torch.nn), tmp_path / "own") == (set(), [])


def test_shared_tensors_are_refused_as_the_package_does(tmp_path):
    package = pytest.importorskip("safetensors.torch")
    for make in (
        lambda lib: {"a": (x := lib.ones(4)), "b": x},
        lambda lib: {"a": (x := lib.ones(4))[:3], "b": x[2:]},
        lambda lib: {"a": (x := lib.ones(4))[:2], "b": x[2:]},
        lambda lib: {"a": lib.ones(0), "b": lib.ones(0)},
    ):
        refused = False
        try:
            package.save_file(make(torch), tmp_path / "theirs")
        except RuntimeError:
            refused = True
        if refused:
            with pytest.raises(CheckpointError, match="'a', 'b'"):
                st.save_file(make(tc), tmp_path / "own")
        else:
            st.save_file(make(tc), tmp_path / "own")


def test_bytes_are_those_of_the_package():
    package = pytest.importorskip("safetensors.torch")
    tensors = {"b": torch.arange(3), "a": torch.ones(2, 2).half()}
    own = {"b": tc.arange(3), "a": tc.ones(2, 2).half()}
    assert st.save(own, {"x": "y"}) == package.save(tensors, {"x": "y"})
    assert equal(st.load(package.save(tensors)), tensors)
    assert equal(own, dict(sorted(package.load(st.save(own)).items(), reverse=True)))


def test_parts_of_files_are_those_of_the_package(tmp_path):
    package = pytest.importorskip("safetensors")
    st.save_file({"x": tc.arange(24).reshape(4, 6), "y": tc.ones(2)}, tmp_path / "a", {"k": "v"})
    with package.safe_open(tmp_path / "a", "pt") as theirs, st.safe_open(tmp_path / "a", "pt") as own:
        assert own.keys() == list(theirs.keys())
        assert own.offset_keys() == list(theirs.offset_keys())
        assert own.metadata() == theirs.metadata()
        assert equal(own.get_tensor("y"), theirs.get_tensor("y"))
        a, b = own.get_slice("x"), theirs.get_slice("x")
        assert a.get_shape() == b.get_shape()
        assert a.get_dtype() == b.get_dtype()
        for index in (slice(1, 3), (slice(None), slice(2, 5)), (slice(0, 2), 3), 2):
            assert equal(a[index], b[index])


def test_shards_are_those_of_the_hub(tmp_path):
    # What huggingface_hub writes, which is what model repositories hold.
    package = pytest.importorskip("safetensors.torch")
    theirs = {"a": torch.ones(3), "b": torch.zeros(2)}
    table = {}
    for number, (name, tensor) in enumerate(theirs.items(), 1):
        table[name] = f"model-{number:05}-of-00002.safetensors"
        package.save_file({name: tensor}, tmp_path / table[name], metadata={"format": "pt"})
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": table}))
    assert equal(st.load_sharded(tmp_path), theirs)


def test_old_shards_of_pytorch(tmp_path):
    torch.save({"a": torch.ones(3)}, tmp_path / "pytorch_model-1.bin")
    torch.save({"b": torch.zeros(3)}, tmp_path / "pytorch_model-2.bin", **OLD)
    table = {"a": "pytorch_model-1.bin", "b": "pytorch_model-2.bin"}
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": table}))
    assert st.load_sharded(tmp_path)["b"].tolist() == [0, 0, 0]

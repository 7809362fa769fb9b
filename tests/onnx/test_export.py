"""What `export` takes, gives back and refuses."""

from __future__ import annotations

import io
import sys
import warnings

import numpy as np
import pytest

import tensorcore as tc
import tensorcore.nn.functional as F
from tensorcore import nn
from tensorcore.onnx.errors import OnnxExporterWarning, SymbolicValueError, UnsupportedOperatorError

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
runtime.set_default_logger_severity(4)

X = tc.arange(8.0).reshape(2, 4)


def same(function, args, others=None, **options):
    """The exported program, after a comparison with the function at the arguments and at others."""
    program = tc.onnx.export(function, args, **options)
    for given in (args, others):
        given = given if isinstance(given, tuple) or given is None else (given,)
        if given is not None:
            ours = function(*(x.clone() for x in given))
            ours = ours if isinstance(ours, (tuple, list)) else (ours,)
            for mine, its in zip(ours, program(*given), strict=True):
                np.testing.assert_allclose(its.numpy(), mine.numpy(), rtol=1e-4, atol=1e-6)
    return program


def kinds(program):
    return [node.op_type for node in program.model_proto.graph.node]


def written(x):
    y = x.clone()
    y[:, 1] = 5
    y.add_(1)
    z = y.view(-1)
    z[0] = 7
    y.t()[2].mul_(3)
    y[1:, ::2] -= 1
    return y, z


DYNAMIC = {
    "in place": written,
    "parts": lambda x: (x[-1], x[1:], x[:-1], x[::2], x.flip(0), x.roll(1, 0), x.narrow(0, 1, 1)),
    "sizes": lambda x: x.sum(0) / x.shape[0] + x.numel() ** -0.5,
    "shapes": lambda x: x.repeat(1, 2).unsqueeze(1).expand(-1, x.shape[0], -1) + tc.zeros(x.shape[0], x.shape[0], 8),
    "orders": lambda x: (x.sort(0)[0], x.argmax(0), x.cumsum(0), x.var(0), x.std(0, unbiased=False), x.cumprod(0)),
    "views": lambda x: (x.reshape(-1), x.t().reshape(2, -1), x.unflatten(1, (2, 2)), x[:, None], x.chunk(2, 1)[1]),
    "made": lambda x: (tc.arange(x.shape[0]), tc.ones(x.shape[0], 2), tc.eye(x.shape[0]), tc.full_like(x, 2)),
    "chosen": lambda x: x[x > 3],
    "scattered": lambda x: tc.zeros(x.shape[0], 4).scatter_(1, x.argmax(1, True), 1.0),
    "einsum": lambda x: tc.einsum("bi,ci->bc", x, x),
    "padded": lambda x: (F.pad(x, (1, 2)), F.pad(x[None], (1, 1), mode="reflect"), F.pad(x[None], (2, 1), "replicate")),
    "transformed": lambda x: (tc.fft.fft(x).abs(), tc.fft.irfft(tc.fft.rfft(x) * (1 + 2j))),
    "rotated": lambda x: tc.view_as_real(tc.view_as_complex(x.view(-1, 2, 2)) * tc.polar(tc.ones(2), tc.arange(2.0))),
    "random, times 0": lambda x: x + tc.randn_like(x) * 0 + tc.rand(x.shape[0], 1) * 0,
}  # fmt: skip


@pytest.mark.parametrize("name", DYNAMIC)
def test_dynamic_rows(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OnnxExporterWarning)
        same(DYNAMIC[name], X, tc.arange(24.0).reshape(6, 4).sin() * 4, dynamic_axes={"x": {0: "rows"}})


IMAGES = {
    "pools": lambda x: (F.max_pool2d(x, 3, 2, 1), F.max_pool2d(x, 2, ceil_mode=True), F.avg_pool2d(x, 3, 2, 1)),
    "places": lambda x: F.max_pool2d(x, 2, return_indices=True)[1],
    "to one": lambda x: (F.adaptive_avg_pool2d(x, 1), F.adaptive_max_pool2d(x, 1)),
    "shuffled": lambda x: F.pixel_shuffle(x, 2),
    "unfolded": lambda x: F.unfold(x, 3),
    "nearest by 1.5": lambda x: F.interpolate(x, scale_factor=1.5),
    "bilinear": lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True),
    "to a size": lambda x: F.interpolate(x, size=(5, 7), mode="bilinear"),
    "transposed": lambda x: F.conv_transpose2d(x, tc.ones(4, 2, 3, 3), stride=2, padding=1, output_padding=1),
    "same": lambda x: F.conv2d(x, tc.ones(2, 4, 2, 3), padding="same"),
    "padded": lambda x: (F.pad(x, (1, 0, 2, 1), value=3.0), F.pad(x, (1, 2, 1, 0), mode="reflect"), F.pad(x, (-1, 2))),
    "sampled": lambda x: F.grid_sample(x, tc.ones(x.shape[0], 2, 3, 2) * 0.3, align_corners=False),
    "to half": lambda x: F.adaptive_avg_pool2d(x, (3, 2)),
}


@pytest.mark.parametrize("name", IMAGES)
def test_dynamic_images(name):
    axes = {0: "n", 2: "h", 3: "w"}
    same(IMAGES[name], tc.randn(1, 4, 6, 6), tc.randn(2, 4, 9, 8), dynamic_axes={"x": axes})


def test_dimensions_of_several_inputs():
    def product(a, b):
        return a @ b.T

    small, large = (X, tc.ones(3, 4)), (tc.ones(5, 4), tc.randn(8, 4))
    program = same(product, small, large, dynamic_axes={"a": {0: "m"}, "b": [0]}, output_names=["y"])
    (output,) = program.model_proto.graph.output
    assert [each.dim_param for each in output.type.tensor_type.shape.dim] == ["m", "b_dynamic_axes_0"]
    same(product, small, large, dynamic_shapes={"a": {0: "m"}, "b": ("n", None)})
    same(product, small, large, dynamic_shapes=({0: "m"}, {0: "n"}))
    # Sides that have to be equal are found to be, whatever they are called.
    same(lambda a, b: a + b, (X, X * 2), (large[0], large[0]), dynamic_axes={"a": [0], "b": [0]})


def test_names_and_files(tmp_path, capsys):
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    file = io.BytesIO()
    names = {"input_names": ["in", "w"], "output_names": ["out"], "dynamic_axes": {"in": {0: "b"}, "out": {0: "b"}}}
    assert tc.onnx.export(model, X, file, verbose=True, opset_version=17, dynamo=False, **names) is None
    assert "Gemm" in capsys.readouterr().out
    loaded = onnx.load_from_string(file.getvalue())
    graph = loaded.graph
    assert loaded.opset_import[0].version == 17 and loaded.producer_name == "tensorcore"
    assert [each.name for each in (*graph.input, *graph.output)] == ["in", "out"] and graph.initializer[0].name == "w"
    path = tmp_path / "m.onnx"
    tc.onnx.export(nn.Linear(64, 64), tc.ones(1, 64), path, external_data=True, report=True, artifacts_dir=tmp_path)
    tc.onnx.export(nn.Linear(64, 64), tc.ones(1, 64), path, external_data=True)
    assert (tmp_path / "m.onnx.data").stat().st_size == 64 * 64 * 4
    assert "linear" in (tmp_path / "onnx_export_report.md").read_text()
    (out,) = runtime.InferenceSession(str(path)).run(None, {"input": np.ones((1, 64), np.float32)})
    assert out.shape == (1, 64)


def test_parameters_as_inputs():
    model = nn.Linear(4, 3)
    without = tc.onnx.export(model, X, export_params=False).model_proto.graph
    assert [each.name for each in without.input] == ["input", "weight", "bias"] and not without.initializer
    both = tc.onnx.export(model, X, keep_initializers_as_inputs=True).model_proto.graph
    assert len(both.input) == 3 and len(both.initializer) == 2


def test_folding():
    def function(x):
        return x + tc.arange(4.0) * 2

    assert kinds(same(function, X)) == ["Add"]
    assert kinds(same(function, X, do_constant_folding=False)).count("Mul") == 1


def test_arguments():
    class Scaled(nn.Module):
        def forward(self, x, *, scale=1.0, mask=None):
            return {"out": x * scale if mask is None else x * mask, "parts": (x, [x + 1])}

    for args, kwargs in (((X, {"mask": X}), None), ((X,), {"scale": 2.0, "mask": X})):
        graph = tc.onnx.export(Scaled(), args, kwargs=kwargs).model_proto.graph
        assert [each.name for each in graph.input] == ["x", "mask"]
        assert [each.name for each in graph.output] == ["output_out", "output_parts_0", "output_parts_1_0"]
    nested = tc.onnx.export(lambda pair: pair["a"] + pair["b"][0], ({"a": X, "b": [X]},))
    assert [each.name for each in nested.model_proto.graph.input] == ["pair_a", "pair_b_0"]
    same(lambda x: (x, x, x + 1, tc.ones(2)), X)


def test_modes():
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Dropout(0.5))
    before = {name: x.clone() for name, x in model.state_dict().items()}
    assert kinds(tc.onnx.export(model, X)) == ["Gemm", "BatchNormalization"]
    trained = kinds(tc.onnx.export(model, X, training=tc.onnx.TrainingMode.TRAINING))
    assert "Dropout" in trained and "BatchNormalization" not in trained
    model[2].eval()
    assert "Dropout" not in kinds(tc.onnx.export(model, X, training=tc.onnx.TrainingMode.PRESERVE))
    assert model.training and model[0].training and not model[2].training
    assert all(tc.equal(x, before[name]) for name, x in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())


def test_in_export():
    seen = []
    tc.onnx.export(lambda x: seen.append(tc.onnx.is_in_onnx_export()) or x + 1, X)
    assert seen == [True] and not tc.onnx.is_in_onnx_export()


def test_choices_by_values_warn():
    def function(x):
        return x + 1 if x.sum() > 0 else x - 1

    with pytest.warns(OnnxExporterWarning, match=r"test_export\.py:\d+: what Python makes of them"):
        assert kinds(tc.onnx.export(function, X)) == ["Add"]


def test_verify():
    tc.onnx.export(nn.Linear(4, 2), X, verify=True)
    model = nn.Sequential(nn.Linear(4, 2), nn.Dropout(0.5))
    with pytest.raises(tc.onnx.OnnxExporterError, match="onnxruntime's output differs"):
        tc.onnx.export(model, tc.ones(50, 4), verify=True, training=tc.onnx.TrainingMode.TRAINING)


@pytest.mark.parametrize(
    ("function", "options", "error", "match"),
    [
        (lambda x: sum(x[i] for i in range(x.shape[0])), {"dynamic_axes": {"x": {0: "n"}}}, tc.onnx.OnnxExporterError,
         "dynamic dimension 'n': the model takes other steps at size"),
        (lambda x: x + tc.tensor([float(i) for i in range(x.shape[0])])[:, None], {"dynamic_axes": {"x": {0: "n"}}},
         SymbolicValueError, r"test_export\.py:\d+: a constant of shape .* makes of 'n' in Python"),
        (lambda x: x @ tc.ones(4, 4), {"dynamic_axes": {"x": {1: "k"}}}, tc.onnx.OnnxExporterError,
         "dynamic dimension 'k': the model fails at size 5: ShapeError"),
        (tc.fft.fft, {}, UnsupportedOperatorError, "output 'output' is of .*complex64.*view_as_real"),
        (lambda x: tc.fft.fft(x).cumprod(0).abs(), {}, UnsupportedOperatorError, "cumprod of complex numbers"),
        (lambda x: tc.randperm(4) + x, {}, UnsupportedOperatorError, "random_words.*draws random numbers"),
        (lambda x: tc.ones(3).scatter_add(0, tc.tensor([0, 1]), x[0, :2]), {"opset_version": 13},
         UnsupportedOperatorError, "needs opset_version 16 or later, and 13"),
        (lambda x: x, {"dynamic_axes": {"x": {5: "b"}}}, tc.onnx.OnnxExporterError, "has no dimension 5"),
        (lambda x: 1, {}, tc.onnx.OnnxExporterError, "returns no tensors but int"),
        (lambda x: x, {"opset_version": 99}, ValueError, "from 11 to"),
        (lambda x: x, {"output_names": ["a", "b"]}, tc.onnx.OnnxExporterError, "2 output_names for 1"),
        (lambda x: x, {"dynamic_shapes": {"y": {0: "b"}}}, tc.onnx.OnnxExporterError, "names 'y'"),
        (lambda x: x, {"training": 3}, TypeError, "TrainingMode"),
        (lambda x: x, {"custom_translation_table": {1: 2}}, tc.onnx.OnnxExporterError, "not supported"),
    ],
)  # fmt: skip
def test_refusals(function, options, error, match):
    with pytest.raises(error, match=match):
        tc.onnx.export(function, X, **options)


def test_old_opsets_and_unknown_axes_warn():
    with pytest.warns(OnnxExporterWarning, match="too few ops"):
        assert tc.onnx.export(lambda x: x + 1, X, opset_version=9).model_proto.opset_import[0].version == 11
    with pytest.warns(OnnxExporterWarning, match="no input or output"):
        tc.onnx.export(lambda x: x + 1, X, output_names=["y"], dynamic_axes={"z": [0]})


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(tc.onnx.OnnxExporterError, match="pip install"):
        tc.onnx.export(lambda x: x, X)

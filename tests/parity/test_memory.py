"""Views by strides, storages, resizing, settings and aliasing, against PyTorch."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from programs import agree  # noqa: E402

import tensorcore as tc  # noqa: E402

X = "x = t.arange(12.0).reshape(3, 4); "
STRIDED = [
    X + call
    for call in (
        "x.as_strided((2, 3), (4, 1))", "x.as_strided((2, 3), (1, 4), 2)", "t.as_strided(x, (3,), (5,))",
        "x.as_strided((2, 2), (0, 1))", "x.as_strided((), (), 5)", "x.as_strided((0, 3), (4, 1), 100)",
        "x[1:].as_strided((2, 2), (1, 1))", "x[1:].as_strided((2, 2), (1, 1), 0)", "x.t().as_strided((4, 3), (1, 4))",
        "x.as_strided((3, 4), (4, 1)).stride()", "x[1:, 1:].as_strided((2, 2), (4, 1)).storage_offset()",
        "x.as_strided((4,), (4,))", "x.as_strided((2, 2), (4, -1))", "x.as_strided((2,), (1, 1))",
        "x.as_strided((-1,), (1,))", "x.as_strided((2,), (1,), -1)", "x.as_strided((2,), (1,), 11)",
        "y = x.as_strided((2, 2), (4, 1), 1); y.fill_(9); x", "y = x[1:].as_strided((2,), (1,), 0); y.zero_(); x",
        "x.as_strided_((2, 2), (1, 4)); (x, x.stride())", "t.as_strided_(x, (2,), (3,), 1)",
        "x.as_strided((2,), (2,))._base is x",
        "t.as_strided_scatter(x, t.zeros(2, 2), (2, 2), (4, 1), 1)", "x.as_strided_scatter(t.ones(3), (3,), (5,))",
        "x.as_strided_scatter(t.ones(2), (3,), (5,))", "t.as_strided_copy(x, (2,), (3,))",
        "t.slice_inverse(x[:, 1:3], x, 1, 1, 3)", "t.slice_inverse(x[:, ::2], x, 1, 0, 4, 2)",
        "x.unfold(0, 2, 1)", "x.unfold(1, 2, 3).stride()", "x.t().unfold(0, 3, 1)",
        "x.unfold(1, 4, 1)[..., 0].zero_(); x",
        "x.unfold(1, 5, 1)", "x.unfold(2, 1, 1)", "x.unfold(-1, 2, 2)", "x.unfold(0, 0, 1)",
        "t.tensor(3.0).unfold(0, 1, 1)",
        "x.t().diagonal(1).fill_(9); x", "x.diagonal(-5)", "x.diagonal(1, 1, 0)", "x.expand(2, 3, 4).diagonal(0, 0, 2)",
        "x.diagonal().stride()", "x.t().diagonal(-1).storage_offset()", "x.fill_diagonal_(5)",
        "t.zeros(7, 3).fill_diagonal_(5, wrap=True)", "t.zeros(7, 3).fill_diagonal_(5)",
        "t.zeros(3, 7).fill_diagonal_(1, True)",
        "t.zeros(3, 3, 3).fill_diagonal_(2)", "t.zeros(2, 3, 3).fill_diagonal_(2)",
        "t.zeros(3, 4).t().fill_diagonal_(2)",
        "t.empty_strided((2, 3), (1, 2)).stride()", "t.empty_strided((2, 3), (4, 1)).untyped_storage().nbytes()",
        "t.empty_strided((2,), (1, 1))", "t.empty_strided((2, 0), (1, 1)).shape",
        "t.empty_strided((2,), (1,), dtype=t.int8).dtype",
        "x.new_empty_strided((2, 3), (1, 2)).stride()", "t.empty_permuted((2, 3, 4), (0, 2, 1)).stride()",
        "t.empty_permuted((2, 3), (0, 0))", "x.dim_order()", "x.t().dim_order()",
        "t.zeros(2, 3, 4).permute(2, 0, 1).dim_order()",
        "x.diag_embed(1, 0, 2).shape", "t.diag_embed(x, -1)", "t.tensor(1.0).diag_embed()", "t.diag(t.arange(3.0), -1)",
    )
]  # fmt: skip
GRADIENTS = [
    f"x = t.arange(12.0).reshape(3, 4).requires_grad_(); y = {call}; "
    "(y * t.arange(float(y.numel())).reshape(y.shape)).sum().backward(); x.grad"
    for call in (
        "x.as_strided((2, 3), (1, 1), 1)", "x.t().as_strided((4, 3), (1, 4))", "(x * 2)[1:].as_strided((2, 2), (1, 1))",
        "x[:1].expand(3, 4).as_strided((2, 2), (0, 1))", "x.as_strided((3, 3), (0, 0), 2)", "x.unfold(1, 3, 1)",
        "x.unfold(0, 2, 1).unfold(1, 2, 1)", "x.t().diagonal(1)", "x.diagonal(-1)", "t.diag_embed(x, 1)", "x.tril(1)",
        "x.triu(-1)", "t.as_strided_copy(x, (2, 2), (1, 1))", "t.select_copy(x, 1, 2)",
        "x.select_scatter(x[0] * 3, 0, 1)", "x.slice_scatter(x[:, :2] * 3, 1, 0, 4, 2)",
        "x.diagonal_scatter(x[:, 0] * 3)",
        "x.index_select(1, t.tensor([0, 0, 3]))", "x.clone().fill_diagonal_(2)",
        "(x + 1).as_strided((2, 2), (2, 1)).mul_(2)",
        "t.block_diag(x, x * 2)", "t.combinations(x[0])",
        *(f"x.scatter_reduce(0, t.tensor([[0, 0, 1, 2], [0, 1, 1, 2]]), x[:2] * 2 - 3.25, {how!r}, include_self={own})"
          for how in ("sum", "prod", "mean", "amax", "amin") for own in (True, False)),
        "t.where(x > 5, 0.0, x).scatter_reduce(1, t.zeros(3, 2, dtype=t.int64), t.stack([x[:, 0] * 0, x[:, 1]], "
            "1), 'prod')",
    )
]  # fmt: skip
#: In-place through a view of a tensor in the graph.
THROUGH = [
    f"x = t.arange(12.0).reshape(3, 4).requires_grad_(); y = x * 2; {write}; (y * t.arange(12.0).reshape(y.shape))."
    "sum().backward(); (y, x.grad, y.grad_fn.name().split(':')[-1])"
    for write in ("y.diagonal().mul_(3)", "y.as_strided((2, 2), (1, 4)).mul_(3)", "y.unfold(0, 3, 3)[..., 1].zero_()",
                  "y.t().diagonal(1).fill_(7)", "y[1:].t().diagonal().exp_()", "y[:, None].select(1, 0).mul_(2)")
]  # fmt: skip
COPIES = [
    f"{X}y = t.{name}_copy({args}); y.fill_(100) if isinstance(y, t.Tensor) else y[0].fill_(100); (y, x)"
    for name, args in (
        ("alias", "x"), ("detach", "x"), ("diagonal", "x, 1"), ("expand", "x, (2, 3, 4)"), ("permute", "x, (1, 0)"),
        ("select", "x, 1, -1"), ("slice", "x, 1, 1, 4, 2"), ("split", "x, 2, 1"), ("split_with_sizes", "x, (1, 3), 1"),
        ("squeeze", "x[:1]"), ("squeeze", "x[:1], 0"), ("t", "x"), ("transpose", "x, 0, 1"), ("unbind", "x"),
        ("unbind", "x, 1"),
        ("unfold", "x, 1, 2, 1"), ("unsqueeze", "x, 1"), ("view", "x, (4, 3)"), ("narrow", "x, 1, 1, 2"),
        ("view_as_complex", "x.view(3, 2, 2)"), ("view_as_real", "t.view_as_complex(x.view(3, 2, 2))"),
        ("as_strided", "x, (2,), (1,)"),
    )
] + ["t.zeros(3).narrow_copy(0, 1, 2)",
"x = t.zeros(2); o = t.zeros(2, 1); t.unsqueeze_copy(x, 1, out=o) is o"]  # fmt: skip
COMPLEX = [
    "z = t.tensor([1 + 2j, 3 - 1j]); z.real.mul_(10); z.imag[0] = 7; z",
    "z = t.zeros(2, 3, dtype=t.complex128).t(); t.view_as_real(z)[..., 1] = 2; (z, t.view_as_real(z).stride())",
    "r = t.zeros(3, 2); t.view_as_complex(r)[1] = 1 + 5j; r", "t.view_as_complex(t.zeros(2, 3))",
    "t.view_as_complex(t.zeros(3, 4)[:, :2])",
    "t.view_as_complex(t.zeros(2, 3).t())", "t.view_as_complex(t.zeros(2, dtype=t.int64))",
    "t.view_as_real(t.zeros(2))",
    "t.imag(t.zeros(2))", "z = t.tensor([1j]); (z.real._is_view(), z.imag._base is z, z.imag.storage_offset())",
    "z = t.tensor([1 + 2j, 3j], requires_grad=True); (z.real * 2 + z.imag).sum().backward(); z.grad",
    "z = t.tensor([1 + 2j, 3j], requires_grad=True); y = z * 1; y.imag.mul_(3); (y.real + "
        "y.imag).sum().backward(); z.grad",
    "t.tensor([1 + 2j]).conj_physical_()", "t.conj_physical_(t.tensor([1.0]))",
    "t.tensor([1j]).is_conj(), t.is_neg(t.zeros(1))",
    "x = t.zeros(2); t.resolve_conj(x) is x, x.resolve_neg() is x",
]  # fmt: skip
STORAGE = [
    "x = t.arange(4.0); (x.untyped_storage().nbytes(), len(x.storage()), x.storage().tolist(), x[1:].storage()[1])",
    "x = t.arange(4.0); s = x.untyped_storage(); s[3] = 64; (x, s.size(), s.tolist()[:5], s.element_size())",
    "x = t.arange(4.0); x.storage()[-1] = 9; x", "x = t.arange(4.0); x.storage()[4]",
    "x = t.arange(4.0); x.untyped_storage().data_ptr() == x[1:].untyped_storage().data_ptr() == x.data_ptr()",
    "x = t.arange(4.0); x.untyped_storage() == x[1:].untyped_storage(), x.untyped_storage() == "
        "t.zeros(4).untyped_storage()",
    "x = t.arange(4.0); x.storage_type() is t.FloatStorage, isinstance(x.storage(), t.FloatStorage), "
        "t.is_storage(x.storage())",
    "t.FloatStorage([1, 2]).tolist(), t.LongStorage(3).size(), t.TypedStorage([1, 2]).dtype, "
        "t.UntypedStorage(3).nbytes()",
    "x = t.arange(4.0).storage(); x.double().tolist(), x.int().dtype, x.fill_(2).tolist(), x.clone().tolist()",
    "x = t.zeros(2, 3).t(); x.storage_offset(), x[1:].storage_offset(), x[1:, 1:].storage_offset(), "
        "x.untyped_storage().nbytes()",
    "x = t.arange(6.0); t.empty(0).set_(x.untyped_storage(), 1, (2, 2), (2, 1))",
    "x = t.arange(6.0); y = t.empty(0).set_(x); y.zero_(); x",
    "x = t.arange(6.0); y = t.empty(0).set_(x, 2, (2,), (2,)); (y, y.storage_offset(), y._base)",
    "x = t.arange(6.0); t.empty(0).set_(x.storage())", "x = t.arange(6); t.empty(0).set_(x)",
    "x = t.arange(3.0); x.set_().shape",
    "x = t.arange(6.0); x.is_set_to(x.view(6)), x.is_set_to(x[1:]), x.is_set_to(x.clone())",
    "x = t.arange(6.0); y = x[2:]; x.resize_(2, 2); x[1, 1] = 9; (x, y)",
    "x = t.arange(6.0); x.resize_(2); x.resize_(6)",
    "x = t.arange(6.0); x.resize_(8).shape, x.resize_(0).shape, x.resize_as_(t.zeros(2, 3))",
    "t.zeros(2, requires_grad=True).resize_(3)",
    "x = t.arange(6.0).reshape(2, 3).t(); x.resize_(2, 3)", "x = t.arange(6.0)[2:]; x.resize_(2, 2)",
    "copy.deepcopy(t.arange(3.0).untyped_storage()).tolist()",
    "s = t.arange(2, dtype=t.int16).untyped_storage(); s.byteswap(t.int16); s.tolist()",
    "s = t.zeros(2).storage(); s.copy_(t.FloatStorage([3, 4])); s.tolist()", "t.zeros(0).untyped_storage().nbytes()",
    "t.zeros(2).untyped_storage()[0:3].tolist()", "t.zeros(2).storage()[0:1]", "t.UntypedStorage([1, 2]).tolist()",
    "x = t.zeros(3); x.const_data_ptr() == x.data_ptr()",
]  # fmt: skip
SETTINGS = [
    "a = t.get_float32_matmul_precision(); t.set_float32_matmul_precision('high'); b = "
        "t.get_float32_matmul_precision(), "
    "t.backends.cuda.matmul.allow_tf32; t.set_float32_matmul_precision('highest'); (a, b)",
    "t.are_deterministic_algorithms_enabled(), t.get_deterministic_debug_mode()",
    "t.use_deterministic_algorithms(True, warn_only=True); r = t.get_deterministic_debug_mode(), "
    "t.is_deterministic_algorithms_warn_only_enabled(); t.set_deterministic_debug_mode('default'); (r, "
        "t.get_deterministic_debug_mode())",
    "t.set_deterministic_debug_mode('error'); r = t.are_deterministic_algorithms_enabled(); "
        "t.use_deterministic_algorithms(False); r",
    "t.set_deterministic_debug_mode('x')", "t.set_deterministic_debug_mode(1.5)", "t.is_warn_always_enabled()",
    "t.set_warn_always(True); r = t.is_warn_always_enabled(); t.set_warn_always(False); (r, "
        "t.is_warn_always_enabled())",
    "t.set_default_tensor_type(t.DoubleTensor); r = t.zeros(1); t.set_default_tensor_type('torch.FloatTensor'); "
        "(r, t.zeros(1))",
    "t.set_default_tensor_type(t.LongTensor)",
    "t.backends.cudnn.enabled, t.backends.cudnn.benchmark, t.backends.cudnn.deterministic",
    "t.backends.cudnn.benchmark = True; r = t.backends.cudnn.benchmark; t.backends.cudnn.benchmark = False; r",
    "t.backends.mps.is_available(), t.cpu.is_available(), t.cpu.device_count(), "
        "t.get_device_module('cpu').__name__.split('.')[-1]",
    "t.functional.meshgrid(t.arange(2), t.arange(2), indexing='ij')", "t.newaxis is None",
    "t.get_num_interop_threads() > 0",
]  # fmt: skip
FUNCTIONS = [
    f"x = t.tensor([0.5, -0.25, 0.75]); y = t.{name}_({args}); (y, y is x)"
    for name, args in (
        ("abs", "x"), ("acos", "x"), ("arcsin", "x"), ("ceil", "x"), ("celu", "x"), ("clamp", "x, 0.0, 0.6"),
        ("clip", "x, 0.0"),
        ("clamp_max", "x, 0.5"), ("deg2rad", "x"), ("dropout", "x, 0.5, False"), ("erf", "x"), ("exp", "x"),
        ("fill", "x, 3.0"),
        ("fix", "x"), ("frac", "x"), ("ldexp", "x, t.tensor([1, 2, 3])"), ("log1p", "x"), ("logit", "x"),
        ("nan_to_num", "x"),
        ("neg", "x"), ("reciprocal", "x"), ("relu", "x"), ("round", "x"), ("rrelu", "x"), ("rsqrt", "x.abs_()"),
        ("selu", "x"),
        ("sigmoid", "x"), ("sinc", "x"), ("sqrt", "x.abs_()"), ("square", "x"), ("tanh", "x"),
        ("threshold", "x, 0.1, 9.0"),
        ("trunc", "x"), ("xlogy", "x, t.tensor([1.0, 2.0, 3.0])"), ("zero", "x"), ("detach", "x"),
        ("resize_as", "x, t.zeros(1)"),
        ("as_strided", "x, (2,), (2,)"), ("conj_physical", "x"),
    )
    if name != "rrelu"
] + ["t.fill(t.zeros(2), 3)", "t.fill(t.zeros(2, dtype=t.int64), t.tensor(4))",
"t.fill(t.zeros(2), t.ones(2))"]  # fmt: skip
OTHERS = [
    "x = t.zeros(2); x.detach()._is_view(), x.detach()._base is None, x.detach()[0]._is_view(), x.view(2)._base is x",
    "x = t.zeros(2); x.get_device(), t.get_device(x), x.is_mkldnn, x.is_xla, x.is_sparse_csr, x.name, x.volatile",
    "t.is_same_size(t.zeros(2), t.zeros(2)), t.is_inference(t.zeros(1)), t.is_distributed(t.zeros(1))",
    "x = t.zeros(3); x.map2_(t.arange(3.0), t.ones(3), lambda a, b, c: a + b * 2 + c)",
    "x = t.zeros(2); x.module_load(t.ones(2)), x, x.module_load(t.tensor([5.0, 6.0]), assign=True), x",
    "class S(t.Tensor): pass\nx = t.ones(2, requires_grad=True).mul(2).as_subclass(S); x.sum().backward(); "
        "(type(x).__name__, x.shape)",
    "class S(t.Tensor):\n    def twice(self): return self * 2\ny = t.ones(2).as_subclass(S); (y.twice().tolist(), "
        "isinstance(y, t.Tensor))",
    "t.zeros(2).as_subclass(int)", "t.unsafe_chunk(t.arange(4), 2)", "t.arange(4).unsafe_split(3)",
    "t.arange(4).unsafe_chunk(3)",
    "t.native_channel_shuffle(t.arange(4.0).reshape(1, 4, 1), 2)", "t.legacy_contiguous_format is t.contiguous_format",
]  # fmt: skip
PROGRAMS = [*STRIDED, *GRADIENTS, *THROUGH, *COPIES, *COMPLEX, *STORAGE, *SETTINGS, *FUNCTIONS, *OTHERS]


@pytest.mark.parametrize("source", PROGRAMS)
def test_program(source):
    agree(source)


def test_in_place_functions_are_those_of_pytorch():
    published = {name for name in dir(torch) if name.endswith("_") and not name.startswith("_")}
    missing = {name for name in published if not hasattr(tc, name)}
    assert missing <= {"embedding_renorm_", "feature_dropout_", "resize_as_sparse_"}
    added = {name for name in tc.__all__ if name.endswith("_")} - published - {"bool_"}
    assert not added, added

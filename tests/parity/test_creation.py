"""Making tensors, converting them, and taking them out again, against PyTorch."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch
from programs import agree

import tensorcore as tc

DTYPES = [
    "bool",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]

FROM_DATA = [
    *(f"t.tensor({data})" for data in (
        "1", "1.5", "True", "1j", "[]", "[[]]", "[[], []]", "[1, 2.5]", "[True, 2]", "[True, False]", "[1, 1j]",
        "[[1, 2], [3, 4]]", "(1, 2)", "[(1, 2), [3, 4]]", "range(3)", "[range(2), range(2)]", "np.array([1, 2])",
        "np.array(3)", "np.float32(1.5)", "np.int16(3)", "[np.float32(1.5), 2]", "np.float64(1.5)", "[np.float64(1.5)]",
        "[2.0, np.float64(1.5)]", "[np.float16(1), 2.0]", "[np.int16(1)]", "[1, np.int8(1)]", "[np.bool_(True)]",
        "np.complex128(1)", "[t.tensor(1.5, dtype=t.float64)]", "[2, t.tensor(1.5, dtype=t.float64)]",
        "[np.array([1, 2]), np.array([3, 4])]", "np.arange(6).reshape(2, 3).T", "np.arange(10)[::2]",
        "np.array([1.5], dtype='>f4').astype('f4')", "np.zeros((0, 3))", "np.array([True])", "np.array([1j])",
        "[t.tensor(1), t.tensor(2)]", "[t.tensor(1.5), 2]", "[[t.tensor(1), 2], [3, 4]]", "t.tensor([1, 2])",
        "np.array([1], dtype='float16')", "bytearray(b'ab')", "'abc'", "None", "[None]", "['a']", "[1, 'a']",
        "[[1], [2, 3]]", "[[1, 2], 3]", "[1, [2, 3]]", "{}", "{1}", "object()", "[[1, 2], [3, [4]]]", "np.array(['a'])",
        "np.array([object()])", "[1, None]", "float('nan')", "[[[1]]]", "[1.0, True]", "-0.0", "10**30", "1e400",
        "[[1.0, 2.0], [3.0]]", "b'abc'", "map(int, '12')", "(x for x in [1])",
        "1, dtype=t.float16", "[1.9], dtype=t.int64", "[0, 2], dtype=t.bool", "[1], dtype=t.complex64",
        "[1.5], dtype=t.bfloat16", "[1, 2], dtype='float32'", "1.5, requires_grad=True", "1, requires_grad=True",
        "[1.0], device='cpu'", "[1.0], device='nowhere'", "[1.0], device=t.device('cpu')", "data=[1]", "[1], t.float32",
        "t.ones(2, requires_grad=True)", "np.array([1, 2]), dtype=t.float64", "np.array([1 + 2j]), dtype=t.float32",
        "np.array([300]), dtype=t.uint8", "np.array([NAN, 1e20]), dtype=t.bool",
        "[t.tensor([1, 2]), t.tensor([3, 4])]")),
    *(f"t.tensor(np.ones((2, 2), dtype='{d}'))" for d in DTYPES),
    *(f"t.from_numpy(np.ones((2, 2), dtype='{d}').T)" for d in DTYPES),
    *(f"t.as_tensor(np.ones(2, dtype='{d}'), dtype=t.float32)" for d in DTYPES if d[:4] != "comp"),
    "a = np.zeros(3); x = t.from_numpy(a); a[0] = 5; x", "a = np.zeros(3); x = t.from_numpy(a); x[1] = 5; a",
    "a = np.zeros((2, 3)).T; x = t.from_numpy(a); x[0] = 1; a",
    "a = np.arange(10); x = t.from_numpy(a[::3]); x.fill_(-1); a", "t.from_numpy([1])",
    "t.from_numpy(np.array([1], dtype='>i4'))", "t.from_numpy(np.array(['a']))", "t.from_numpy(np.arange(4)[::-1])",
    "t.from_numpy(np.array(5))", "t.from_numpy(np.zeros((0, 2)))", "a = np.zeros(3); x = t.as_tensor(a); a[0] = 5; x",
    "a = np.zeros(3); x = t.tensor(a); a[0] = 5; x", "t.from_numpy(np.broadcast_to(np.arange(3), (2, 3)).copy())",
    "x = t.zeros(3); a = x.numpy(); a[0] = 5; x", "x = t.zeros(3); a = x.numpy(); x[0] = 5; a",
    "x = t.zeros(2, 3); x.t().numpy().strides",
    "x = t.tensor([1, 2]); t.as_tensor(x) is x", "t.as_tensor([1, 2], dtype=t.float32)", "t.as_tensor(1.5)",
    "t.asarray([1, 2])", "t.asarray(np.array([1.5]), dtype=t.float32)", "t.asarray(5)",
    "x = t.zeros(2); t.asarray(x, copy=True) is x", "x = t.zeros(2); t.asarray(x) is x",
    "a = np.zeros(2); x = t.asarray(a); a[0] = 1; x",
    "t.frombuffer(bytearray([1, 2, 3]), dtype=t.uint8)", "t.frombuffer(bytearray(8), dtype=t.float32)",
    "t.frombuffer(bytearray(range(8)), dtype=t.int16, offset=2, count=2)",
    "t.frombuffer(bytearray(3), dtype=t.float32)", "t.frombuffer(bytearray(8), dtype=t.float32, count=3)",
    "t.frombuffer(bytearray(0), dtype=t.float32)", "t.frombuffer(bytearray(8), dtype=t.float32, offset=9)",
    "t.frombuffer([1], dtype=t.float32)", "b = bytearray(4); x = t.frombuffer(b, dtype=t.uint8); b[0] = 7; x",
    "t.frombuffer(np.arange(3), dtype=t.int64)",
    "t.FloatTensor([1, 2])", "t.LongTensor([1.7, 2])", "t.FloatTensor(2, 3).shape", "t.ByteTensor([1, 255])",
    "t.BoolTensor([1, 0])", "t.DoubleTensor([[1.0]])", "t.IntTensor([1])", "t.HalfTensor([1])",
    "t.FloatTensor([]).shape", "t.FloatTensor().shape", "t.FloatTensor(t.Size([2, 3])).shape", "t.Tensor([1, 2])",
    "t.Tensor(2, 3).shape", "t.Tensor([[1.5]])", "t.Tensor().shape", "t.Tensor(3).shape", "t.Tensor(t.Size([2])).shape",
    "t.Tensor(np.array([1, 2]))", "t.ShortTensor([3])", "t.CharTensor([3])", "t.BFloat16Tensor([3])",
    "t.LongTensor(np.array([1, 2]))", "t.LongTensor([[1, 2], [3, 4]])", "isinstance(t.FloatTensor([1]), t.FloatTensor)",
    "isinstance(t.tensor([1]), t.FloatTensor)", "isinstance(t.tensor([1]), t.LongTensor)",
    "isinstance(t.tensor([1]), t.Tensor)", "t.tensor([1.0]).type()", "t.tensor([1]).type(t.FloatTensor)",
    "t.tensor([1]).type('torch.FloatTensor')", "t.tensor([1]).type(t.float64)",
    "t.scalar_tensor(3)", "t.scalar_tensor(3, dtype=t.int64)",
]  # fmt: skip

CONSTANTS = [
    *(f"t.{name}({args})" for name in ("zeros", "ones") for args in ("3", "2, 3", "(2, 3)", "[2, 3]", "()",
    "t.Size([2])", "0", "2, 0", "size=(2,)", "-1", "2, -3", "1.5", "'a'", "2, dtype=t.int8", "2, dtype=t.bool",
    "2, dtype=t.complex64", "2, requires_grad=True", "2, device='cpu'", "np.int64(2)", "t.tensor(2)",
    "(t.tensor(2), 3)", "2, dtype=t.int64, requires_grad=True", "*(2, 3)", "2, out=t.empty(2)")),
    *(f"t.full({args})" for args in ("(2,), 3", "(2,), 3.5", "(2,), True", "(2,), 1j", "(), 3", "[2, 2], 1.0",
    "(2,), 3, dtype=t.float32", "(2,), 3.7, dtype=t.int32", "(2,), INF", "(2,), NAN, dtype=t.int64", "2, 3",
    "(2,), t.tensor(3.0)", "(2,), 1j, dtype=t.float32", "(2,), 2, dtype=t.bool", "(0,), 1", "(-1,), 1", "(2,), 'a'",
    "size=(2,), fill_value=4", "(2,), 5, requires_grad=True")),
    "t.empty(2, 3).shape", "t.empty((2,), dtype=t.int32).dtype", "t.empty(-1)", "t.empty_like(t.ones(2, 3)).shape",
    *(f"t.{name}_like(t.tensor([1, 2]){args})" for name in ("zeros", "ones") for args in ("", ", dtype=t.float32",
    ", requires_grad=True", ", device='cpu'", ", memory_format=t.preserve_format")),
    "t.full_like(t.tensor([1, 2]), 7.9)", "t.full_like(t.tensor([1.0]), 7, dtype=t.int64)",
    "t.rand_like(t.ones(2, 2)).shape", "t.zeros_like(t.ones(2, 3).t()).stride() == (3, 1) or True", "t.zeros_like(5)",
    "t.zeros_like([1])",
    *(f"t.tensor([1, 2], dtype=t.int16).{call}" for call in ("new_zeros(2, 3)", "new_zeros((2,))",
    "new_ones(2, dtype=t.float32)", "new_full((2,), 3)", "new_tensor([1.5, 2])", "new_tensor(5)", "new_empty(2).shape",
    "new_full((2,), 3.5)", "new_zeros(size=(2,))", "new(2).shape", "new([1, 2])",
    "new_tensor([1.5], dtype=t.float32)")),
    "t.eye(3)", "t.eye(2, 3)", "t.eye(0)", "t.eye(2, dtype=t.int64)", "t.eye(-1)", "t.eye(3, 0).shape",
    "t.eye(2, requires_grad=True)", "t.eye(2, dtype=t.bool)",
]  # fmt: skip

RANGES = [
    *(f"t.arange({args})" for args in ("5", "1, 4", "0, 1, 0.25", "5, 0, -2", "0, -1", "5.0", "0", "-3", "1, 1",
    "1.5, 4", "0, 1, 0.1", "0, 10, 3", "1, 10, -1", "0, 5, 0", "3, dtype=t.float32", "3, dtype=t.int8", "2.5",
    "0.1, 0.5, 0.1", "start=1, end=3", "end=3", "0, 1, 0.3, dtype=t.float64", "0.0, 3.0", "t.tensor(3)", "10, 0",
    "10, 0, -3", "True", "INF", "NAN", "0, 2**40, 2**38", "1e-3, 2e-3, 3e-4", "3, dtype=t.bool",
    "0, 3, 0.5, dtype=t.int64", "-1.0, 1.0, 0.5", "1j", "'a'", "3, requires_grad=True", "3.0, requires_grad=True",
    "np.int64(3)", "np.float64(2.5)", "256, dtype=t.uint8", "3, dtype=t.float16", "2**53, 2**53 + 3",
    "0, 1, 1e-1, dtype=t.float16", "3, device='cpu'", "()", "", "1, 2, 3, 4", "float(2**24), float(2**24) + 4")),
    *(f"t.linspace({args})" for args in ("0, 1, 5", "0, 1, 1", "0, 1, 0", "1, 0, 3", "0, 10, 4",
    "-1, 1, 3, dtype=t.float64", "0, 1, -1", "0, 5, 6, dtype=t.int64", "3, 3, 3", "0, 1, steps=3",
    "start=0, end=1, steps=2", "0, 1", "0, 1, 2.5", "-10, 10, 7", "0.1, 0.9, 9", "0, 1, 3, requires_grad=True",
    "t.tensor(0.0), t.tensor(1.0), 3", "1j, 2, 3", "0, INF, 3", "0, 1, 100", "1, 2, 7, dtype=t.float16")),
    "t.logspace(0, 2, 3)", "t.logspace(0, 3, 4, base=2)", "t.range(0, 3).shape",
    "t.logspace(-1, 1, 5, dtype=t.float64)", "t.logspace(0, 1, 0)", "t.tril_indices(3, 3)", "t.triu_indices(2, 3, 1)",
    "t.tril_indices(0, 3)", "t.cartesian_prod(t.tensor([1, 2]), t.tensor([3, 4]))",
    "t.combinations(t.tensor([1, 2, 3]))", "t.vander(t.tensor([1.0, 2.0]), 3)",
    "t.block_diag(t.ones(2, 2), t.ones(1, 1))",
    *(f"t.{name}(t.arange(12).reshape(3, 4){args})" for name in ("tril", "triu") for args in ("", ", 1", ", -1", ", 9",
    ", diagonal=-9", ", diagonal=2")), "t.ones(2, 3, 3).tril()", "t.ones(3).tril()",
    "t.ones(3, 3, dtype=t.bool).triu(1)", "t.full((2, 2), NAN).tril()", "t.full((2, 2), INF).triu(1)",
    "t.ones(0, 3).tril()", "t.triu(t.full((3, 3), -INF), diagonal=1)",
    "x = t.ones(2, 2, requires_grad=True); x.tril().sum().backward(); x.grad", "t.ones(2, 2).tril_(-1)",
    "t.tensor([[1j, 2j], [3j, 4j]]).triu()",
    "t.meshgrid(t.arange(2), t.arange(3), indexing='ij')", "t.meshgrid(t.arange(2), t.arange(3), indexing='xy')",
    "t.meshgrid([t.arange(2), t.arange(3)], indexing='ij')", "t.meshgrid(t.tensor(1), t.arange(2), indexing='ij')",
    "t.meshgrid(t.arange(2), indexing='xy')", "t.meshgrid(t.ones(2, 2), indexing='ij')",
    "t.meshgrid(t.arange(2), t.arange(2), indexing='a')", "t.meshgrid(t.arange(2), t.arange(2.0), indexing='ij')",
    "t.diag(t.tensor([1, 2]))", "t.diag(t.tensor([1, 2]), 1)", "t.diag(t.tensor([1, 2]), -1)",
    "t.diag(t.arange(6).reshape(2, 3))", "t.diag(t.arange(6).reshape(2, 3), 1)", "t.diag(t.arange(6).reshape(2, 3), 5)",
    "t.diag(t.tensor(1))", "t.diagonal(t.arange(24).reshape(2, 3, 4), 0, 1, 2)", "t.arange(9).reshape(3, 3).diagonal()",
    "t.arange(9).reshape(3, 3).diagonal(offset=-1)", "x = t.zeros(3, 3); x.diagonal().fill_(1); x",
    "x = t.zeros(3, 3); x.fill_diagonal_(2)", "t.diag_embed(t.arange(4).reshape(2, 2))", "t.diag_embed(t.arange(2), 1)",
    "t.diagflat(t.tensor([[1, 2], [3, 4]]))",
    "x = t.ones(3, 3, requires_grad=True); (x.diagonal() * t.arange(3.0)).sum().backward(); x.grad",
    "x = t.arange(9.0).reshape(3, 3).requires_grad_(); t.diag(x).sum().backward(); x.grad",
    "x = t.arange(3.0).requires_grad_(); (t.diag(x) * 2).sum().backward(); x.grad",
    "x = t.zeros(2, 3); x.diagonal(1)[0] = 5; x", "t.arange(9).reshape(3, 3).diagonal(0, 0, 0)",
    "t.nn.functional.one_hot(t.tensor([0, 2]))",
]  # fmt: skip

CONVERSION = [
    *(f"x = t.tensor([1, 2]); {call}" for call in ("x.to(t.float32)", "x.to('cpu')", "x.to('cpu', t.float16)",
    "x.to(t.device('cpu'))", "x.to(t.zeros(1, dtype=t.float64))", "x.to(dtype=t.int8)",
    "x.to(device='cpu', dtype=t.float64)", "x.to(x.dtype) is x", "x.to('cpu') is x", "x.to(t.int64, copy=True) is x",
    "x.to(t.float32, non_blocking=True)", "x.to('cpu', t.float32, True)",
    "x.to('cpu', non_blocking=True, copy=True) is x", "x.to()", "x.to(5)", "x.to('nowhere')",
    "x.to(t.float32, t.float64)", "x.to(other=t.zeros(1))", "x.to(None)",
    "x.to(t.float32, memory_format=t.contiguous_format)", "x.to(dtype=None) is x", "x.to(None, t.float32)",
    "x.to(t.float32, False, True)", "x.to('cuda:99')", "x.to(float)", "x.to(dtype='float32')", "x.to(device=None)",
    "x.cpu() is x", "x.type_as(t.zeros(1))")),
    *(f"t.tensor([1.9, -1.9, 0.0, 255.0, -128.0], dtype=t.{a}).to(t.{b})" for a in ("float16", "bfloat16", "float32",
    "float64") for b in DTYPES if b not in ("uint8", "uint16", "uint32", "uint64", "int8")),
    *(f"t.tensor([0, 1, 127, 255, -1, 300]).to(t.{b})" for b in DTYPES),
    *(f"t.tensor([1 + 2j, 0j, 1j]).to(t.{b})" for b in ("bool", "float32", "int64", "complex128", "float16")),
    "t.tensor([1e10, 70000.0, 1e-9]).to(t.float16)", "t.tensor([1e300], dtype=t.float64).to(t.float32)",
    "t.tensor([NAN, 0.0, -0.0, INF]).bool()", "t.tensor([1.00390625, 1.01171875]).to(t.bfloat16)",
    "t.tensor([65519.0, 65520.0]).half()", "t.tensor([2**53 + 1]).double()", "t.tensor([16777217]).float()",
    "t.tensor([3.0]).to(t.complex64)", "t.tensor([True]).to(t.complex128)", "t.tensor([1.5, -2.5]).to(t.uint8)[:1]",
    "t.tensor([250.7]).to(t.uint8)", "t.tensor([-100.5]).to(t.int8)",
    *(f"t.tensor([1.5, 0.0]).{name}()" for name
    in ["float", "double", "half", "bfloat16", "int", "long", "short", "char", "byte", "bool", "cfloat", "cdouble"]),
    "x = t.tensor([1.5]); x.float() is x",
    "x = t.tensor([1.5], requires_grad=True); x.double().sum().backward(); x.grad",
    "x = t.tensor([1.5], requires_grad=True); x.long().requires_grad",
    "x = t.tensor([1.5], requires_grad=True); x.to(t.complex64).real.sum().backward(); x.grad",
    "x = t.tensor([1.5], requires_grad=True); x.half().float().sum().backward(); x.grad",
    "t.tensor([1.5], requires_grad=True).bool().requires_grad",
    *(f"t.tensor({v}, dtype=t.{d}).item()" for v in ("1", "0") for d in (*DTYPES, "bfloat16")),
    *(f"t.tensor([[{v}, 0]], dtype=t.{d}).tolist()" for v in ("1",) for d in (*DTYPES, "bfloat16")),
    "t.tensor([[1.5]]).item()", "t.tensor([1, 2]).item()", "t.tensor([]).item()", "t.zeros(2, 0).tolist()",
    "t.zeros(0, 2).tolist()", "t.tensor(2.5).tolist()", "t.tensor([0.1]).tolist()",
    "t.tensor(0.1, dtype=t.float16).item()",
    *(f"{f}(t.tensor({v}))" for f in ("bool", "int", "float", "complex", "len", "list", "iter", "str", "abs", "round",
    "hash and 1 or len", "math.floor", "math.sqrt", "range", "'abc'.__getitem__", "[1, 2, 3].__getitem__", "sum", "max",
    "min", "any", "all", "reversed", "sorted") for v in ("1", "[2]", "1.5", "[1, 2]", "[]", "True", "NAN",
    "1j") if f not in ("iter", "range", "reversed", "str")), "list(range(t.tensor(3)))", "t.tensor([1, 2]) in [1]",
    "1 in t.tensor([1, 2])", "5 in t.tensor([1, 2])", "t.tensor(1) in t.tensor([1, 2])", "'a' in t.tensor([1])",
    "x = t.tensor([1]); d = {x: 1}; d[x]", "f'{t.tensor(3.14159):.2f}'", "f'{t.tensor(3):d}'",
    "f'{t.tensor([1.0]):.2f}'", "f'{t.tensor(3)}'", "'%d' % t.tensor(3)", "'%.1f' % t.tensor(3.0)",
    "list(reversed(t.tensor([1, 2])))", "list(t.tensor([[1, 2], [3, 4]]))", "a, b = t.tensor([1, 2]); (a, b)",
    "dict(zip(t.tensor([1, 2]).tolist(), 'ab'))", "np.array(t.tensor([1, 2]))",
    "np.asarray(t.tensor([1.5]), dtype='float64')", "np.array(t.tensor([1.5], requires_grad=True))",
    "t.tensor([1.5], requires_grad=True).numpy()", "t.tensor([1.5], requires_grad=True).numpy(force=True)",
    "t.tensor([1.5], requires_grad=True).detach().numpy()", "np.add(t.tensor([1, 2]), 1)", "np.sqrt(t.tensor([4.0]))",
    "np.mean(t.tensor([1.0, 2.0]))", "np.array([1, 2]) + t.tensor([1, 2])", "t.tensor([1, 2]) + np.array([1, 2])",
    "t.tensor([1.0]) * np.float64(2)", "np.float64(2) * t.tensor([1.0])", "t.tensor([1]) + np.int32(1)",
    "np.stack([t.tensor([1]), t.tensor([2])])", "t.tensor([True]).numpy()", "t.tensor([1j]).numpy()",
    "t.tensor([1.0], dtype=t.float16).numpy()", "t.tensor(3).numpy()", "t.tensor([1, 2]).__array__('float32')",
    "np.asarray(t.tensor([1, 2])).flags.writeable",
    "x = t.tensor([1.0, 2.0], requires_grad=True); pickle.loads(pickle.dumps(x)).requires_grad",
    "pickle.loads(pickle.dumps(t.arange(6).reshape(2, 3).t()))", "pickle.loads(pickle.dumps(t.float32))",
    "pickle.loads(pickle.dumps(t.Size([1, 2])))",
    "x = t.tensor([1.0], requires_grad=True); copy.deepcopy(x).requires_grad",
    "x = t.tensor([1.0], requires_grad=True); copy.deepcopy(x * 2)", "x = t.zeros(2); y = copy.copy(x); y[0] = 1; x",
    "x = t.zeros(2); y = copy.deepcopy(x); y[0] = 1; x", "x = t.zeros(2); a, b = copy.deepcopy([x, x]); a is b",
    "x = t.ones(2, requires_grad=True); x.sum().backward(); copy.deepcopy(x).grad",
    "pickle.loads(pickle.dumps(t.device('cpu'))) == t.device('cpu')", "copy.deepcopy(t.float32) is t.float32",
    "x = t.ones(2); x.foo = 3; copy.deepcopy(x).foo", "x = t.ones(2); x.foo = 3; copy.copy(x).foo",
    "copy.copy(t.ones(2, requires_grad=True)).requires_grad",
    "t.from_dlpack(np.arange(3))", "np.from_dlpack(t.arange(3))", "x = t.zeros(3); a = np.from_dlpack(x); x[0] = 5; a",
    "t.from_dlpack(t.arange(6).reshape(2, 3).t())", "t.from_dlpack(5)", "np.from_dlpack(t.ones(2, requires_grad=True))",
    "t.tensor([1]).__dlpack_device__()[1]", "t.from_dlpack(np.zeros((0, 2)))",
    "a = np.zeros(3); x = t.from_dlpack(a); a[0] = 2; x",
    "t.is_tensor(t.ones(1)), t.is_tensor(1)", "t.numel(t.ones(2, 3))", "t.is_floating_point(t.ones(1))",
    "t.is_complex(t.ones(1))", "t.is_nonzero(t.tensor(1.0))", "t.is_nonzero(t.tensor([1, 2]))",
    "t.get_num_threads() > 0", "t.set_num_threads(t.get_num_threads())", "t.inf, t.pi, t.e", "math.isnan(t.nan)",
    "t.ones(1).layout == t.strided", "t.is_inference_mode_enabled()", "t.is_grad_enabled()",
    "t.get_default_device().type", "t.tensor(1).element_size(), t.tensor(1).nbytes, t.tensor(1).itemsize",
    "t.ones(2, 3).size(), t.ones(2, 3).size(-1), t.ones(2).dim(), t.ones(2).ndim, t.ones(2).nelement(), len(t.ones(2))",
    "t.ones(2).size(3)", "t.ones(2).is_signed(), t.ones(1, dtype=t.uint8).is_signed()", "t.Size([2, 3]).numel()",
    "t.Size([2, 3])[1:]", "t.Size([2]) + (3,)", "(2,) + t.Size([3])", "t.Size([2]) == (2,)", "t.Size([2, 3]) * 2",
    "t.Size((2,))", "len(t.Size())", "hash(t.Size([2])) == hash((2,))", "t.Size([1.5])", "t.Size(2)",
    "t.ones(2).get_device()",
    "t.ones(2).is_cuda, t.ones(2).is_leaf, t.ones(2).requires_grad, t.ones(2).grad, t.ones(2).grad_fn",
    "t.broadcast_shapes((2, 1), (3,))", "t.broadcast_shapes((2,), (3,))", "t.broadcast_shapes()",
    "t.ones(2).is_same_size(t.ones(2))", "t.ones(2, 2).is_contiguous(memory_format=t.contiguous_format)",
    "t.ones(1, 2, 2, 2).contiguous(memory_format=t.channels_last).shape", "t.ones(2).storage_offset()",
    "t.ones(2).is_pinned()", "t.ones(2).pin_memory()", "t.ones(2).share_memory_()", "t.ones(2).is_shared() or True",
    "t.ones(2).is_inference()", "t.is_storage(1)", "t.typename(t.ones(2)) != ''", "t.ones(3)[1:].storage_offset()",
    "t.tensor([1.0]).ndimension()", "t.ones(2).map_(t.ones(2), lambda a, b: a + b)",
    "t.ones(2).apply_(lambda v: v + 1)", "t.ones(2, 3).nbytes", "t.ones(2, 3).data_ptr() != 0",
    "t.dtype is type(t.float32)", "isinstance(t.device('cpu'), t.device)", "t.device('cpu', 0).index",
    "t.device('cpu:1').index", "t.device('cpu') == t.device('cpu:0')", "t.device('a b')", "t.device('nowhere')",
    "t.device(type='cpu').type", "str(t.device('cpu:0'))", "t.device(None)", "t.device('')", "t.device('cpu:-1')",
]  # fmt: skip


@pytest.mark.parametrize("source", FROM_DATA)
def test_from_data(source):
    agree(source)


@pytest.mark.parametrize("source", CONSTANTS)
def test_constants(source):
    agree(source)


@pytest.mark.parametrize("source", RANGES)
def test_ranges(source):
    agree(source)


@pytest.mark.parametrize("source", CONVERSION)
def test_conversion(source):
    agree(source)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16", "int64", "uint8"])
def test_linspace_to_the_last_bit(dtype):
    # Of more whole numbers some are steps of float32 just short of the next.
    for count in (1, 2, 3, 7, 10, 33, *((100, 1001) if "float" in dtype else ())):
        for start, end in ((0, 1), (-7.3, 11.9), (0.1, 0.3), (5, -2.5), (1, 1)):
            if dtype == "uint8":
                start, end = abs(start), abs(end)
            ours, theirs = [lib.linspace(start, end, count, dtype=getattr(lib, dtype)) for lib in (tc, torch)]
            assert ours.double().tolist() == theirs.double().tolist()

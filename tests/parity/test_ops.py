"""Arithmetic, functions, comparison, reductions, in-place ops and matrix products against PyTorch, edge cases first."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from programs import agree

#: Every kind of float that trips an implementation.
ODD = "[0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 0.5, 1e-45, 3e38, -3e38, INF, -INF, NAN]"
# PyTorch itself dies of -2**31 divided by -1.
INTS = "[0, 1, -1, 7, -7, 2**31 - 1, 1 - 2**31]"
PAIR = f"x = t.tensor({ODD}); a, b = x[:, None], x[None, :]; "
IPAIR = f"x = t.tensor({INTS}, dtype=t.int32); a, b = x[:, None], x[x != 0][None, :]; "

UNARY = [
    "abs",
    "neg",
    "sign",
    "sgn",
    "floor",
    "ceil",
    "trunc",
    "frac",
    "round",
    "isnan",
    "isinf",
    "isfinite",
    "signbit",
    "logical_not",
    "square",
    "sqrt",
    "rsqrt",
    "reciprocal",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
    "positive",
    "sigmoid",
    "relu",
    "isposinf",
    "isneginf",
    "isreal",
    "deg2rad",
    "rad2deg",
    "nan_to_num",
]
BINARY = [
    "add",
    "sub",
    "mul",
    "div",
    "floor_divide",
    "remainder",
    "fmod",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "atan2",
    "logical_and",
    "logical_or",
    "logical_xor",
    "pow",
    "hypot",
    "copysign",
    "xlogy",
    "heaviside",
]
IBINARY = [
    "add",
    "sub",
    "mul",
    "div",
    "floor_divide",
    "remainder",
    "fmod",
    "maximum",
    "minimum",
    "eq",
    "lt",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "gcd",
    "lcm",
]

SPECIAL = [
    *(f"t.{name}(t.tensor({ODD}))" for name in UNARY if name not in ("sin", "cos", "tan", "relu", "log1p")),
    "t.log1p(t.tensor([1e-45]))",
    f"t.relu(t.tensor({ODD})) + 0.0", "t.log1p(t.tensor([0.0, -0.0, 1.0, -1.0, -2.0, 3e38, INF, -INF, NAN]))",
    *(f"t.{name}(t.tensor([0.0, -0.0, 1.0, -2.0, INF, -INF, NAN]))" for name in ("sin", "cos", "tan")),
    # Which of 0.0 and -0.0 comes out is not agreed on: adding 0.0 makes both 0.0.
    *(f"{PAIR}t.{name}(a, b){' + 0.0' if name in ('remainder', 'maximum', 'minimum', 'fmax', 'fmin') else ''}" for name
    in BINARY if name not in ("pow", "xlogy", "nextafter")),
    *(f"{IPAIR}t.{name}(a, b)" for name in IBINARY),
    f"{PAIR}t.div(a, b, rounding_mode='floor')", f"{PAIR}t.div(a, b, rounding_mode='trunc')",
    f"{IPAIR}t.div(a, b, rounding_mode='floor')", f"{IPAIR}t.div(a, b, rounding_mode='trunc')",
    "x = t.tensor([0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, INF, -INF, NAN]); t.pow(x[:, None], x[None, :])",
    *(f"t.tensor({ODD}) ** {p}" for p in (0, 1, 2, 3, -1, 0.5)), "t.tensor([0.0, 1.0, 4.0, -1.0, INF, NAN]) ** -0.5",
    "t.tensor([-0.0, -INF]) ** -0.5",
    "t.xlogy(t.tensor([0.0, 0.0, 1.0, NAN]), t.tensor([0.0, NAN, 0.0, 1.0]))",
    "t.div(t.tensor([1.0]), 2, rounding_mode='up')",
    # halves go to the even neighbour; decimals
    "t.tensor([0.5, 1.5, 2.5, -0.5, -1.5, 2.4999]).round()",
    "t.tensor([1.2345, -1.2355, 1250.0], dtype=t.float64).round(decimals=2)",
    "t.tensor([1250.0, 1350.0]).round(decimals=-2)", "t.tensor([15, 25]).round(decimals=-1)",
    "t.tensor([1, 2]).floor()", "t.tensor([True]).floor()", "t.tensor([1, 2]).round()", "t.tensor([1j]).round()",
    # integer signs and bits
    *(f"t.tensor([7, -7, 7, -7]) {op} t.tensor([3, 3, -3, -3])" for op in ("//", "%", "&", "|", "^", "/", "-")),
    "t.tensor([-8, 8, 1]) >> 1", "t.tensor([1, 3]) << 2", "t.tensor([200], dtype=t.uint8) << 1",
    "t.tensor([1.0]) & t.tensor([1.0])", "t.tensor([1.0]) << 1", "~t.tensor([1.0])", "5 % t.tensor([3, -3])",
    "5.5 % t.tensor([3, -3])", "5 // t.tensor([2.0])", "7 & t.tensor([3])", "1 << t.tensor([3])",
    "t.tensor([True]) ^ True",
    "t.remainder(5, t.tensor([3]))", "t.remainder(t.tensor([5.0]), 0.0)", "t.fmod(t.tensor([-5, 5]), 3)",
    "t.fmod(t.tensor([5.0, -5.0]), INF)", "t.fmod(t.tensor([5.0]), 0.0)", "t.true_divide(t.tensor([1]), 2)",
    "t.sign(t.tensor([True, False]))", "t.sgn(t.tensor([3 + 4j, 0j]))", "t.abs(t.tensor([3 + 4j]))",
    "t.abs(t.tensor([True]))", "t.tensor([3 + 4j]).angle()", "t.tensor([-1.0, 1.0, NAN]).angle()",
    "t.tensor([-1, 1]).angle()",
    "t.tensor([1, 2]) < t.tensor([1.5, 2.5])", "t.tensor([1j]) < 1", "t.tensor([1j]) == 1j", "t.tensor([1]) == 'a'",
    "t.tensor([1]) == None", "t.tensor([1]) != None", "(t.tensor([2**53 + 1]) == t.tensor([2.0**53], dtype=t.float64))",
    "t.tensor([1, 2]) + None", "t.tensor([1, 2]) + 'a'", "t.tensor([1, 2]) * [1, 2]",
    "t.add(t.tensor([1]), t.tensor([2]), alpha=3)", "t.add(t.tensor([1.0]), 2, alpha=0.5)",
    "t.sub(t.tensor([1]), 2, alpha=2)", "t.add(t.tensor([1]), 1, alpha=0.5)",
    "t.rsub(t.tensor([1.0]), 3)", "t.tensor([1]).rsub(2)", "t.tensor([1.0]).multiply(2)", "t.tensor([1.0]).divide(2)",
    "t.tensor([1.0]).subtract(2)", "t.tensor([1]).true_divide(2)",
    "t.add(1, t.tensor([2]))", "t.mul(2, t.tensor([2]))", "t.maximum(t.tensor([1]), t.tensor([1.5]))",
    "t.maximum(t.tensor([1]), 2)", "t.eq(t.tensor([1]), 1)", "t.pow(2, t.tensor([1, 2]))",
    "t.pow(t.tensor([1, 2]), 2.0)",
    "t.isclose(t.tensor([1.0, INF, NAN]), t.tensor([1.0 + 1e-9, INF, NAN]))",
    "t.isclose(t.tensor([NAN]), t.tensor([NAN]), equal_nan=True)",
    "t.allclose(t.tensor([1.0]), t.tensor([1.1]), atol=0.2)", "t.equal(t.tensor([1]), t.tensor([1.0]))",
    "t.equal(t.tensor([1]), t.tensor([1, 2]))",
    "t.allclose(t.tensor([1]), t.tensor([1.0]))", "t.isclose(t.tensor([1]), t.tensor([2]))",
    "t.isclose(t.tensor([INF]), t.tensor([1.0]))", "t.isin(t.tensor([1, 2, 3]), t.tensor([2, 5]))",
    "t.logical_and(t.tensor([2, 0]), t.tensor([0.5, 1.0]))", "t.logical_not(t.tensor([2, 0]))",
    "t.tensor([NAN]).bool()", "t.addcmul(t.tensor([1.0]), t.tensor([2.0]), t.tensor([3.0]), value=0.5)",
    "t.addcdiv(t.tensor([1.0]), t.tensor([2.0]), t.tensor([4.0]), value=0.5)",
    "t.addcdiv(t.tensor([1]), t.tensor([2]), t.tensor([4]))",
    "t.lerp(t.tensor([1.0, 2.0]), t.tensor([3.0, 4.0]), 0.25)",
    "t.lerp(t.tensor([1.0]), t.tensor([3.0]), t.tensor([0.75]))", "t.lerp(t.tensor([1]), t.tensor([3]), 0.5)",
    # bounds
    f"t.tensor({ODD}).clamp(-1, 1)", "t.tensor([1, 5]).clamp(2)", "t.tensor([1, 5]).clamp(max=2)",
    "t.tensor([1, 5]).clamp(1.5, 3.5)", "t.tensor([1, 5]).clamp()", "t.tensor([1.0, 5.0]).clamp(3, 2)",
    "t.tensor([1, 5]).clamp(t.tensor([2, 2]))",
    "t.tensor([1.0, 5.0]).clamp(t.tensor([2.0, NAN]), t.tensor([3.0, 3.0]))", "t.tensor([1.0, 5.0]).clamp(min=NAN)",
    "t.clip(t.tensor([1.0, 5.0]), max=t.tensor(2.0))", "t.tensor([1.0]).clamp(t.tensor([[0.0], [2.0]]))",
    "t.tensor([1.0, 5.0]).clamp_min(2)", "t.tensor([1, 5]).clamp(t.tensor([2.5, 2.5]))",
    "t.tensor([1.0, 5.0]).clamp_(2, 3)", "t.tensor([1, 5]).clamp_(1.5)", "t.clamp(t.tensor([1j]), 0)",
    "t.tensor([True, False]).clamp(0, 1)", "t.tensor([1.0], requires_grad=True).clamp(max=0).requires_grad",
    # choice
    "t.where(t.tensor([True, False]), t.tensor([1.0, 2.0]), t.tensor([[3.0], [4.0]]))",
    "t.where(t.tensor([1, 0]), 1, 2)", "t.where(t.tensor([True, False]))",
    "t.where(t.tensor([True]), t.tensor([1.0, 2.0]), t.tensor([1.0, 2.0, 3.0]))",
    "t.tensor([1.0, 2.0]).where(t.tensor([True, False]), 0.0)",
    "t.tensor([1, 2]).where(t.tensor([True, False]), t.tensor(0.5))",
    "t.tensor([1.0, 2.0]).masked_fill(t.tensor([True, False]), -INF)",
    "t.tensor([1, 2]).masked_fill(t.tensor([True, False]), 9.7)",
    "t.tensor([1, 2]).masked_fill(t.tensor([1, 0]), 9)",
    "t.tensor([1.0, 2.0]).masked_fill_(t.tensor([True, False]), t.tensor(3))",
    "t.tensor([1.0, 2.0]).masked_fill(t.tensor([[True], [False]]), 0)",
    "t.tensor([1.0]).masked_fill_(t.tensor([[True], [False]]), 0)",
    "t.tensor([[1, 2], [3, 4]]).masked_select(t.tensor([True, False]))",
    "t.tensor([1.0, 2.0]).masked_scatter(t.tensor([True, True]), t.tensor([5.0, 6.0, 7.0]))",
    "t.tensor([1.0, 2.0]).masked_scatter_(t.tensor([False, True]), t.tensor([5.0]))",
]  # fmt: skip

REDUCED = [
    *(f"t.{name}(t.tensor({values}{dtype}){args})" for name in ("sum", "prod", "amax", "amin", "any", "all", "mean",
    "argmax", "argmin")
      for values, dtype in (("[[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]]", ""), ("[[1, 2], [3, 4]]", ""),
      ("[[True, False], [True, True]]", ""), ("[]", ""), ("1.5", ""), ("[[], []]", ""), ("[NAN, 1.0]", ""),
      ("[1, 2]", ", dtype=t.uint8"))
      for args in ("", ", 0", ", -1, True") if not (name.startswith("arg") and "True" in values)
      and not ("uint8" in dtype and name in ("any", "all"))),
    *(f"t.ones(2, 3, 4).{name}({args})" for name in ("sum", "amax", "mean", "any", "all") for args in ("(0, 2)",
    "(0, -1), keepdim=True", "dim=1", "axis=1, keepdims=True", "[1]", "3", "(0, 0)", "()", "(1, -4)")),
    "t.tensor([1.0]).sum(0, 1)", "t.ones(2, 2).sum(0, 1)", "t.tensor(2.0).sum(0)", "t.tensor(2.0).sum(1)",
    "t.tensor([1, 2]).sum(dtype=t.float32)", "t.tensor([1.5]).sum(dtype=t.int32)",
    "t.tensor([250, 250], dtype=t.uint8).sum()", "t.tensor([2**62, 2**62, 2**62]).sum()",
    "t.tensor([1e38, 1e38, 1e38, 1e38]).sum()", "t.full((3000,), 60000.0, dtype=t.float16).sum()",
    "t.full((100,), 100.0, dtype=t.float16).mean()", "t.ones(4096, dtype=t.float16).sum()",
    "t.ones(1000, dtype=t.bfloat16).sum()", "t.tensor([INF, -INF]).sum()", "t.tensor([1j, 2.0]).sum()",
    "t.tensor([1j, 2.0]).prod()",
    "t.tensor([1j]).amax()", "t.tensor([]).amax()", "t.ones(2, 0).amax(1)", "t.ones(2, 0).amax(0)",
    "t.ones(0, 2).argmax(0)", "t.ones(0, 2).argmax(1)", "t.tensor([]).argmax()", "t.tensor([]).sum()",
    "t.tensor([]).prod()", "t.tensor([]).mean()", "t.tensor([1, 2]).mean()", "t.tensor([1, 2]).mean(dtype=t.float64)",
    "t.tensor([]).any(), t.tensor([]).all()",
    "t.tensor([1.0, 3.0, 3.0]).argmax()", "t.tensor([1.0, NAN, 3.0]).argmax()", "t.tensor([[1, 5], [7, 2]]).argmax()",
    "t.tensor([[1, 5], [7, 2]]).argmin(1, True)", "t.tensor([[1, 5], [7, 2]]).argmax(keepdim=True)",
    "t.tensor(3).argmax()", "t.tensor(3).argmax(0)", "t.tensor(3.0).argmax(2)",
    *(f"t.tensor({x}).{name}({d})" for name in ("cumsum", "cumprod") for x in ("[1, 2, 3]", "[[1.0, 2.0], [3.0, NAN]]",
    "5", "[]", "[True, True]", "[1j, 2]") for d in ("0", "-1", "2", "0, dtype=t.float64")),
    "t.tensor([1.0, 2.0]).cumsum_(0)", "t.tensor([1, 2], dtype=t.int32).cumsum_(0)", "t.tensor([1.0]).cumsum()",
    "t.tensor([3.0, 1.0, NAN, 2.0]).sort()", "t.tensor([3.0, 1.0, NAN, 2.0]).sort(descending=True)",
    "t.tensor([[3, 1], [2, 2]]).sort(0)", "t.tensor([1, 1, 0]).sort(stable=True)",
    "t.sort(t.tensor([2, 1]), dim=0, descending=True)", "t.tensor(1.0).sort()", "t.tensor([]).sort()",
    "t.tensor([True, False, True]).sort()", "t.tensor([2, 1]).sort(1)", "t.tensor([2.0, 1.0]).sort().values",
    "t.sum(t.tensor([1.0, 2.0]), 0)", "t.tensor([[1, 2], [3, 4]]).prod(1)", "t.tensor([[1.0, 2.0], [3.0, 4.0]]).all()",
    "t.any(t.tensor([[0, 0], [0, 1]]), dim=1)", "t.all(t.tensor([0.5, NAN]))", "t.tensor([[1, 2]]).sum(dim=None)",
    "t.tensor([1, 2]).sum('0')", "t.tensor([1, 2]).sum(0.5)",
]  # fmt: skip

PRODUCTS = [
    *(f"a = t.arange(float(math.prod({a}))).reshape({a}); b = t.arange(float(math.prod({b}))).reshape({b}); a @ b"
    for a, b in (
        ("(3,)", "(3,)"), ("(2, 3)", "(3,)"), ("(2,)", "(2, 3)"), ("(2, 3)", "(3, 2)"), ("(2, 2, 3)", "(3, 2)"),
        ("(2, 3)", "(4, 3, 2)"), ("(3,)", "(4, 3, 2)"), ("(4, 2, 3)", "(3,)"), ("(2, 1, 2, 3)", "(4, 3, 2)"),
        ("(0, 3)", "(3, 2)"),
        ("(2, 0)", "(0, 3)"), ("(0,)", "(0,)"), ("(2, 3)", "(2, 3)"), ("(3,)", "(2,)"), ("()", "(2,)"),
        ("(2, 2, 3)", "(3, 3, 2)"), ("(2, 3)", "()"))),
    "t.tensor([[1, 2]]) @ t.tensor([[3], [4]])", "t.tensor([[True]]) @ t.tensor([[True]])",
    "t.tensor([[1]]) @ t.tensor([[1.0]])", "t.tensor([[1.0]]) @ t.tensor([[1.0]], dtype=t.float64)",
    "t.tensor([[1j]]) @ t.tensor([[1j]])", "t.tensor([[100]], dtype=t.int8) @ t.tensor([[100]], dtype=t.int8)",
    "t.tensor([[1.0]]) @ 2", "[[1.0]] @ t.tensor([[1.0]])", "t.mm(t.ones(2, 3), t.ones(3, 2))",
    "t.mm(t.ones(2, 3), t.ones(3))", "t.bmm(t.ones(2, 2, 3), t.ones(2, 3, 2))",
    "t.bmm(t.ones(2, 2, 3), t.ones(3, 3, 2))", "t.mv(t.ones(2, 3), t.ones(3))", "t.mv(t.ones(2, 3), t.ones(2))",
    "t.dot(t.ones(2), t.ones(2))", "t.dot(t.ones(2), t.ones(3))", "t.dot(t.ones(2, 2), t.ones(2))",
    "t.outer(t.arange(2), t.arange(3))", "t.inner(t.arange(3), t.arange(3))", "t.inner(t.ones(2, 3), t.ones(4, 3))",
    "t.addmm(t.ones(2), t.ones(2, 3), t.ones(3, 2), beta=0.5, alpha=2)",
    "t.addmm(t.tensor(NAN), t.ones(2, 3), t.ones(3, 2), beta=0)", "t.addmm(t.ones(3), t.ones(2, 3), t.ones(3, 2))",
    "t.ones(2, 2).addmm_(t.ones(2, 3), t.ones(3, 2))",
    "t.addmv(t.ones(2), t.ones(2, 3), t.ones(3), alpha=2)", "t.addbmm(t.ones(2, 2), t.ones(3, 2, 3), t.ones(3, 3, 2))",
    "t.baddbmm(t.ones(2, 2), t.ones(3, 2, 3), t.ones(3, 3, 2), beta=0.5, alpha=2)",
    "t.addr(t.ones(2, 3), t.arange(2.0), t.arange(3.0), beta=2)", "t.vdot(t.tensor([1j]), t.tensor([1j]))",
    "t.chain_matmul(t.ones(2, 3), t.ones(3, 4), t.ones(4, 1))",
    "t.einsum('ij,jk->ik', t.ones(2, 3), t.ones(3, 4))", "t.einsum('ij,kj', t.arange(6.0).reshape(2, 3), t.ones(4, 3))",
    "t.einsum('ii', t.arange(9.0).reshape(3, 3))", "t.einsum('ii->i', t.arange(9.0).reshape(3, 3))",
    "t.einsum('bij,bjk->bik', t.ones(2, 2, 3), t.ones(2, 3, 4))",
    "t.einsum('...ij,...jk->...ik', t.ones(5, 2, 3), t.ones(3, 4))",
    "t.einsum('i,j->ij', t.arange(2.0), t.arange(3.0))",
    "t.einsum('ij->ji', t.arange(6.0).reshape(2, 3))", "t.einsum('ij->', t.arange(6.0).reshape(2, 3))",
    "t.einsum('bhqd,bhkd->bhqk', t.ones(1, 2, 3, 4), t.ones(1, 2, 5, 4))",
    "t.einsum('ij,jk,kl->il', t.ones(2, 3), t.ones(3, 4), t.ones(4, 5))",
    "t.einsum('ij,jk->ik', [t.ones(2, 3), t.ones(3, 4)])", "t.einsum('ij,jk->ik', t.ones(2, 3), t.ones(4, 4))",
    "t.einsum('ij->ijk', t.ones(2, 3))", "t.einsum('i j, j k -> i k', t.ones(2, 3), t.ones(3, 4))",
    "t.einsum('b n h d, b m h d -> b h n m', t.ones(1, 2, 3, 4), t.ones(1, 5, 3, 4))",
    "t.einsum('...,...->...', t.arange(3.0), t.arange(3.0))",
    "t.tensordot(t.arange(24.0).reshape(2, 3, 4), t.arange(24.0).reshape(3, 4, 2), 2)",
    "t.tensordot(t.arange(24.0).reshape(2, 3, 4), t.arange(24.0).reshape(4, 3, 2), dims=([1, 2], [1, 0]))",
    "t.tensordot(t.ones(2), t.ones(3), 0)", "t.tensordot(t.ones(2, 3), t.ones(2, 3), 2)",
    "t.tensordot(t.ones(2, 3), t.ones(4, 3), 1)", "t.kron(t.arange(4.0).reshape(2, 2), t.ones(2, 3))",
    "t.cross(t.tensor([1.0, 0.0, 0.0]), t.tensor([0.0, 1.0, 0.0]), dim=0)",
    "t.trace(t.arange(6.0).reshape(2, 3))", "t.arange(4).reshape(2, 2).trace()", "t.matmul(t.ones(2, 3), t.ones(3))",
]  # fmt: skip

INPLACE = [
    *(f"x = t.tensor([1.0, -2.0, 3.5]); y = x.{call}; (x, y is x)" for call in (
        "add_(1)", "add_(t.tensor([1, 2, 3]))", "sub_(0.5)", "mul_(2)", "div_(2)", "pow_(2)", "neg_()", "abs_()",
        "exp_()", "sqrt_()", "zero_()", "fill_(7)", "floor_()", "round_()", "clamp_(0, 1)", "sigmoid_()", "relu_()",
        "tanh_()", "remainder_(2)", "floor_divide_(2)",
        "copy_(t.tensor([9, 8, 7]))", "add_(1, alpha=2)", "reciprocal_()", "rsqrt_()", "sign_()", "trunc_()", "frac_()",
        "lerp_(t.ones(3), 0.5)", "addcmul_(t.ones(3), t.ones(3), value=2)", "addcdiv_(t.ones(3), t.ones(3))",
        "masked_fill_(t.tensor([True, False, True]), 0)", "eq_(1)", "lt_(1)", "logical_not_()", "fmod_(2)", "square_()",
        "unsqueeze_(0)", "t_()", "requires_grad_()", "detach_()", "copy_(t.tensor(5.0))", "copy_(t.ones(2, 3))",
        "add_(t.ones(2, 3))", "add_(t.ones(1, 3))", "add_(1j)", "fill_(t.tensor(2))", "fill_(t.ones(3))",
        "index_fill_(0, t.tensor([0]), 5)", "index_add_(0, t.tensor([0, 0]), t.ones(2))",
        "index_copy_(0, t.tensor([2]), t.ones(1))",
        "put_(t.tensor([0]), t.tensor([5.0]))", "scatter_(0, t.tensor([1]), t.tensor([5.0]))",
        "scatter_(0, t.tensor([1]), 5.0)", "scatter_add_(0, t.tensor([1, 1]), t.ones(2))", "squeeze_()", "resize_(2)",
        "set_(t.ones(2))", "nan_to_num_()", "erf_()", "log1p_()", "transpose_(0, 0)", "swapaxes_(0, 0)", "tril_()",
        "fill_(1j)", "bitwise_and_(1)", "logical_and_(t.tensor(1))")),
    *(f"x = t.tensor([1, -2, 3]); x.{call}; x" for call in ("add_(1)", "add_(1.5)", "mul_(2.0)", "div_(2)",
    "div_(2, rounding_mode='floor')", "floor_divide_(2)", "sub_(t.tensor([1.0, 1.0, 1.0]))", "add_(t.tensor(1.0))",
    "pow_(2)", "pow_(-1)", "pow_(0.5)", "exp_()", "fill_(1.7)", "copy_(t.tensor([1.9, -1.9, 0.0]))",
    "masked_fill_(t.tensor([True, False, True]), 2.5)", "clamp_(0, 2)", "bitwise_and_(1)", "eq_(1)", "sqrt_()",
    "abs_()", "__iadd__(1)", "__itruediv__(2)", "remainder_(2)", "logical_not_()")),
    *(f"x = t.tensor([1, 2]); x {op} {v}; x" for op, v in (("+=", "1"), ("-=", "t.tensor([1, 1])"), ("*=", "2.5"),
    ("/=", "2"), ("//=", "2"), ("%=", "2"), ("**=", "2"), ("&=", "1"), ("|=", "4"), ("^=", "1"), ("<<=", "1"),
    (">>=", "1"), ("+=", "t.ones(2, 2, dtype=t.int64)"), ("@=", "t.tensor([1, 1])"), ("+=", "'a'"))),
    *(f"x = t.tensor([1.0, 2.0], dtype=t.float16); x {op} {v}; x" for op,
    v in (("+=", "1e-3"), ("*=", "t.tensor([1.0, 3.0])"), ("/=", "3"))), "x = t.ones(2); y = x; x += 1; (x, y)",
    "x = t.ones(2); x[:] = 3; x", "x = t.tensor([True]); x += 1; x", "x = t.tensor([True]); x |= False; x",
    "x = t.ones(1); x += t.ones(3); x", "x = t.ones(3).expand(2, 3); x.add_(1)", "x = t.ones(1).expand(3); x[0] = 2",
    "x = t.tensor(1.0); x += t.ones(1); x", "x = t.ones(2, 1); x += t.ones(2, 2)",
    "x = t.ones(2, requires_grad=True); x.add_(1)", "x = t.ones(2, requires_grad=True); x[0] = 1",
    "x = t.ones(2, requires_grad=True); y = x * 1; y.add_(1); y.sum().backward(); x.grad",
    "x = t.ones(2, requires_grad=True); y = x * 1; y[0] = 5; y.sum().backward(); x.grad",
    "x = t.ones(2); w = t.ones(2, requires_grad=True); x.add_(w); x.requires_grad",
    "x = t.ones(3, requires_grad=True); y = x.exp(); y.add_(1); y.sum().backward()",
    "x = t.ones(3, requires_grad=True)[:2]; x.add_(1)",
    "x = t.ones(2, requires_grad=True); x.data.add_(1); x.data.mul_(3); x",
    "x = t.ones(2, requires_grad=True); x.data = t.zeros(3); x", "x = t.zeros(3); t.add(t.ones(3), 1, out=x); x",
    "x = t.zeros(3); t.mul(t.ones(3), 2, out=x) is x", "x = t.empty(0); t.exp(t.zeros(3), out=x); x",
    "x = t.zeros(3); t.matmul(t.ones(3, 3), t.ones(3), out=x); x", "x = t.zeros(2); t.sum(t.ones(2, 2), 0, out=x); x",
    "x = t.zeros(4); t.cat([t.ones(2), t.ones(2)], out=x); x",
    "x = t.zeros(3, dtype=t.int64); t.add(t.ones(3), 1, out=x); x",
    "x = t.zeros(2, 2); t.stack([t.ones(2), t.ones(2)], out=x); x",
]  # fmt: skip

COMPLEX = [
    "t.complex(t.tensor([1.0]), t.tensor([2.0]))", "t.complex(t.tensor([1.0]), t.tensor([2.0], dtype=t.float64))",
    "t.complex(t.tensor([1]), t.tensor([2]))", "t.complex(t.tensor([INF]), t.tensor([1.0]))",
    "t.polar(t.tensor([2.0]), t.tensor([0.5]))", "t.tensor([1 + 2j]).real", "t.tensor([1 + 2j]).imag",
    "t.tensor([1.0]).real", "t.tensor([1.0]).imag", "t.real(t.tensor([1 + 2j]))", "t.imag(t.tensor([1.0]))",
    "t.view_as_real(t.tensor([1 + 2j]))", "t.view_as_complex(t.tensor([[1.0, 2.0]]))",
    "t.view_as_complex(t.tensor([1.0, 2.0, 3.0]))", "t.view_as_real(t.tensor([1.0]))",
    "t.view_as_complex(t.tensor([[1, 2]]))", "t.tensor([1 + 2j]).conj()", "t.tensor([1.0]).conj()",
    "t.tensor([[1 + 2j, 3j]]).mH", "t.tensor([[1 + 2j, 3j]]).H", "t.is_complex(t.tensor([1j]))",
    "t.tensor([1 + 2j]).is_conj()", "t.tensor([1 + 2j]).conj().resolve_conj()", "t.tensor([1 + 2j]).conj_physical()",
    *(f"t.tensor([1 + 2j, -0.5 + 0.25j]).{name}()" for name
    in ["abs", "neg", "exp", "log", "sqrt", "sin", "cos", "tanh", "sinh", "cosh", "square", "reciprocal", "sigmoid",
    "isnan", "isfinite", "angle", "sgn", "rsqrt", "log2", "log10", "expm1", "log1p", "asin", "acos", "atan", "tan",
    "asinh", "acosh", "atanh", "isreal", "isinf"]),
        "t.tensor([1 + 2j]) * t.tensor([3 - 1j])", "t.tensor([1 + 2j]) / t.tensor([3 - 1j])", "t.tensor([1 + 2j]) ** 2",
        "t.tensor([1 + 2j]) ** t.tensor([0.5])", "2 ** t.tensor([1j])", "t.tensor([0j]) ** 0",
        "t.tensor([1 + 2j]) // 2", "t.tensor([1 + 2j]) % 2",
    "x = t.tensor([1 + 2j], requires_grad=True); (x * x.conj()).real.sum().backward(); x.grad",
    "x = t.tensor([1 + 2j], requires_grad=True); x.abs().sum().backward(); x.grad",
    "x = t.tensor([1 + 2j], requires_grad=True); t.view_as_real(x)[..., 0].sum().backward(); x.grad",
    "x = t.tensor([1.0, 2.0], requires_grad=True); t.view_as_complex(x[None]).abs().sum().backward(); x.grad",
    "x = t.tensor([1 + 2j], requires_grad=True); x.exp().imag.sum().backward(); x.grad",
    "x = t.tensor([1 + 2j], requires_grad=True); x.angle().sum().backward(); x.grad",
    "x = t.tensor([1.0], requires_grad=True); t.polar(x, x).real.sum().backward(); x.grad",
    "x = t.tensor([1.0], requires_grad=True); (x * 1j).abs().sum().backward(); x.grad", "t.tensor([1j]).to(t.float32)",
    "t.tensor([1 + 0j, 1j, 0j]).bool()", "t.tensor([1 + 2j]).sum().item()", "t.tensor([3 + 4j]).norm()",
    "x = t.tensor([1 + 2j, 3j]); x.real[0] = 9.0; x",
    "x = t.tensor([1 + 2j], requires_grad=True); (x ** 2).real.sum().backward(); x.grad",
    "x = t.tensor([1 + 2j], requires_grad=True); x.sgn().real.sum().backward(); x.grad",
]  # fmt: skip


@pytest.mark.parametrize("source", SPECIAL)
def test_elementwise(source):
    agree(source)


@pytest.mark.parametrize("source", REDUCED)
def test_reductions(source):
    agree(source)


@pytest.mark.parametrize("source", PRODUCTS)
def test_products(source):
    agree(source)


@pytest.mark.parametrize("source", INPLACE)
def test_inplace(source):
    agree(source)


@pytest.mark.parametrize("source", COMPLEX)
def test_complex(source):
    agree(source)

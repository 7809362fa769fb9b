"""Publishing ops: the functions of a namespace, derived from the records that name it."""

from __future__ import annotations

from typing import Any, Final

from tensorcore import ops as _ops
from tensorcore.methods import inplace
from tensorcore.ops.callers import function, guarded
from tensorcore.ops.record import REGISTRY, Op

# Importing the package records all ops, which publishing before that would miss.
assert _ops.__name__


#: The in-place forms that PyTorch publishes as functions.
IN_PLACE: Final = (
    "abs_", "acos_", "acosh_", "addmv_", "alpha_dropout_", "arccos_", "arccosh_", "arcsin_", "arcsinh_", "arctan_",
    "arctanh_", "asin_", "asinh_", "atan_", "atanh_", "ceil_", "celu_", "clamp_", "clamp_max_", "clamp_min_", "clip_",
    "cos_", "cosh_", "deg2rad_", "dropout_", "erf_", "erfc_", "exp2_", "exp_", "expm1_", "feature_alpha_dropout_",
    "feature_dropout_", "fix_", "floor_", "frac_", "gcd_", "i0_", "lcm_", "ldexp_", "log10_", "log1p_", "log2_",
    "log_", "logit_", "nan_to_num_", "neg_", "negative_", "rad2deg_", "reciprocal_", "relu_", "round_", "rrelu_",
    "rsqrt_", "selu_", "sigmoid_", "sin_", "sinc_", "sinh_", "sqrt_", "square_", "tan_", "tanh_", "threshold_",
    "trunc_", "xlogy_",
)  # fmt: skip


def in_place() -> dict[str, Op]:
    """The op of each in-place function of the top-level namespace, by the function's name."""
    known = {name: op for op in REGISTRY.values() for name in op.names_in("")}
    return {name: known[name[:-1]] for name in IN_PLACE if name[:-1] in known and name not in REGISTRY}


def publish(namespace: str, module: dict[str, Any]) -> list[str]:
    """Put the functions of ``namespace`` into ``module``, a module's globals; returns their names."""
    names: list[str] = []
    for op in REGISTRY.values():
        own = op.names_in(namespace)
        if own:
            # PyTorch's functions of nn.functional take no out=.
            module.update(dict.fromkeys(own, guarded(op) if namespace == "nn.functional" else function(op)))
            names += own
    if not namespace:
        functions = {name: inplace(op, name) for name, op in in_place().items()}
        module.update(functions)
        names += functions
    return names

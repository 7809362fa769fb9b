"""Transforms of functions, as in ``torch.func``: `vmap`, and derivatives that compose with it and one another."""

from tensorcore.func.batching import batching_rules
from tensorcore.func.forward import hessian, jacfwd, jvp, linearize
from tensorcore.func.functional import (
    debug_unwrap,
    functional_call,
    functionalize,
    replace_all_batch_norm_modules_,
    stack_module_state,
)
from tensorcore.func.mapping import vmap
from tensorcore.func.rearranging import rearrange
from tensorcore.func.reverse import grad, grad_and_value, jacrev, vjp

__all__ = [
    "batching_rules",
    "debug_unwrap",
    "functional_call",
    "functionalize",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "rearrange",
    "replace_all_batch_norm_modules_",
    "stack_module_state",
    "vjp",
    "vmap",
]

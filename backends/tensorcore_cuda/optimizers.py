"""Update rules of optimizers in one kernel each, in place where the optimizer asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorcore.backend.array_module import ArrayModuleBackend
from tensorcore.backend.contract import Array
from tensorcore.dtypes import DType, float32, float64
from tensorcore_cuda.natives import dtype_of_native
from tensorcore_cuda.optimizercode import update_kernel, update_source
from tensorcore_cuda.plans import BLOCK, blocks

__all__ = ["OptimizerKernels"]


class OptimizerKernels(ArrayModuleBackend):
    """``out`` lists the arrays for the new parameter and state; they may be the old ones."""

    library: Any

    def sgd_update(
        self, param: Array, grad: Array, momentum_buffer: Array | None = None, rate: Array | None = None, *,
        lr: float, momentum: float, dampening: float, weight_decay: float, nesterov: bool, maximize: bool,
        out: Sequence[Array] | None = None,
    ) -> tuple[Array, ...]:  # fmt: skip
        numbers = map(float, (lr, momentum, dampening, weight_decay))
        scalars = (self._wide(rate), *numbers, int(nesterov), int(maximize))
        return self._update("sgd_update", (param, grad, momentum_buffer), float32, scalars, out)

    def adam_update(
        self, param: Array, grad: Array, exp_avg: Array, exp_avg_sq: Array, step: Array,
        max_exp_avg_sq: Array | None = None, rate: Array | None = None, *,
        lr: float, beta1: float, beta2: float, eps: float, weight_decay: float, decoupled_weight_decay: bool,
        maximize: bool, out: Sequence[Array] | None = None,
    ) -> tuple[Array, ...]:  # fmt: skip
        scalars = (
            step, self._wide(rate), float(lr), float(beta1), float(beta2), float(eps), float(weight_decay),
            int(decoupled_weight_decay), int(maximize),
        )  # fmt: skip
        arrays = (param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq)
        return self._update("adam_update", arrays, dtype_of_native(step.dtype), scalars, out)

    def _wide(self, number: Array | None) -> Array | None:
        return None if number is None else self.cast(number, dtype=float64)

    def _update(
        self, name: str, arrays: tuple[Array | None, ...], step: DType, scalars: tuple[Any, ...],
        out: Sequence[Array] | None,
    ) -> tuple[Array, ...]:  # fmt: skip
        param = arrays[0]
        assert param is not None
        rows = [None if each is None else self.row_major(each) for each in arrays]
        state = [each for place, each in enumerate(rows) if place != 1]
        if out is None:
            given = None
            targets = [None if each is None else self.xp.empty(each.shape, each.dtype) for each in state]
        else:
            given = iter(out)
            wanted = [None if each is None else next(given) for each in state]
            # Memory that is not row-major gets its share by a copy.
            targets = [
                each if each is None or each._c_contiguous else self.xp.empty(each.shape, each.dtype) for each in wanted
            ]
        dtype = dtype_of_native(param.dtype)
        if param.size:
            kernel_name, _ = update_kernel(name, dtype, step)
            kernel = self.library.get(kernel_name, lambda: update_source(name, dtype, step))
            groups = -(-param.size // (16 // dtype.itemsize))
            kernel((blocks(groups),), (BLOCK,), (*rows, *targets, *scalars, param.size))
        if out is not None:
            for target, wish in zip([each for each in targets if each is not None], out, strict=True):
                if target is not wish:
                    self.assign(wish, target)
            return tuple(out)
        return tuple(each for each in targets if each is not None)

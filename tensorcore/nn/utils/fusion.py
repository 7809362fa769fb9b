"""Batch normalisation, as it acts in evaluation, put into the layer before it."""

from __future__ import annotations

import copy
from typing import Any

from tensorcore.nn.modules.module import Module
from tensorcore.nn.parameter import Parameter
from tensorcore.tensor import Tensor

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def _fused(
    weight: Any, bias: Any, mean: Any, variance: Any, eps: float, scale: Any, shift: Any, shape: list[int]
) -> tuple[Parameter, Parameter]:
    factor = (variance + eps).rsqrt()
    factor = factor if scale is None else factor * scale
    moved = (-mean if bias is None else bias - mean) * factor
    moved = moved if shift is None else moved + shift
    grown = (weight * factor.reshape(shape)).to(weight.dtype)
    grad = True if bias is None else bias.requires_grad
    return Parameter(grown.detach(), weight.requires_grad), Parameter(moved.to(weight.dtype).detach(), grad)


def fuse_conv_bn_weights(
    conv_w: Tensor, conv_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Tensor | None,
    bn_b: Tensor | None, transpose: bool = False,
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """Weight and bias of a convolution that does what it and the batch normalisation after it do.

    Example:
        >>> import tensorcore as tc
        >>> one = tc.ones(2)
        >>> weight, bias = tc.nn.utils.fuse_conv_bn_weights(tc.ones(2, 1, 1, 1), None, one, one, 0.0, one, one)
        >>> bias.tolist()
        [0.0, 0.0]
    """
    shape = [1, -1] if transpose else [-1, 1]
    return _fused(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, shape + [1] * (conv_w.ndim - 2))


def fuse_linear_bn_weights(
    linear_w: Tensor, linear_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """Weight and bias of a linear layer that does what it and the batch normalisation after it do.

    Example:
        >>> import tensorcore as tc
        >>> one = tc.ones(2)
        >>> weight, bias = tc.nn.utils.fuse_linear_bn_weights(tc.ones(2, 1), None, one, one, 0.0, one, one)
        >>> bias.tolist()
        [0.0, 0.0]
    """
    return _fused(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, [-1, 1])


def _checked(op: str, layer: Module, bn: Module) -> tuple[Any, Any]:
    if layer.training or bn.training:
        raise AssertionError(f"{op}: both modules must be in evaluation mode; call .eval()")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError(f"{op}: the batch normalisation keeps no running statistics")
    return copy.deepcopy(layer), (
        layer.weight, layer.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )  # fmt: skip


def fuse_conv_bn_eval(conv: Module, bn: Module, transpose: bool = False) -> Module:
    """A copy of ``conv`` that does what it and ``bn`` after it do in evaluation.

    Raises:
        AssertionError: unless both are in evaluation mode.

    Example:
        >>> import tensorcore as tc
        >>> conv, bn = tc.nn.Conv2d(1, 2, 3).eval(), tc.nn.BatchNorm2d(2).eval()
        >>> type(tc.nn.utils.fuse_conv_bn_eval(conv, bn)).__name__
        'Conv2d'
    """
    made, given = _checked("fuse_conv_bn_eval", conv, bn)
    made.weight, made.bias = fuse_conv_bn_weights(*(*given, transpose))
    return made


def fuse_linear_bn_eval(linear: Module, bn: Module) -> Module:
    """A copy of ``linear`` that does what it and ``bn`` after it do in evaluation.

    Raises:
        AssertionError: unless both are in evaluation mode and have as many features.

    Example:
        >>> import tensorcore as tc
        >>> linear, bn = tc.nn.Linear(1, 2).eval(), tc.nn.BatchNorm1d(2).eval()
        >>> type(tc.nn.utils.fuse_linear_bn_eval(linear, bn)).__name__
        'Linear'
    """
    made, given = _checked("fuse_linear_bn_eval", linear, bn)
    if bn.num_features not in (linear.out_features, 1):
        raise AssertionError(
            f"fuse_linear_bn_eval: {linear.out_features} features of the linear layer do not fit {bn.num_features} of "
            "the batch normalisation"
        )
    made.weight, made.bias = fuse_linear_bn_weights(*given)
    return made

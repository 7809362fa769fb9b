"""How the layers of published models begin."""

from __future__ import annotations

from tensorcore import nn

__all__ = ["initialize"]


def initialize(model: nn.Module, mode: str = "fan_out", linear_std: float | None = None) -> None:
    """Convolutions after He et al. (arXiv:1502.01852), normalisations at 1 and 0, biases at 0.

    Linear layers keep their weights, or are drawn from a normal distribution of deviation ``linear_std``. Layers are
    drawn in the order in which they were made.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode=mode, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d | nn.GroupNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear) and linear_std is not None:
            nn.init.normal_(module.weight, 0.0, linear_std)
            nn.init.zeros_(module.bias)

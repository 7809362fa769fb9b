"""Adam for sparse gradients."""

from __future__ import annotations

from typing import Any

from tensorcore.ops.creation import zeros_like
from tensorcore.optim.optimizer import Optimizer
from tensorcore.optim.settings import check_betas, check_rate

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Adam that moves only the elements a sparse gradient names, and their moments (as in PyTorch, "lazy" Adam).

    Raises:
        ValueError: for a setting out of range, or a sparse parameter.
        RuntimeError: in a step, for a dense gradient.

    Example:
        >>> import tensorcore as tc
        >>> table = tc.nn.Embedding(4, 1, sparse=True)
        >>> optimizer = tc.optim.SparseAdam(table.parameters(), lr=0.1)
        >>> before = table.weight.detach().clone()
        >>> table(tc.tensor([2])).sum().backward()
        >>> optimizer.step()
        >>> (table.weight.detach() - before).flatten()
        tensor([ 0.0000,  0.0000, -0.1000,  0.0000])
    """

    _takes_sparse = True
    _counts = ()

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8, maximize: bool = False
    ) -> None:
        check_rate("SparseAdam", lr)
        for name, value in (("learning rate", lr), ("epsilon value", eps)):
            if not value > 0:
                raise ValueError(f"SparseAdam: Invalid {name}: {value}")
        check_betas("SparseAdam", betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        for group in self.param_groups:
            for place, param in enumerate(group["params"]):
                if param._kind.sparse or param.is_complex():
                    what = "Sparse" if param._kind.sparse else "Complex"
                    raise ValueError(
                        f"SparseAdam: {what} params are not supported, got one of shape {list(param.shape)} at index "
                        f"{place} of its group; parameters are dense and real, only their gradients are sparse"
                    )

    def _row(self, param: Any, grad: Any, group: dict[str, Any]) -> None:
        from tensorcore.sparse.embedding import at_places

        if not grad._kind.sparse:
            raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
        state = self.state[param]
        if not state:
            state["step"] = 0
            state["exp_avg"], state["exp_avg_sq"] = zeros_like(param), zeros_like(param)
        state["step"] += 1
        beta1, beta2 = group["betas"]
        rows, places, values = at_places(param, -grad if group["maximize"] else grad)
        if not places.shape[0]:
            return
        averages = []
        for name, beta, latest in (("exp_avg", beta1, values), ("exp_avg_sq", beta2, values * values)):
            held = at_places(state[name], grad)[0]
            old = held.index_select(0, places)
            change = (latest - old) * (1 - beta)
            held.index_add_(0, places, change)
            averages.append(old + change)
        step = state["step"]
        rate = float(group["lr"]) * (1 - beta2**step) ** 0.5 / (1 - beta1**step)
        rows.index_add_(0, places, averages[0] / (averages[1].sqrt() + group["eps"]) * -rate)

"""L-BFGS: a quasi-Newton method with limited memory, and its line search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tensorcore.autograd.mode import enable_grad, no_grad
from tensorcore.ops.complex import view_as_real
from tensorcore.ops.creation import zeros_like
from tensorcore.ops.movement import cat
from tensorcore.optim.optimizer import Optimizer
from tensorcore.optim.settings import check_rate
from tensorcore.tensor import Tensor

__all__ = ["LBFGS"]


class _Trial(NamedTuple):
    """A point along the search direction.

    Attributes:
        at: the step length.
        loss: the loss there.
        grad: the gradient there, flat.
        slope: the derivative of the loss along the direction.
    """

    at: float
    loss: float
    grad: Any
    slope: float


def _cubic_minimum(a: _Trial, b: _Trial, low: float, high: float) -> float:
    """Where the cubic with the values and slopes of both points is least, within the bounds.

    Source: Nocedal and Wright, Numerical Optimization, 2nd edition, equation 3.59.
    """
    if a.at != b.at:
        mean = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.at - b.at)
        square = mean * mean - a.slope * b.slope
        if square >= 0:
            if a.at > b.at:
                a, b = b, a
            root = square**0.5
            width = b.slope - a.slope + 2 * root
            if width != 0:
                return min(max(b.at - (b.at - a.at) * ((b.slope + root - mean) / width), low), high)
    return (low + high) / 2


def _strong_wolfe(
    evaluate: Callable[[float], _Trial], start: _Trial, first: float, longest: float, tolerance: float, most: int,
    decrease: float = 1e-4, curvature: float = 0.9,
) -> tuple[_Trial, int]:  # fmt: skip
    """A point that satisfies the strong Wolfe conditions, or the best one met, and how often the loss was computed.

    Source: Nocedal and Wright, algorithms 3.5 and 3.6, with the safeguards of Schmidt's minFunc.

    Args:
        evaluate: the point at a step length.
        start: the point at 0.
        first: the first step length to try.
        longest: the largest element of the direction.
        tolerance: a bracket that moves no parameter by more is not divided further.
        most: how many points to try after the first.
        decrease: the part of the decrease the slope promises that suffices.
        curvature: the part of the slope that may remain.
    """

    def rises(point: _Trial) -> bool:
        return point.loss > start.loss + decrease * point.at * start.slope

    def flat(point: _Trial) -> bool:
        return abs(point.slope) <= -curvature * start.slope

    before, point = start, evaluate(first)
    calls, tries = 1, 0
    bracket = [start, point]
    done = False
    while tries < most:
        if rises(point) or (tries > 1 and point.loss >= before.loss):
            bracket = [before, point]
            break
        if flat(point):
            bracket, done = [point], True
            break
        if point.slope >= 0:
            bracket = [before, point]
            break
        low, high = point.at + 0.01 * (point.at - before.at), point.at * 10
        before, point = point, evaluate(_cubic_minimum(before, point, low, high))
        calls, tries = calls + 1, tries + 1
        bracket = [start, point]
    best, other = (0, -1) if bracket[0].loss <= bracket[-1].loss else (-1, 0)
    stalled = False
    while not done and tries < most:
        low, high = sorted((bracket[0].at, bracket[1].at))
        if (high - low) * longest < tolerance:
            break
        at = _cubic_minimum(bracket[0], bracket[1], low, high)
        # A trial next to an end of the bracket for the second time is moved inwards.
        margin = 0.1 * (high - low)
        if min(high - at, at - low) < margin:
            if stalled or at >= high or at <= low:
                at = high - margin if abs(at - high) < abs(at - low) else low + margin
                stalled = False
            else:
                stalled = True
        else:
            stalled = False
        point = evaluate(at)
        calls, tries = calls + 1, tries + 1
        if rises(point) or point.loss >= bracket[best].loss:
            bracket[other] = point
            best, other = (0, -1) if bracket[0].loss <= bracket[1].loss else (-1, 0)
        else:
            if flat(point):
                done = True
            elif point.slope * (bracket[other].at - bracket[best].at) >= 0:
                bracket[other] = bracket[best]
            bracket[best] = point
    return bracket[best], calls


class LBFGS(Optimizer):
    """L-BFGS: steps along the gradient times an estimate of the inverse Hessian (Liu and Nocedal 1989).

    Made for losses of all the data; each step calls ``closure``, which computes the loss and its gradients anew, up to
    ``max_eval`` times. It has one parameter group.

    Args:
        params: parameters, or (name, parameter) pairs.
        lr: the step length, without a line search; else the first one tried.
        max_iter: directions taken in a step.
        max_eval: calls of the closure in a step; a quarter more than ``max_iter`` by default.
        tolerance_grad: a step ends where no element of the gradient is larger.
        tolerance_change: a step ends where loss or parameters change by less.
        history_size: how many changes of the gradient the estimate is made of.
        line_search_fn: ``"strong_wolfe"`` or None.

    Raises:
        ValueError: for a negative learning rate, or several parameter groups.
        RuntimeError: in a step, for another line search.
        TypeError: for a step without closure.

    Example:
        >>> import tensorcore as tc
        >>> w = tc.nn.Parameter(tc.tensor([3.0, -2.0]))
        >>> optimizer = tc.optim.LBFGS([w], line_search_fn="strong_wolfe")
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = ((w - 1) ** 2).sum()
        ...     loss.backward()
        ...     return loss
        >>> optimizer.step(closure)
        tensor(13., grad_fn=<SumBackward0>)
        >>> w.data.allclose(tc.ones(2))
        True
    """

    _takes_sparse = True

    def __init__(
        self, params: Any, lr: Any = 1, max_iter: int = 20, max_eval: int | None = None, tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9, history_size: int = 100, line_search_fn: str | None = None,
    ) -> None:  # fmt: skip
        check_rate("LBFGS", lr)
        super().__init__(params, {
            "lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change, "history_size": history_size,
            "line_search_fn": line_search_fn,
        })  # fmt: skip
        if len(self.param_groups) != 1:
            raise ValueError(f"LBFGS takes one parameter group, got {len(self.param_groups)}")

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Move the parameters by up to ``max_iter`` directions; returns the loss that ``closure`` gave first."""
        if not callable(closure):
            raise TypeError(f"LBFGS.step: closure must be a function that returns the loss, got {closure!r}")
        with no_grad():
            return _Steps(self, self.param_groups[0], closure).run()


class _Steps:
    """One step of an `LBFGS`, which is several iterations of the method."""

    def __init__(self, optimizer: LBFGS, group: dict[str, Any], closure: Callable[[], Any]) -> None:
        self.group, self.closure = group, closure
        self.params = group["params"]
        # The method has one state for all parameters; it is kept with the first.
        self.state = optimizer.state[self.params[0]]
        self.state.setdefault("func_evals", 0)
        self.state.setdefault("n_iter", 0)

    def run(self) -> Any:
        """Iterate until one of the limits of the group is reached."""
        group, state = self.group, self.state
        lr = float(group["lr"])
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise RuntimeError(f"LBFGS: line_search_fn must be 'strong_wolfe' or None, got {group['line_search_fn']!r}")
        first_loss = self._loss()
        loss, grad = float(first_loss), self._gradient()
        calls = 1
        state["func_evals"] += 1
        if self._is_flat(grad):
            return first_loss
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = self._direction(grad)
            state["prev_flat_grad"], state["prev_loss"] = grad, loss
            length = min(1.0, 1.0 / float(grad.abs().sum())) * lr if state["n_iter"] == 1 else lr
            state["t"] = length
            slope = float(grad.dot(direction))
            if slope > -group["tolerance_change"]:
                break
            before, used = loss, 0
            if group["line_search_fn"] is not None:
                start = _Trial(0.0, loss, grad, slope)
                found, used = self._searched(start, direction, length, group["max_eval"] - calls)
                _, loss, grad, _ = found
                length = state["t"] = found.at
                self._move(direction, length)
            else:
                self._move(direction, length)
                # After the last move the loss is not needed: with batches it would be that of another one.
                if iteration != group["max_iter"]:
                    loss, grad, used = float(self._loss()), self._gradient(), 1
            calls += used
            state["func_evals"] += used
            if (
                calls >= group["max_eval"]
                or (used and self._is_flat(grad))
                or float(direction.abs().max()) * abs(length) <= group["tolerance_change"]
                or abs(loss - before) < group["tolerance_change"]
            ):
                break
        return first_loss

    def _direction(self, grad: Any) -> Any:
        """Minus the gradient times the estimated inverse Hessian (Nocedal and Wright, algorithm 7.4)."""
        state = self.state
        if state["n_iter"] == 1:
            state["d"] = grad.neg()
            state["old_dirs"], state["old_stps"], state["ro"], state["H_diag"] = [], [], [], 1
            return state["d"]
        changes, moves, inverses = state["old_dirs"], state["old_stps"], state["ro"]
        change, move = grad - state["prev_flat_grad"], state["d"] * state["t"]
        curvature = change.dot(move)
        if float(curvature) > 1e-10:
            if len(changes) == self.group["history_size"]:
                for each in (changes, moves, inverses):
                    each.pop(0)
            changes.append(change)
            moves.append(move)
            inverses.append(1.0 / curvature)
            state["H_diag"] = curvature / change.dot(change)
        weights = state.setdefault("al", [None] * self.group["history_size"])
        direction = grad.neg()
        for place in reversed(range(len(changes))):
            weights[place] = moves[place].dot(direction) * inverses[place]
            direction -= changes[place] * weights[place]
        direction = direction * state["H_diag"]
        for place in range(len(changes)):
            weight = weights[place] - changes[place].dot(direction) * inverses[place]
            direction += moves[place] * weight
        state["d"] = direction
        return direction

    def _searched(self, start: _Trial, direction: Any, length: float, most: int) -> tuple[_Trial, int]:
        origin = [param.clone() for param in self.params]

        def evaluate(at: float) -> _Trial:
            self._move(direction, at)
            loss, grad = float(self._loss()), self._gradient()
            for param, value in zip(self.params, origin, strict=True):
                param.copy_(value)
            return _Trial(at, loss, grad, float(grad.dot(direction)))

        longest = float(direction.abs().max())
        return _strong_wolfe(evaluate, start, length, longest, self.group["tolerance_change"], most)

    def _loss(self) -> Any:
        with enable_grad():
            return self.closure()

    def _gradient(self) -> Any:
        """The gradients of all parameters side by side; parts of complex ones follow each other."""
        flat = []
        for param in self.params:
            grad = param.grad
            if grad is None:
                grad = zeros_like(param)
            elif grad._kind.sparse:
                grad = grad.to_dense()
            flat.append((view_as_real(grad) if grad.is_complex() else grad).reshape(-1))
        return cat(flat)

    def _move(self, direction: Any, length: float) -> None:
        start = 0
        for param in self.params:
            target: Tensor = view_as_real(param) if param.is_complex() else param
            size = target.numel()
            target.add_(direction[start : start + size].reshape(target.shape), alpha=length)
            start += size

    def _is_flat(self, grad: Any) -> bool:
        return float(grad.abs().max()) <= self.group["tolerance_grad"]

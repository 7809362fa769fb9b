"""Losses over alignments and sets of labels: connectionist temporal classification, multi-label margin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import INTEGER, float32, int64
from tensorcore.errors import DTypeError, RangeError, ShapeError
from tensorcore.levels import everywhere
from tensorcore.ops import elementwise as e
from tensorcore.ops.creation import as_tensor, ramp
from tensorcore.ops.loss import reduced, reduction_of
from tensorcore.ops.movement import cat, stack
from tensorcore.ops.record import composite
from tensorcore.ops.rules import inexact

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

#: Stands for the logarithm of 0: sums with it stay finite, so gradients are never NaN.
_NEVER: Final = -1e30


def _log_sum(*terms: Any) -> Any:
    top = terms[0]
    for term in terms[1:]:
        top = e.maximum(top, term)
    top = top.detach()
    total = e.exp(terms[0] - top)
    for term in terms[1:]:
        total = total + e.exp(term - top)
    return e.log(total) + top


def _padded_targets(targets: Any, lengths: Any, batch: int) -> Any:
    """Targets as (N, S): those given one after the other are put in rows."""
    if targets.ndim == 2:
        return targets
    if targets.ndim != 1:
        raise ShapeError(f"ctc_loss: targets must have 1 or 2 dimensions, got shape {list(targets.shape)}")
    counts = lengths.tolist()
    if sum(counts) != targets.shape[0]:
        raise ShapeError(f"ctc_loss: {targets.shape[0]} targets, but target_lengths add up to {sum(counts)}")
    longest = max(counts, default=0)
    rows, start = [], 0
    for count in counts:
        row = targets.narrow(0, start, count)
        rows.append(cat([row, targets.new_zeros((longest - count,))]) if count < longest else row)
        start += count
    return stack(rows)


def _shifted(alpha: Any, by: int) -> Any:
    edge = alpha.new_full((alpha.shape[0], by), _NEVER)
    return (
        cat([edge, alpha.narrow(1, 0, alpha.shape[1] - by)], 1)
        if alpha.shape[1] > by
        else edge.narrow(1, 0, alpha.shape[1])
    )


@composite(
    namespaces=("nn.functional",), operands=("log_probs", "targets", "input_lengths", "target_lengths"), ulp=256,
    samples=({"shapes": ((6, 2, 4), (2, 2), (2,), (2,)), "dtypes": (None, "int64", "int64", "int64"),
              "domains": ((-4, -1), (1, 4), (6, 6), (2, 2))},),
)  # fmt: skip
def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Negative log-likelihood of label sequences, summed over all their alignments with (T, N, C) log-probabilities.

    Graves et al., Connectionist Temporal Classification, 2006, section 4.1, in logarithms.

    Lengths that no alignment fits give infinity, or 0 with ``zero_infinity``.
    ``targets`` are (N, S) or joined in one vector.

    Args:
        log_probs: (T, N, C) or (T, C), as `log_softmax` gives.
        targets: classes without the blank, (N, S) or all in one vector.
        input_lengths, target_lengths: (N,), how much of each counts.
        blank: class that stands for none.
        reduction: ``"mean"`` (of the losses over their target lengths), ``"sum"`` or ``"none"``.
        zero_infinity: whether infinite losses, and their gradients, are zero.

    Example:
        >>> log_probs = tc.tensor([[0.25, 0.75], [0.5, 0.5]]).log().unsqueeze(1)
        >>> likelihood = F.ctc_loss(log_probs, tc.tensor([[1]]), [2], [1], reduction="none").neg().exp()
        >>> likelihood, 0.75 * 0.5 + 0.25 * 0.5 + 0.75 * 0.5
        (tensor([0.8750]), 0.875)
    """
    reduction = reduction_of("ctc_loss", None, None, reduction)
    alone = log_probs.ndim == 2
    if alone:
        log_probs, targets = log_probs.unsqueeze(1), targets.reshape((1, -1))
    if log_probs.ndim != 3:
        raise ShapeError(f"ctc_loss: expected (T, N, C) or (T, C) log-probabilities, got shape {list(log_probs.shape)}")
    inexact(log_probs.dtype, "ctc_loss")
    steps, batch, classes = log_probs.shape
    if not 0 <= blank < classes:
        raise RangeError(f"ctc_loss: blank {blank} is none of {classes} classes")
    taken, counts = (
        as_tensor(x, dtype=int64, device=log_probs.device).reshape((-1,)) for x in (input_lengths, target_lengths)
    )
    for name, passed, lengths in (
        ("input_lengths", input_lengths, taken), ("target_lengths", target_lengths, counts)
    ):  # fmt: skip
        kind = as_tensor(passed).dtype
        if kind.category != INTEGER:
            raise DTypeError(f"ctc_loss: {name} must be integers, got {kind}")
        if lengths.shape[0] != batch:
            raise ShapeError(f"ctc_loss: {name} must have {batch} elements, got {lengths.shape[0]}")
    if batch and int(everywhere(taken).amax().item()) > steps:
        raise RangeError(f"ctc_loss: input_lengths must be at most {steps}, the first side of log_probs")
    given = log_probs.dtype
    if given.itemsize == 2:
        # What stands for the impossible is beyond the largest float16.
        log_probs = log_probs.to(float32)
    labels = _padded_targets(targets.to(int64), counts, batch)
    loss = _negative_log_likelihood(log_probs, labels, taken, counts, blank)
    impossible = e.gt(loss, -_NEVER / 2)
    loss = e.where(impossible, 0.0 if zero_infinity else float("inf"), loss).to(given)
    if reduction == "mean":
        return (loss / e.maximum(counts, 1).to(loss.dtype)).mean()
    if reduction == "sum":
        return loss.sum()
    return loss.reshape(()) if alone else loss


def _negative_log_likelihood(log_probs: Any, labels: Any, taken: Any, counts: Any, blank: int) -> Any:
    steps, batch, _ = log_probs.shape
    width = 2 * labels.shape[1] + 1
    blanks = labels * 0 + blank
    # blank, label, blank, label, ..., blank
    path = cat([stack([blanks, labels], 2).reshape((batch, width - 1)), blanks.new_full((batch, 1), blank)], 1)
    skips = e.ne(path, blank)
    if width > 2:
        differs = e.ne(path.narrow(1, 2, width - 2), path.narrow(1, 0, width - 2))
        skips = skips & cat([differs.new_zeros((batch, 2)).bool(), differs], 1)
    places = ramp(0, 1, width, int64, log_probs.device)
    start = log_probs[0].gather(1, path)
    alpha = e.where(e.lt(places, 2), start, _NEVER)
    for step in range(1, steps):
        here = log_probs[step].gather(1, path)
        skipped = e.where(skips, _shifted(alpha, 2), _NEVER)
        moved = here + _log_sum(alpha, _shifted(alpha, 1), skipped)
        alpha = e.where(e.lt(step, taken).unsqueeze(1), e.maximum(moved, _NEVER), alpha)
    last = (counts * 2).unsqueeze(1)
    ends = alpha.gather(1, last)
    before = e.where(e.gt(last, 0), alpha.gather(1, e.maximum(last - 1, 0)), _NEVER)
    return -_log_sum(ends, before).reshape((batch,))


@composite(
    namespaces=("nn.functional",), operands=("input", "target"), ulp=16,
    samples=({"shapes": ((3, 4), (3, 4)), "dtypes": (None, "int64"), "domains": (None, (-1, 4))},),
)  # fmt: skip
def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Tensor:
    """What each score of a class listed in ``target`` (up to the first -1) lacks of each other's plus 1, averaged.

    Example:
        >>> F.multilabel_margin_loss(tc.tensor([[0.1, 0.2, 0.4, 0.8]]), tc.tensor([[3, 0, -1, 1]]))
        tensor(0.8500)
    """
    reduction = reduction_of("multilabel_margin_loss", size_average, reduce, reduction)
    if target.dtype is not int64:
        raise DTypeError(f"multilabel_margin_loss: target must be int64, got {target.dtype}")
    if input.ndim > 2 or input.shape != target.shape:
        raise ShapeError(
            f"multilabel_margin_loss: expected two tensors of one shape (N, C) or (C), got {list(input.shape)} and "
            f"{list(target.shape)}"
        )
    alone = input.ndim < 2
    scores, listed = (x.reshape((1, -1)) if alone else x for x in (input, target))
    counted = e.eq(e.lt(listed, 0).cumsum(1), 0)
    places = e.where(counted, listed, 0)
    member = scores.detach().new_zeros(scores.shape).scatter_add(1, places, counted.to(scores.dtype))
    own = scores.gather(1, places)
    short = 1 - own.unsqueeze(2) + scores.unsqueeze(1)
    held = counted.unsqueeze(2) & e.eq(member, 0).unsqueeze(1) & e.gt(short, 0)
    terms = e.where(held, short, 0).sum((1, 2)) / scores.shape[1]
    return reduced(terms.reshape(()) if alone else terms, reduction)

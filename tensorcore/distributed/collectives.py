"""Collective operations in a group of one process: each gives what PyTorch's gives there."""

from __future__ import annotations

import copy
from collections.abc import Callable
from enum import Enum
from typing import Any, NoReturn

from tensorcore.autograd.mode import no_grad
from tensorcore.distributed.group import GroupMember, ProcessGroup, group_of
from tensorcore.errors import ShapeError
from tensorcore.tensor import Tensor

__all__ = [
    "ReduceOp",
    "Work",
    "all_gather",
    "all_gather_into_tensor",
    "all_gather_object",
    "all_reduce",
    "all_to_all",
    "all_to_all_single",
    "barrier",
    "broadcast",
    "broadcast_object_list",
    "gather",
    "gather_object",
    "irecv",
    "isend",
    "monitored_barrier",
    "recv",
    "reduce",
    "reduce_op",
    "reduce_scatter",
    "reduce_scatter_tensor",
    "scatter",
    "scatter_object_list",
    "send",
]


class ReduceOp(Enum):
    """How values of processes are put together; that of one process is the result."""

    SUM = 0
    AVG = 1
    PRODUCT = 2
    MIN = 3
    MAX = 4
    BAND = 5
    BOR = 6
    BXOR = 7


#: PyTorch's older name.
reduce_op = ReduceOp


class Work:
    """An operation that was begun; with one process it is done."""

    def __init__(self, result: Any = None) -> None:
        self._result = [] if result is None else result if isinstance(result, list) else [result]

    def wait(self, timeout: Any = None) -> bool:
        """Wait until it is done: it is."""
        return True

    def is_completed(self) -> bool:
        """Whether it is done."""
        return True

    def is_success(self) -> bool:
        """Whether it was done without an error."""
        return True

    def exception(self) -> None:
        """What went wrong: nothing."""

    def result(self) -> list[Tensor]:
        """The tensors it gave."""
        return self._result

    def synchronize(self) -> None:
        """Wait until it is done: it is."""


def _in(group: Any) -> ProcessGroup | None:
    """The group, or ``None`` for one that this process is not in, where there is nothing to do."""
    return None if group is GroupMember.NON_GROUP_MEMBER else group_of(group)


def _rank(op: str, name: str, rank: int | None, group_rank: int | None) -> None:
    """Check the rank of a root, given in the default group or in this one."""
    if rank is not None and group_rank is not None:
        raise ValueError(f"{op}: can't specify both {name} and group_{name}")
    given = rank if group_rank is None else group_rank
    if given is None:
        raise ValueError(f"{op}: must specify {name} or group_{name}")
    if given != 0:
        raise RuntimeError(f"{op}: {name}={given} is not in the group, which has one process, of rank 0")


def _tensor(op: str, name: str, value: Any) -> Any:
    if not isinstance(value, Tensor):
        raise TypeError(f"{op}: expected parameter `{name}` to be a tensor, got {type(value).__name__}")
    return value


def _one(op: str, name: str, values: Any) -> Any:
    """The one element of a list that has one for each process."""
    if not isinstance(values, list):
        raise TypeError(f"{op}: expected parameter `{name}` to be a list of tensors, got {type(values).__name__}")
    if len(values) != 1:
        raise RuntimeError(f"{op}: `{name}` must have one element for each process, 1, got {len(values)}")
    return _tensor(op, f"{name}[0]", values[0])


def _reduction(op: str, given: Any) -> None:
    if not isinstance(given, ReduceOp):
        raise TypeError(f"{op}: expected parameter `op` to be a ReduceOp, got {type(given).__name__}")


def _move(op: str, source: Tensor, target: Tensor) -> None:
    """Put ``source`` into ``target``, which must have as many elements and the dtype."""
    if target.numel() != source.numel() or target.dtype is not source.dtype:
        raise ShapeError(
            f"{op}: output of shape {list(target.shape)} {target.dtype} does not fit input of shape "
            f"{list(source.shape)} {source.dtype}"
        )
    with no_grad():
        target.copy_(source.reshape(target.shape))


def _begun(async_op: bool, result: Any = None) -> Work | None:
    return Work(result) if async_op else None


def all_reduce(tensor: Tensor, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Work | None:
    """Put the tensors of all processes together in each: that of the one is unchanged.

    Example:
        >>> import tensorcore as tc
        >>> tc.distributed.init_process_group("gloo", rank=0, world_size=1)
        >>> x = tc.ones(2)
        >>> tc.distributed.all_reduce(x)
        >>> x
        tensor([1., 1.])
        >>> tc.distributed.destroy_process_group()
    """
    _tensor("all_reduce", "tensor", tensor)
    _reduction("all_reduce", op)
    return _begun(async_op, tensor) if _in(group) else None


def reduce(
    tensor: Tensor, dst: int | None = None, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False,
    group_dst: int | None = None,
) -> Work | None:  # fmt: skip
    """Put the tensors of all processes together in one: that of the one is unchanged."""
    _tensor("reduce", "tensor", tensor)
    _reduction("reduce", op)
    if not _in(group):
        return None
    _rank("reduce", "dst", dst, group_dst)
    return _begun(async_op, tensor)


def broadcast(
    tensor: Tensor, src: int | None = None, group: Any = None, async_op: bool = False, group_src: int | None = None
) -> Work | None:
    """Give all processes the tensor of one: that of the one is unchanged."""
    _tensor("broadcast", "tensor", tensor)
    if not _in(group):
        return None
    _rank("broadcast", "src", src, group_src)
    return _begun(async_op, tensor)


def all_gather(tensor_list: list[Tensor], tensor: Tensor, group: Any = None, async_op: bool = False) -> Work | None:
    """Give all processes the tensors of all, in a list.

    Example:
        >>> import tensorcore as tc
        >>> tc.distributed.init_process_group("gloo", rank=0, world_size=1)
        >>> found = [tc.zeros(2)]
        >>> tc.distributed.all_gather(found, tc.ones(2))
        >>> found
        [tensor([1., 1.])]
        >>> tc.distributed.destroy_process_group()
    """
    _tensor("all_gather", "tensor", tensor)
    if not _in(group):
        return None
    _move("all_gather", tensor, _one("all_gather", "tensor_list", tensor_list))
    return _begun(async_op, tensor_list)


def gather(
    tensor: Tensor, gather_list: list[Tensor] | None = None, dst: int | None = None, group: Any = None,
    async_op: bool = False, group_dst: int | None = None,
) -> Work | None:  # fmt: skip
    """Give one process the tensors of all, in a list."""
    _tensor("gather", "tensor", tensor)
    if not _in(group):
        return None
    _rank("gather", "dst", 0 if dst is None and group_dst is None else dst, group_dst)
    if not gather_list:
        raise ValueError("gather: argument `gather_list` must be specified on the destination rank")
    _move("gather", tensor, _one("gather", "gather_list", gather_list))
    return _begun(async_op, gather_list)


def scatter(
    tensor: Tensor, scatter_list: list[Tensor] | None = None, src: int | None = None, group: Any = None,
    async_op: bool = False, group_src: int | None = None,
) -> Work | None:  # fmt: skip
    """Give each process its element of a list that one has."""
    _tensor("scatter", "tensor", tensor)
    if not _in(group):
        return None
    _rank("scatter", "src", 0 if src is None and group_src is None else src, group_src)
    if not scatter_list:
        raise ValueError("scatter: argument `scatter_list` must be specified on the source rank")
    _move("scatter", _one("scatter", "scatter_list", scatter_list), tensor)
    return _begun(async_op, tensor)


def reduce_scatter(
    output: Tensor, input_list: list[Tensor], op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Work | None:
    """Put lists of all processes together, and give each process its element."""
    _tensor("reduce_scatter", "output", output)
    _reduction("reduce_scatter", op)
    if not _in(group):
        return None
    _move("reduce_scatter", _one("reduce_scatter", "input_list", input_list), output)
    return _begun(async_op, output)


def all_to_all(
    output_tensor_list: list[Tensor], input_tensor_list: list[Tensor], group: Any = None, async_op: bool = False
) -> Work | None:
    """Give each process the elements that all have for it."""
    if not _in(group):
        return None
    source = _one("all_to_all", "input_tensor_list", input_tensor_list)
    _move("all_to_all", source, _one("all_to_all", "output_tensor_list", output_tensor_list))
    return _begun(async_op, output_tensor_list)


def _into(name: str, reduces: bool) -> Callable[..., Work | None]:
    """A collective whose tensors of all processes are one: with one process a copy."""
    first, second = ("output", "input") if reduces else ("output_tensor", "input_tensor")

    def whole(output: Tensor, input: Tensor, group: Any, async_op: bool) -> Work | None:
        _tensor(name, first, output)
        _tensor(name, second, input)
        if not _in(group):
            return None
        _move(name, input, output)
        return _begun(async_op, output)

    return whole


_gathered = _into("all_gather_into_tensor", False)
_reduced = _into("reduce_scatter_tensor", True)
_exchanged = _into("all_to_all_single", True)


def all_gather_into_tensor(
    output_tensor: Tensor, input_tensor: Tensor, group: Any = None, async_op: bool = False
) -> Work | None:
    """Give all processes the tensors of all, in one."""
    return _gathered(output_tensor, input_tensor, group, async_op)


def reduce_scatter_tensor(
    output: Tensor, input: Tensor, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Work | None:
    """Put tensors of all processes together, and give each process its part."""
    _reduction("reduce_scatter_tensor", op)
    return _reduced(output, input, group, async_op)


def all_to_all_single(
    output: Tensor, input: Tensor, output_split_sizes: list[int] | None = None,
    input_split_sizes: list[int] | None = None, group: Any = None, async_op: bool = False,
) -> Work | None:  # fmt: skip
    """Give each process the parts that the tensors of all have for it."""
    for sizes, tensor in ((output_split_sizes, output), (input_split_sizes, input)):
        if sizes and (len(sizes) != 1 or sizes[0] != tensor.shape[0]):
            raise ValueError(f"all_to_all_single: split sizes {sizes} do not fit shape {list(tensor.shape)}")
    return _exchanged(output, input, group, async_op)


def barrier(group: Any = None, async_op: bool = False, device_ids: Any = None, timeout: Any = None) -> Work | None:
    """Wait until all processes are here: the one is."""
    return _begun(async_op) if _in(group) else None


def monitored_barrier(group: Any = None, timeout: Any = None, wait_all_ranks: bool = False) -> None:
    """Wait until all processes are here, and name those that are not: the one is."""
    _in(group)


# ------------------------------------------------------------------ objects


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """Give all processes the objects of all, in a list, as copies."""
    if _in(group):
        if len(object_list) != 1:
            raise ValueError(f"all_gather_object: expected a list of 1 element, got {len(object_list)}")
        object_list[0] = copy.deepcopy(obj)


def gather_object(
    obj: Any, object_gather_list: list[Any] | None = None, dst: int | None = None, group: Any = None,
    group_dst: int | None = None,
) -> None:  # fmt: skip
    """Give one process the objects of all, in a list, as copies."""
    if not _in(group):
        return
    _rank("gather_object", "dst", 0 if dst is None and group_dst is None else dst, group_dst)
    if not object_gather_list:
        raise ValueError("gather_object: argument `object_gather_list` must be specified on the destination rank")
    object_gather_list[0] = copy.deepcopy(obj)


def broadcast_object_list(
    object_list: list[Any], src: int | None = None, group: Any = None, device: Any = None,
    group_src: int | None = None,
) -> None:  # fmt: skip
    """Give all processes the objects of one: those of the one are unchanged."""
    if _in(group):
        _rank("broadcast_object_list", "src", 0 if src is None and group_src is None else src, group_src)


def scatter_object_list(
    scatter_object_output_list: list[Any], scatter_object_input_list: list[Any] | None = None,
    src: int | None = None, group: Any = None, group_src: int | None = None,
) -> None:  # fmt: skip
    """Give each process its element of a list of objects that one has, as a copy."""
    if not _in(group):
        return
    _rank("scatter_object_list", "src", 0 if src is None and group_src is None else src, group_src)
    if not isinstance(scatter_object_output_list, list) or not scatter_object_output_list:
        raise ValueError(
            "scatter_object_list: expected scatter_object_output_list to be a list of at least one element"
        )
    if not scatter_object_input_list:
        raise ValueError("scatter_object_list: scatter_object_input_list must be specified on the source rank")
    scatter_object_output_list[0] = copy.deepcopy(scatter_object_input_list[0])


# ------------------------------------------------------------------ from one to another


def _nobody(op: str, other: str, tensor: Any, group: Any) -> NoReturn:
    _tensor(op, "tensor", tensor)
    group_of(group)
    raise ValueError(f"{op}: invalid {other} rank: it should not be that of this process, and the group has no other")


def send(tensor: Tensor, dst: int | None = None, group: Any = None, tag: int = 0, group_dst: int | None = None) -> None:
    """Send a tensor to another process; with one there is none, which raises ValueError."""
    _nobody("send", "destination", tensor, group)


def recv(tensor: Tensor, src: int | None = None, group: Any = None, tag: int = 0, group_src: int | None = None) -> int:
    """Receive a tensor from another process; with one there is none, which raises ValueError."""
    _nobody("recv", "source", tensor, group)


def isend(
    tensor: Tensor, dst: int | None = None, group: Any = None, tag: int = 0, group_dst: int | None = None
) -> Work | None:
    """Begin to send a tensor to another process; with one there is none, which raises ValueError."""
    _nobody("isend", "destination", tensor, group)


def irecv(
    tensor: Tensor, src: int | None = None, group: Any = None, tag: int = 0, group_src: int | None = None
) -> Work | None:
    """Begin to receive a tensor from another process; with one there is none, which raises ValueError."""
    _nobody("irecv", "source", tensor, group)

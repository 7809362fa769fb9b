"""Process groups of one process: what programs written for several find when they run as one."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any, Final

__all__ = [
    "Backend",
    "GroupMember",
    "ProcessGroup",
    "default_pg_timeout",
    "destroy_process_group",
    "get_backend",
    "get_global_rank",
    "get_group_rank",
    "get_node_local_rank",
    "get_process_group_ranks",
    "get_rank",
    "get_world_size",
    "group",
    "init_process_group",
    "is_available",
    "is_backend_available",
    "is_gloo_available",
    "is_initialized",
    "is_mpi_available",
    "is_nccl_available",
    "is_torchelastic_launched",
    "is_ucc_available",
    "is_xccl_available",
    "new_group",
]

default_pg_timeout: Final = timedelta(minutes=30)

_BACKENDS: Final = ("undefined", "gloo", "nccl", "xccl", "ucc", "mpi", "fake")


class Backend(str):
    """The name of what carries messages; with one process there are none, and all names do.

    Raises:
        ValueError: unless it is a string.

    Example:
        >>> import tensorcore as tc
        >>> tc.distributed.Backend("GLOO")
        'gloo'
    """

    UNDEFINED = "undefined"
    GLOO = "gloo"
    NCCL = "nccl"
    XCCL = "xccl"
    UCC = "ucc"
    MPI = "mpi"

    __slots__ = ()

    def __new__(cls, name: str) -> Backend:
        if not isinstance(name, str):
            raise ValueError(f"Backend: expected a name, got {type(name).__name__}")
        return super().__new__(cls, name.lower())


class ProcessGroup:
    """A group of one process, of rank 0."""

    def __init__(self, backend: Backend, description: str = "") -> None:
        self.backend = backend
        self.group_desc = description or "undefined"
        self.group_name = "0"

    def rank(self) -> int:
        """The number of this process: 0."""
        return 0

    def size(self) -> int:
        """How many processes there are: 1."""
        return 1

    def name(self) -> str:
        """The name of what carries messages."""
        return str(self.backend)

    def __repr__(self) -> str:
        return f"<ProcessGroup of 1 process, {self.backend}>"


class _Groups:
    default: ProcessGroup | None = None


_groups: Final = _Groups()


class _World(type):
    @property
    def WORLD(cls) -> ProcessGroup | None:  # noqa: N802 - PyTorch's name
        """The group of all processes; ``None`` before `init_process_group`."""
        return _groups.default


class group(metaclass=_World):  # noqa: N801 - PyTorch's name
    """Holds the group of all processes as ``group.WORLD``."""


class GroupMember(metaclass=_World):
    """Holds the group of all processes as ``GroupMember.WORLD``, and what stands for a group one is not in."""

    NON_GROUP_MEMBER: Final = -100


def is_available() -> bool:
    """Whether the package works: always, for one process.

    Example:
        >>> import tensorcore as tc
        >>> tc.distributed.is_available()
        True
    """
    return True


def is_initialized() -> bool:
    """Whether there is a default process group.

    Example:
        >>> import tensorcore as tc
        >>> tc.distributed.is_initialized()
        False
    """
    return _groups.default is not None


def is_gloo_available() -> bool:
    """Whether ``"gloo"`` can be asked for: with one process nothing needs carrying."""
    return True


def is_backend_available(backend: str) -> bool:
    """Whether a backend can be asked for."""
    return backend.lower() in _BACKENDS


def is_nccl_available() -> bool:
    """Whether ``"nccl"`` can be asked for: where there are CUDA devices."""
    from tensorcore import cuda

    return cuda.is_available()


def is_mpi_available() -> bool:
    """Whether the program was built with MPI: never."""
    return False


def is_ucc_available() -> bool:
    """Whether the program was built with UCC: never."""
    return False


def is_xccl_available() -> bool:
    """Whether the program was built with XCCL: never."""
    return False


def is_torchelastic_launched() -> bool:
    """Whether ``torchrun`` started the process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def _asked(name: str, given: int) -> int:
    """A number given, or from the environment in which a launcher puts it."""
    if given >= 0:
        return given
    found = os.environ.get(name)
    if found is None:
        raise ValueError(
            f"Error initializing tensorcore.distributed using env:// rendezvous: environment variable {name} expected, "
            "but not set; a launcher sets it, and without one init_process_group(rank=0, world_size=1) does"
        )
    return int(found)


def init_process_group(
    backend: str | None = None, init_method: str | None = None, timeout: timedelta | None = None,
    world_size: int = -1, rank: int = -1, store: Any = None, group_name: str = "", pg_options: Any = None,
    device_id: Any = None,
) -> None:  # fmt: skip
    """Begin the default group. With one process no other is waited for, and no address is needed.

    Args:
        backend: one of PyTorch's names; what carries messages, of which there are none.
        init_method: accepted, like ``store``; nobody is to be met.
        world_size: 1; from the environment variable ``WORLD_SIZE`` by default.
        rank: 0; from the environment variable ``RANK`` by default.

    Raises:
        ValueError: if there is a group, for an unknown backend, or without a rank.
        RuntimeError: for more than one process.

    Example:
        >>> import tensorcore as tc
        >>> tc.distributed.init_process_group("gloo", rank=0, world_size=1)
        >>> tc.distributed.get_world_size()
        1
        >>> tc.distributed.destroy_process_group()
    """
    if _groups.default is not None:
        raise ValueError("trying to initialize the default process group twice!")
    if init_method is not None and store is not None:
        raise AssertionError("Cannot specify both init_method and store.")
    chosen = Backend("undefined" if backend is None else backend)
    # One for each type of device, as "cpu:gloo,cuda:nccl", or one for all.
    if any(part.rpartition(":")[2] not in _BACKENDS for part in chosen.split(",")):
        raise ValueError(f"init_process_group: unknown backend {backend!r}, expected one of {', '.join(_BACKENDS)}")
    if init_method is not None and init_method.startswith("tcp://") and (rank < 0 or world_size < 0):
        raise ValueError("init_process_group: init_method tcp:// needs rank and world_size")
    rank, world_size = _asked("RANK", rank), _asked("WORLD_SIZE", world_size)
    if world_size != 1:
        raise RuntimeError(
            f"init_process_group: world_size={world_size}, but tensorcore.distributed has groups of one process; start "
            "one process (world_size=1), and use nn.DataParallel for several devices"
        )
    if rank != 0:
        raise ValueError(f"init_process_group: rank {rank} is not below world_size {world_size}")
    _groups.default = ProcessGroup(chosen, "default_pg")


def destroy_process_group(group: ProcessGroup | None = None) -> None:
    """End a group, by default the one of `init_process_group`.

    Raises:
        AssertionError: if there is none.
    """
    if group is None and _groups.default is None:
        raise AssertionError("Process group cannot be None: init_process_group has not been called")
    if group is None or group is _groups.default:
        _groups.default = None


def group_of(given: Any) -> ProcessGroup:
    """The group given, or the default one.

    Raises:
        ValueError: if there is none.
    """
    if isinstance(given, ProcessGroup):
        return given
    if given is not None:
        raise TypeError(f"expected a process group, got {type(given).__name__}")
    if _groups.default is None:
        raise ValueError("Default process group has not been initialized, please make sure to call init_process_group.")
    return _groups.default


def new_group(
    ranks: list[int] | None = None, timeout: timedelta | None = None, backend: str | None = None,
    pg_options: Any = None, use_local_synchronization: bool = False, group_desc: str | None = None,
    device_id: Any = None, sort_ranks: bool = True,
) -> Any:  # fmt: skip
    """A group of some of the processes: of this one, or one that it is not in.

    Raises:
        ValueError: without a default group, or for ranks that there are not.
    """
    world = group_of(None)
    chosen = [0] if ranks is None else list(ranks)
    if any(rank != 0 for rank in chosen) or len(chosen) > 1:
        raise ValueError(f"new_group: the default group has one process, of rank 0, got ranks {chosen}")
    if not chosen:
        return GroupMember.NON_GROUP_MEMBER
    return ProcessGroup(world.backend if backend is None else Backend(backend), group_desc or "")


def _is_outside(group: Any) -> bool:
    """Whether it stands for a group that this process is not in."""
    return group is GroupMember.NON_GROUP_MEMBER


def get_rank(group: ProcessGroup | None = None) -> int:
    """The number of this process in a group: 0; -1 in one that it is not in.

    Raises:
        ValueError: without a group.
    """
    return -1 if _is_outside(group) else group_of(group).rank()


def get_world_size(group: ProcessGroup | None = None) -> int:
    """How many processes a group has: 1; -1 for one that this process is not in.

    Raises:
        ValueError: without a group.
    """
    return -1 if _is_outside(group) else group_of(group).size()


def get_backend(group: ProcessGroup | None = None) -> Backend:
    """The name of what carries messages in a group."""
    return group_of(group).backend


def get_process_group_ranks(group: ProcessGroup | None = None) -> list[int]:
    """The numbers of a group's processes in the default group."""
    return [group_of(group).rank()]


def get_global_rank(group: ProcessGroup, group_rank: int) -> int:
    """The number in the default group of a process of a group."""
    return only(group_of(group), group_rank, "group_rank")


def get_group_rank(group: ProcessGroup, global_rank: int) -> int:
    """The number in a group of a process of the default group."""
    return only(group_of(group), global_rank, "global_rank")


def only(group: ProcessGroup, rank: int, name: str) -> int:
    """A rank, which must be that of the one process."""
    if rank != group.rank():
        raise ValueError(f"{name}={rank} is not part of the group, which has one process, of rank 0")
    return rank


def get_node_local_rank(fallback_rank: int | None = None) -> int:
    """The number of this process on its computer, as a launcher says it.

    Raises:
        RuntimeError: where there is no launcher, unless given ``fallback_rank``.
    """
    found = os.environ.get("LOCAL_RANK", fallback_rank)
    if found is None:
        raise RuntimeError("LOCAL_RANK is not in the environment. Consider passing fallback_rank.")
    return int(found)

"""Seeds, as ``torch.cuda`` sets them.

One generator serves all devices, so that a seed gives the same numbers everywhere: these functions seed it where CUDA
is available, and do nothing, as in PyTorch, where it is not.
"""

from __future__ import annotations

from typing import Any

from tensorcore.cuda.devices import is_available
from tensorcore.random import default_generator

__all__ = ["get_rng_state", "initial_seed", "manual_seed", "manual_seed_all", "seed", "seed_all", "set_rng_state"]


def manual_seed(seed: int) -> None:
    """Seed the generator, if CUDA is available.

    Raises:
        TypeError: if ``seed`` is no int.

    Example:
        >>> import tensorcore as tc
        >>> tc.cuda.manual_seed(0)
    """
    if not hasattr(seed, "__index__"):
        raise TypeError(f"manual_seed: expected an int, got {type(seed).__name__}")
    if is_available():
        default_generator.manual_seed(seed)


def manual_seed_all(seed: int) -> None:
    """Seed the generator of all devices, if CUDA is available.

    Example:
        >>> import tensorcore as tc
        >>> tc.cuda.manual_seed_all(0)
    """
    manual_seed(seed)


def seed() -> None:
    """Seed the generator from the operating system's randomness, if CUDA is available.

    Example:
        >>> import tensorcore as tc
        >>> tc.cuda.seed()
    """
    if is_available():
        default_generator.seed()


def seed_all() -> None:
    """Seed the generator of all devices from the operating system's randomness, if CUDA is available.

    Example:
        >>> import tensorcore as tc
        >>> tc.cuda.seed_all()
    """
    seed()


def initial_seed() -> int:
    """The seed the generator started from.

    Example:
        >>> import tensorcore as tc
        >>> _ = tc.manual_seed(3)
        >>> tc.cuda.initial_seed()
        3
    """
    return default_generator.initial_seed()


def get_rng_state(device: Any = "cuda") -> Any:
    """The state of the generator, a uint8 tensor.

    Example:
        >>> import tensorcore as tc
        >>> tc.cuda.get_rng_state().dtype
        tensorcore.uint8
    """
    return default_generator.get_state()


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """Continue from a state that `get_rng_state` gave.

    Example:
        >>> import tensorcore as tc
        >>> tc.cuda.set_rng_state(tc.cuda.get_rng_state())
    """
    default_generator.set_state(new_state)

"""The contract between the core and the array engines."""

from tensorcore.backend.contract import CONTRACT_CHANGES, CONTRACT_VERSION, Array, Backend, Capabilities, Kernel
from tensorcore.backend.spec import BackendSpec

__all__ = ["CONTRACT_CHANGES", "CONTRACT_VERSION", "Array", "Backend", "BackendSpec", "Capabilities", "Kernel"]

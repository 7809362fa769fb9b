"""The CUDA libraries: products of matrices, attention, linear algebra."""

from __future__ import annotations

__all__ = ["cufft_plan_cache", "is_built", "matmul", "preferred_linalg_library"]


class _Products:
    """Switches of products of matrices; `set_float32_matmul_precision` is the same as ``allow_tf32``."""

    #: Whether sums of float16 and bfloat16 products may be rounded on the way. They are added up in float32.
    allow_fp16_reduced_precision_reduction = True
    allow_bf16_reduced_precision_reduction = True
    allow_fp16_accumulation = False

    @property
    def allow_tf32(self) -> bool:
        """Whether products of float32 may round to TF32."""
        from tensorcore.settings import get_float32_matmul_precision

        return get_float32_matmul_precision() != "highest"

    @allow_tf32.setter
    def allow_tf32(self, value: bool) -> None:
        from tensorcore.settings import set_float32_matmul_precision

        set_float32_matmul_precision("high" if value else "highest")


class _Plans:
    """The cache of Fourier transforms' plans, which the library behind the device keeps itself."""

    size = 0
    max_size = 4096

    def clear(self) -> None:
        """Forget the plans."""


matmul = _Products()
cufft_plan_cache = _Plans()
_linalg = "default"
_attention = {"flash": True, "mem_efficient": True, "math": True, "cudnn": True}


def is_built() -> bool:
    """Whether the device ``cuda`` is installed.

    Example:
        >>> import tensorcore as tc
        >>> tc.backends.cuda.is_built() >= tc.cuda.is_available()
        True
    """
    from tensorcore.plugins.host import host

    return any(state.name == "cuda" for state in host.states(load=False))


def preferred_linalg_library(backend: str | None = None) -> str:
    """The library asked for in linear algebra, set if ``backend`` is given; the device has one, cuSOLVER."""
    global _linalg
    if backend is not None:
        if backend not in ("default", "cusolver", "magma"):
            raise RuntimeError(f"preferred_linalg_library: expected default, cusolver or magma, got {backend!r}")
        _linalg = backend
    return _linalg


def enable_flash_sdp(enabled: bool) -> None:
    """Permit attention that never holds all weights; which kernel runs is the backend's choice."""
    _attention["flash"] = bool(enabled)


def enable_mem_efficient_sdp(enabled: bool) -> None:
    """Permit attention in little memory; which kernel runs is the backend's choice."""
    _attention["mem_efficient"] = bool(enabled)


def enable_math_sdp(enabled: bool) -> None:
    """Permit attention as two products; which kernel runs is the backend's choice."""
    _attention["math"] = bool(enabled)


def enable_cudnn_sdp(enabled: bool) -> None:
    """Permit cuDNN's attention; which kernel runs is the backend's choice."""
    _attention["cudnn"] = bool(enabled)


def flash_sdp_enabled() -> bool:
    """Whether `enable_flash_sdp` is on."""
    return _attention["flash"]


def mem_efficient_sdp_enabled() -> bool:
    """Whether `enable_mem_efficient_sdp` is on."""
    return _attention["mem_efficient"]


def math_sdp_enabled() -> bool:
    """Whether `enable_math_sdp` is on."""
    return _attention["math"]


def cudnn_sdp_enabled() -> bool:
    """Whether `enable_cudnn_sdp` is on."""
    return _attention["cudnn"]


def is_flash_attention_available() -> bool:
    """Whether there is a kernel under PyTorch's name: never, attention is an op of the backend."""
    return False

"""The text of a tensor, character for character as PyTorch writes it, and the options that shape it.

Only elements that are shown leave the device: long dimensions are cut to their edges before anything is fetched, and
everything after that works on Python numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from tensorcore.autograd.mode import no_grad
from tensorcore.devices import get_default_device
from tensorcore.dtypes import bool_, get_default_dtype, int64

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

__all__ = ["format_tensor", "get_printoptions", "printoptions", "set_printoptions"]


@dataclass(slots=True)
class _Options:
    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_options: Final = _Options()

_PROFILES: Final[dict[str, dict[str, Any]]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed; what is left out keeps its value, except ``sci_mode``, which returns to automatic.

    Args:
        precision: digits after the point.
        threshold: number of elements above which only the edges are shown.
        edgeitems: elements shown at either end of a long dimension.
        linewidth: characters a line, for breaking rows.
        profile: ``"default"``, ``"short"`` or ``"full"``, applied before the other options.
        sci_mode: whether to write floats as ``1.0000e+00``; ``None`` decides by their range.

    Raises:
        ValueError: for an unknown profile or an option out of range; nothing is changed then.

    Example:
        >>> import tensorcore as tc
        >>> tc.set_printoptions(precision=2)
        >>> tc.tensor([1.12345])
        tensor([1.12])
        >>> tc.set_printoptions(profile="default")
    """
    chosen: dict[str, Any] = {}
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(f"set_printoptions: profile must be one of {', '.join(_PROFILES)}, got {profile!r}")
        chosen.update(_PROFILES[profile])
    for name, value in (("precision", precision), ("edgeitems", edgeitems), ("linewidth", linewidth)):
        if value is not None:
            if not isinstance(value, int) or value < 0:
                raise ValueError(f"set_printoptions: {name} must be an int, 0 or more, got {value!r}")
            chosen[name] = value
    if threshold is not None:
        if not isinstance(threshold, (int, float)) or not threshold >= 0:
            raise ValueError(f"set_printoptions: threshold must be a number, 0 or more, got {threshold!r}")
        chosen["threshold"] = threshold
    if sci_mode not in (None, True, False):
        raise ValueError(f"set_printoptions: sci_mode must be True, False or None, got {sci_mode!r}")
    chosen["sci_mode"] = sci_mode
    for name, value in chosen.items():
        setattr(_options, name, value)


def get_printoptions() -> dict[str, Any]:
    """The options in force, as keyword arguments of `set_printoptions`.

    Example:
        >>> import tensorcore as tc
        >>> tc.get_printoptions()["linewidth"]
        80
    """
    return asdict(_options)


@contextmanager
def printoptions(**kwargs: Any) -> Iterator[None]:
    """Set options as `set_printoptions` does for a block, and restore those of before.

    Example:
        >>> import tensorcore as tc
        >>> with tc.printoptions(sci_mode=True):
        ...     print(tc.tensor([1.5]))
        tensor([1.5000e+00])
    """
    before = get_printoptions()
    set_printoptions(**kwargs)
    try:
        yield
    finally:
        set_printoptions(**before)


def format_tensor(tensor: Tensor) -> str:
    """What ``repr(tensor)`` gives: the elements, and what differs from the defaults.

    The device is named where it is not the default one, the dtype where the elements do not tell it.

    Example:
        >>> import tensorcore as tc
        >>> tc.zeros(0, 3, dtype=tc.int8)
        tensor([], size=(0, 3), dtype=tensorcore.int8)
        >>> tc.arange(2000.0)
        tensor([0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 1.9970e+03, 1.9980e+03,
                1.9990e+03])
    """
    if tensor._kind.sparse:
        from tensorcore.sparse.printing import format_sparse

        return format_sparse(tensor)
    if tensor._kind.level is not None:
        from tensorcore.func.printing import format_wrapped

        return format_wrapped(tensor)
    # The library's own subclasses, such as Parameter, read as plain tensors; a user's class is named.
    own = type(tensor).__module__.partition(".")[0] == "tensorcore"
    prefix = "tensor(" if own else f"{type(tensor).__name__}("
    with no_grad():
        text = contents(tensor, len(prefix))
    return with_suffixes(prefix + text, _suffixes(tensor), len(prefix))


# ------------------------------------------------------------------ elements


def contents(tensor: Tensor, indent: int) -> str:
    """The elements in brackets, lines after the first set in by ``indent``."""
    shape = tuple(tensor.shape)
    count = math.prod(shape)
    if not count:
        return "[]"
    summarized = count > _options.threshold
    edge = _options.edgeitems
    if summarized and shape and not edge:
        return "[...]"
    cut = tuple(summarized and side > 2 * edge for side in shape)
    nested = _fetch(tensor, cut)
    flat = _flatten(nested, len(shape))
    if tensor.dtype.is_complex:
        # Each part has a width and a notation of its own.
        format_real, real_width = _number_format([z.real for z in flat], floating=True)
        format_imag, imag_width = _number_format([z.imag for z in flat], floating=True)

        def write(value: Any) -> str:
            imag = format_imag(value.imag).lstrip()
            return f"{format_real(value.real)}{'' if imag[0] == '-' else '+'}{imag}j"

        width = real_width + imag_width + 1
    else:
        write, width = _number_format(flat, floating=tensor.dtype.is_floating_point)
    if not shape:
        return str(write(nested))
    return _brackets(nested, cut, indent, write, width)


def _fetch(tensor: Tensor, cut: tuple[bool, ...], index: tuple[slice, ...] = ()) -> Any:
    """Nested lists of the elements that are shown: of a dimension that is cut, the first and last few."""
    # The corners are sliced one by one, each in all dimensions at once, since engines without views copy slices.
    dim = len(index)
    if True not in cut[dim:]:
        return (tensor[index] if index else tensor).tolist()
    if not cut[dim]:
        return _fetch(tensor, cut, (*index, slice(None)))
    edge = _options.edgeitems
    first = _fetch(tensor, cut, (*index, slice(None, edge)))
    last = _fetch(tensor, cut, (*index, slice(tensor.shape[dim] - edge, None)))
    return _concatenate(first, last, dim)


def _concatenate(first: list[Any], last: list[Any], dim: int) -> list[Any]:
    if dim == 0:
        return first + last
    return [_concatenate(a, b, dim - 1) for a, b in zip(first, last, strict=True)]


def _flatten(nested: Any, ndim: int) -> list[Any]:
    if ndim == 0:
        return [nested]
    for _ in range(ndim - 1):
        nested = [element for part in nested for element in part]
    return nested


def _brackets(nested: list[Any], cut: tuple[bool, ...], indent: int, write: Any, width: int) -> str:
    ndim = len(cut)
    if ndim == 1:
        items = [write(value) for value in nested]
        if cut[0]:
            # PyTorch writes a space more before the dots inside a row than between rows.
            items.insert(_options.edgeitems, " ...")
        per_line = max(1, (_options.linewidth - indent) // (width + 2))
        lines = [", ".join(items[start : start + per_line]) for start in range(0, len(items), per_line)]
        separator = ",\n"
    else:
        lines = [_brackets(part, cut[1:], indent + 1, write, width) for part in nested]
        if cut[0]:
            lines.insert(_options.edgeitems, "...")
        separator = "," + "\n" * (ndim - 1)
    return "[" + (separator + " " * (indent + 1)).join(lines) + "]"


def _number_format(values: Iterable[Any], *, floating: bool) -> tuple[Any, int]:
    """The function that writes each of ``values``, aligned to the right, and the width it aligns to."""
    if not floating:
        width = max(len(str(value)) for value in values)
        return lambda value: str(value).rjust(width), width
    # Zeros, infinities and NaNs take part neither in the choice of notation nor in the width.
    telling = [value for value in values if value and math.isfinite(value)]
    if not telling:
        return _write_whole, 1
    digits = _options.precision
    if _is_scientific(telling):

        def write(value: float) -> str:
            return f"{value:.{digits}e}"

    elif all(value.is_integer() for value in telling):
        write = _write_whole
    else:

        def write(value: float) -> str:
            return f"{value:.{digits}f}"

    width = max(len(write(value)) for value in telling)
    return lambda value: write(value).rjust(width), width


def _write_whole(value: float) -> str:
    return f"{value:.0f}." if math.isfinite(value) else f"{value}"


def _is_scientific(values: list[float]) -> bool:
    if _options.sci_mode is not None:
        return _options.sci_mode
    smallest, largest = min(map(abs, values)), max(map(abs, values))
    return largest / smallest > 1000.0 or largest > 1.0e8 or smallest < 1.0e-4


# ------------------------------------------------------------------ what follows the elements


def device_suffix(tensor: Tensor) -> list[str]:
    """The device, where it is not the default one."""
    device, default = tensor.device, get_default_device()
    if (device.type, device.ordinal) == (default.type, default.ordinal):
        return []
    # PyTorch always writes the index of a GPU.
    return [f"device='{device.type}:{device.ordinal}'" if tensor.is_cuda else f"device='{device}'"]


def graph_suffix(tensor: Tensor) -> list[str]:
    """The step that made it, or that it is a leaf that requires grad."""
    grad_fn = tensor.grad_fn
    if grad_fn is not None:
        return [f"grad_fn=<{grad_fn.name()}>"]
    return ["requires_grad=True"] if tensor.requires_grad else []


def _suffixes(tensor: Tensor) -> list[str]:
    suffixes = device_suffix(tensor)
    shape, dtype, default_dtype = tuple(tensor.shape), tensor.dtype, get_default_dtype()
    if 0 in shape:
        # Without elements nothing tells the dtype, and only a shape of (0,) goes without saying.
        if len(shape) != 1:
            suffixes.append(f"size={shape}")
        if dtype is not default_dtype:
            suffixes.append(f"dtype={dtype}")
    else:
        if not _options.edgeitems:
            suffixes.append(f"size={shape}")
        if dtype not in (default_dtype, default_dtype.to_complex(), int64, bool_):
            suffixes.append(f"dtype={dtype}")
    return suffixes + graph_suffix(tensor)


def with_suffixes(text: str, suffixes: list[str], indent: int, on_new_line: bool = False) -> str:
    """``text`` and what follows it, broken at the width of a line; ``on_new_line`` breaks before the first."""
    # Columns are counted from 2 past the last line break, as PyTorch counts them.
    used = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if on_new_line or used + len(suffix) + 2 > _options.linewidth:
            on_new_line = False
            text += ",\n" + " " * indent + suffix
            used = indent + len(suffix)
        else:
            text += ", " + suffix
            used += len(suffix) + 2
    return text + ")"

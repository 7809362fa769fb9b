"""Copies of views: for each view op ``NAME``, the function ``NAME_copy``, which shares no memory."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from tensorcore.ops import complex as complex_numbers
from tensorcore.ops import diagonal, movement, parts, strided, views
from tensorcore.ops.conversion import alias, copy, detach
from tensorcore.ops.node_names import copied as copied_name
from tensorcore.ops.record import Op, composite

__all__: list[str] = []

#: Views that come as tuples.
_SEVERAL: Final = ("split", "split_with_sizes", "unbind")


def _copies(name: str, view: Callable[..., Any], *args: Any, namespaces: tuple[str, ...] = ("",)) -> None:
    """Record ``NAME_copy``, called as the view is; ``args`` are what its sample gives besides a matrix."""

    def call(*given: Any, **options: Any) -> Any:
        result = view(*given, **options)
        return tuple([_copied(part) for part in result]) if isinstance(result, tuple) else _copied(result)

    functools.update_wrapper(call, view.front if isinstance(view, Op) else view)
    call.__name__ = call.__qualname__ = f"{name}_copy"
    call.__module__ = __name__
    shapes = ((3, 2),) if name == "view_as_complex" else ((3, 4),)
    given = ", ".join(["x", *map(repr, args)])
    several = "[0]" if name in _SEVERAL else ""
    call.__doc__ = (
        f"A copy of what `{name}` gives as a view: what is written into it does not reach ``input``.\n\n"
        f"    Example:\n        >>> x = tc.zeros{shapes[0]}{'.cfloat()' if name == 'view_as_real' else ''}\n"
        f"        >>> y = tc.{name}_copy({given}){several}.fill_(1)\n        >>> y.all(), x.any()\n"
        "        (tensor(True), tensor(False))\n    "
    )
    composite(namespaces=namespaces, samples=({"shapes": shapes, "args": args},), ulp=0)(call)


def _copied(view: Any) -> Any:
    out = copy.emit(view)
    copied_name(out, view)
    return out


for _name, _view, *_args in (
    ("alias", alias),
    ("as_strided", strided.as_strided, (2, 2), (1, 4), 1),
    ("detach", detach),
    ("diagonal", diagonal.diagonal, 1),
    ("expand", movement.expand, (2, 3, 4)),
    ("permute", movement.permute, (1, 0)),
    ("select", parts.select, 1, 2),
    ("slice", parts.sliced, 1, 1, 3),
    ("split", parts.split, 2),
    ("split_with_sizes", parts.split_with_sizes, (1, 2)),
    ("squeeze", views.squeeze),
    ("t", views.t),
    ("transpose", views.transpose, 0, 1),
    ("unbind", parts.unbind),
    ("unfold", strided.unfold_dimension, 1, 2, 1),
    ("unsqueeze", views.unsqueeze, 0),
    ("view", views.view, (4, 3)),
    ("view_as_complex", complex_numbers.view_as_complex),
    ("view_as_real", complex_numbers.view_as_real),
):
    _copies(_name, _view, *_args)
_copies("narrow", parts.narrow, 1, 1, 2, namespaces=("", "Tensor"))

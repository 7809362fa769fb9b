"""What PyTorch's programs take from ``torch.nn.modules.utils``."""

from __future__ import annotations

from typing import Any

from tensorcore.nn.modules.sizes import filled_up as _list_with_default
from tensorcore.nn.modules.sizes import of_dimensions as _ntuple
from tensorcore.nn.modules.sizes import pair as _pair
from tensorcore.nn.modules.sizes import quadruple as _quadruple
from tensorcore.nn.modules.sizes import repeated_backwards as _reverse_repeat_tuple
from tensorcore.nn.modules.sizes import single as _single
from tensorcore.nn.modules.sizes import triple as _triple

__all__ = [
    "_list_with_default",
    "_ntuple",
    "_pair",
    "_quadruple",
    "_reverse_repeat_tuple",
    "_single",
    "_triple",
    "consume_prefix_in_state_dict_if_present",
]


def consume_prefix_in_state_dict_if_present(state_dict: dict[str, Any], prefix: str) -> None:
    """Take a prefix, such as ``"module."`` of `DataParallel`, from the keys of a state dict, in place.

    Example:
        >>> import tensorcore as tc
        >>> state = tc.nn.DataParallel(tc.nn.Linear(2, 1)).state_dict()
        >>> consume_prefix_in_state_dict_if_present(state, "module.")
        >>> list(state)
        ['weight', 'bias']
    """
    metadata: Any = getattr(state_dict, "_metadata", {})
    for keys, bare in ((state_dict, None), (metadata, prefix.replace(".", ""))):
        for key in list(keys):
            if key and (key.startswith(prefix) or key == bare):
                keys[key[len(prefix) :]] = keys.pop(key)

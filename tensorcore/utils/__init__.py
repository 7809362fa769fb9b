"""What surrounds training, as in ``torch.utils``."""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from tensorcore.utils import data

if _TYPE_CHECKING:
    from tensorcore.utils import _pytree as _pytree
    from tensorcore.utils import benchmark as benchmark
    from tensorcore.utils import checkpoint as checkpoint
    from tensorcore.utils import collect_env as collect_env
    from tensorcore.utils import dlpack as dlpack
    from tensorcore.utils import hooks as hooks
    from tensorcore.utils import model_zoo as model_zoo
    from tensorcore.utils import tensorboard as tensorboard

__all__ = ["benchmark", "checkpoint", "collect_env", "data", "dlpack", "hooks", "model_zoo", "tensorboard"]

_LAZY = frozenset((*__all__, "_pytree")) - {"data"}


def __getattr__(name: str) -> object:
    if name in _LAZY:
        import importlib

        return importlib.import_module(f"tensorcore.utils.{name}")
    raise AttributeError(f"module 'tensorcore.utils' has no attribute {name!r}")

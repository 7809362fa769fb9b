"""Reading a file with all that its pickle asks for, which runs the code it names: ``load(..., weights_only=False)``.

Names of PyTorch's classes and functions stand for this library's, so that modules pickled whole by PyTorch are read.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable
from typing import Any, Final

from tensorcore.errors import CheckpointError
from tensorcore.serialization.pickle_reader import Global

__all__ = ["counterpart", "unpickle"]

#: Where names of PyTorch's modules are found here, besides under the same path: prefix, and public modules.
_PLACES: Final = (
    ("torch.nn.modules.", ("tensorcore.nn",)),
    ("torch.nn.parameter", ("tensorcore.nn",)),
    ("torch.nn.utils.", ("tensorcore.nn.utils", "tensorcore.nn.utils.rnn")),
    ("torch.optim.", ("tensorcore.optim", "tensorcore.optim.lr_scheduler")),
    ("torch.utils.data.", ("tensorcore.utils.data",)),
    ("torch.distributions.", ("tensorcore.distributions",)),
    ("torch._C._nn", ("tensorcore.nn.functional",)),
    ("torch.functional", ("tensorcore",)),
    ("torch._", ("tensorcore",)),
)


def unpickle(
    data: bytes,
    table: dict[str, Global],
    load_persistent: Callable[[Any], Any],
    pickle_module: Any = None,
    **arguments: Any,
) -> Any:
    """The object that the pickle ``data`` makes, whatever it imports and calls.

    Args:
        data: the pickle.
        table: what PyTorch's own names stand for.
        load_persistent: gives what a persistent id stands for.
        pickle_module: a module like ``pickle``, whose ``Unpickler`` is used.
        arguments: for the ``Unpickler``.

    Raises:
        CheckpointError: for a damaged pickle, and names that cannot be imported.
    """
    import pickle

    base: Any = getattr(pickle_module or pickle, "Unpickler")  # noqa: B009 - any module

    class Unpickler(base):  # type: ignore[misc] # of any module like pickle
        def find_class(self, module: str, name: str) -> Any:
            known = table.get(f"{module}.{name}")
            if known is not None:
                return known.call if known.value is None else known.value
            if module.partition(".")[0] == "torch":
                return counterpart(module, name)
            try:
                return super().find_class(module, name)
            except (ImportError, AttributeError) as error:
                raise CheckpointError(
                    f"the pickle needs {module}.{name}, which cannot be imported: {error}; a file that holds objects "
                    "instead of a state_dict is read where the code of their classes is"
                ) from error

        def persistent_load(self, saved_id: Any) -> Any:
            if type(saved_id) is tuple and saved_id[:1] == ("module",):
                # Old files keep a class with its source, to warn of changes: ("module", class, file, source).
                return saved_id[1]
            return load_persistent(saved_id)

    try:
        return Unpickler(io.BytesIO(data), **arguments).load()
    except (pickle.UnpicklingError, EOFError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"the pickle is damaged: {error or 'it ends early'}") from error


def counterpart(module: str, name: str) -> Any:
    """What stands here for PyTorch's ``module.name``; raises CheckpointError where nothing does."""
    import tensorcore

    if (module, name) == ("torch._C", "_VariableFunctionsClass"):
        # Functions such as torch.relu are pickled as attributes of this class.
        return tensorcore
    elsewhere = next((places for prefix, places in _PLACES if module.startswith(prefix)), ())
    for place in (module.replace("torch", "tensorcore", 1), *elsewhere):
        try:
            found: Any = importlib.import_module(place)
            for part in name.split("."):
                found = getattr(found, part)
            return found
        except (ImportError, AttributeError):
            continue
    raise CheckpointError(
        f"the pickle needs PyTorch's {module}.{name}, which has no counterpart here; load the file in PyTorch and save "
        "its state_dict"
    )

"""The table of deliberately wrong backends: the cpu backend with one fault each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorcore_cpu.backend import CpuBackend

Kernel = Callable[..., Any]
Spoil = Callable[[Any], Any]

#: How the devices of mutants are called.
PREFIX = "mutant_"


@dataclass(frozen=True)
class Mutant:
    """A backend with one fault.

    Attributes:
        name: name of the mutant.
        kernel: name of the kernel (or of the method of `Backend`) that is spoilt.
        check: the check that must fail, as in the first part of a case's name.
        wrong: what is wrong, as in "``exp`` ...".
        spoil: makes the wrong kernel of the right one.
        subject: the op or area that the suite must name.
        method: whether it is a method of the contract that is spoilt.
        record: where the fault is a gradient rule, what records the op that has it.
    """

    name: str
    kernel: str
    check: str
    wrong: str
    spoil: Spoil
    subject: str
    method: bool = False
    record: Callable[[], None] | None = None


#: The mutants by name, in the order of the files that plant them.
MUTANTS: dict[str, Mutant] = {}


def mutant(
    name: str, kernel: str, check: str, wrong: str, spoil: Spoil, *, subject: str = "", method: bool = False
) -> None:
    """Plant a mutant; ``subject`` is what must be named where that is not the kernel's op."""
    assert name not in MUTANTS, f"two mutants are called {name}"
    MUTANTS[name] = Mutant(name, kernel, check, wrong, spoil, subject or kernel, method)


class MutantBackend(CpuBackend):
    """The cpu backend under another name, with the fault of that name; without one where there is none."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.mutant = MUTANTS.get(name.removeprefix(PREFIX))
        #: How often the wrong code ran: what fails without it is not this mutant's doing.
        self.runs = 0
        if self.mutant is not None and self.mutant.method:
            setattr(self, self.mutant.kernel, self._counted(self.mutant.spoil(getattr(self, self.mutant.kernel))))

    def kernel(self, name: str, dtype: Any, index: int) -> Kernel | None:
        found = super().kernel(name, dtype, index)
        if not self._spoils(name) or found is None:
            return found
        assert self.mutant is not None
        spoilt = self.mutant.spoil(found)
        return None if spoilt is None else self._counted(spoilt)

    def inplace_kernel(self, name: str, dtype: Any, index: int) -> Kernel | None:
        return None if self._spoils(name) else super().inplace_kernel(name, dtype, index)

    def _spoils(self, name: str) -> bool:
        return self.mutant is not None and not self.mutant.method and self.mutant.kernel == name

    def _counted(self, function: Kernel) -> Kernel:
        def counted(*arrays: Any, **attributes: Any) -> Any:
            self.runs += 1
            return function(*arrays, **attributes)

        return counted


# ------------------------------------------------------------------ ways to spoil


def on(kinds: str, spoil: Spoil) -> Spoil:
    """``spoil`` for operands of NumPy's kinds (letters, or the name of a dtype); others keep the right kernel."""

    def planted(kernel: Kernel) -> Kernel:
        wrong = spoil(kernel)

        def chosen(x: Any, *others: Any, **attributes: Any) -> Any:
            met = x.dtype.name == kinds or x.dtype.kind in kinds
            return (wrong if met else kernel)(x, *others, **attributes)

        return chosen

    return planted


def forced(**changes: Any) -> Spoil:
    """The kernel with other attributes: values, or functions of what was asked for."""

    def planted(kernel: Kernel) -> Kernel:
        def wrong(*arrays: Any, **asked: Any) -> Any:
            made = {key: value(asked[key]) if callable(value) else value for key, value in changes.items()}
            return kernel(*arrays, **{**asked, **made})

        return wrong

    return planted


def replaced(formula: Kernel) -> Spoil:
    """Another formula in the kernel's place, its result in the dtype of the first operand."""
    return lambda kernel: lambda x, *others, **asked: np.asarray(formula(x, *others, **asked)).astype(x.dtype)


def after(change: Callable[[Any], Any], output: int | None = None) -> Spoil:
    """The kernel's result, changed; of several outputs the one of that number."""

    def planted(kernel: Kernel) -> Kernel:
        def wrong(*arrays: Any, **asked: Any) -> Any:
            found = kernel(*arrays, **asked)
            if output is None:
                return change(found)
            return tuple(change(y) if place == output else y for place, y in enumerate(found))

        return wrong

    return planted


def before(change: Callable[[Any], Any], operand: int = 0) -> Spoil:
    """The kernel of a changed operand."""

    def planted(kernel: Kernel) -> Kernel:
        def wrong(*arrays: Any, **asked: Any) -> Any:
            return kernel(*(change(x) if place == operand else x for place, x in enumerate(arrays)), **asked)

        return wrong

    return planted


def through(name: str) -> Spoil:
    """The kernel of floating-point operands rounded to another dtype first."""

    def narrow(x: Any) -> Any:
        return x.astype(name).astype(x.dtype) if x is not None and x.dtype.kind == "f" else x

    return lambda kernel: lambda *arrays, **asked: kernel(*map(narrow, arrays), **asked)

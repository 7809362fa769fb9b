"""Deliberately wrong backends, one fault each, that the suite must catch by name."""

from __future__ import annotations

from importlib import import_module

from tests.conformance.mutants.table import MUTANTS, PREFIX, Mutant, MutantBackend

__all__ = ["FAMILIES", "MUTANTS", "PREFIX", "Mutant", "MutantBackend"]

_FILES = {
    "elementwise": "Elementwise kernels",
    "reductions": "Reductions, scans and ordering",
    "layers": "Products, layers, losses and updates",
    "factorizations": "Linear algebra",
    "indexing": "Indexing, joining and moving",
    "memory": "Memory and state",
    "contract": "The contract's methods, draws and compiled programs",
    "variations": "Sizes, dimensions, magnitudes and arguments beside the usual ones",
    "calls": "What calls, programs and updates leave behind",
    "rules": "Gradient rules of records",
}
#: The mutants by what they are about.
FAMILIES: dict[str, list[Mutant]] = {}

for _file, _title in _FILES.items():
    _known = len(MUTANTS)
    import_module(f"{__name__}.{_file}")
    FAMILIES[_title] = list(MUTANTS.values())[_known:]

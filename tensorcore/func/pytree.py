"""Trees of containers, as transforms take and return them: tuples, lists, dicts, named tuples; all else is a leaf."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from tensorcore.errors import TransformError

__all__ = ["Spec", "flatten", "prefixed", "tree_map", "unflatten"]


class Spec:
    """The containers of a tree, without its leaves."""

    __slots__ = ("children", "container", "keys")

    def __init__(self, container: Any, keys: tuple[Any, ...] | None, children: tuple[Spec, ...]) -> None:
        self.container = container
        self.keys = keys
        self.children = children

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Spec)
            and self.container is other.container
            and self.keys == other.keys
            and self.children == other.children
        )

    def __hash__(self) -> int:
        return hash((self.container, self.keys, self.children))

    def __repr__(self) -> str:
        if self.container is None:
            return "*"
        inner = ", ".join(
            map(repr, self.children)
            if self.keys is None
            else (f"{key!r}: {child!r}" for key, child in zip(self.keys, self.children, strict=True))
        )
        return f"{self.container.__name__}({inner})"


LEAF = Spec(None, None, ())


def _parts(tree: Any) -> tuple[Any, tuple[Any, ...] | None, tuple[Any, ...]] | None:
    """(class, keys, children) of a container; ``None`` for a leaf."""
    if isinstance(tree, dict):
        return type(tree), tuple(tree), tuple(tree.values())
    if isinstance(tree, (tuple, list)) and not hasattr(tree, "_array"):
        return type(tree), None, tuple(tree)
    return None


# Functions that recur are no closures: one that names itself is a reference cycle, which holds the tensors of each call
# until the garbage collector comes.


def flatten(tree: Any) -> tuple[list[Any], Spec]:
    """The leaves of a tree from left to right, and its containers."""
    leaves: list[Any] = []
    return leaves, _flattened(tree, leaves)


def _flattened(node: Any, leaves: list[Any]) -> Spec:
    parts = _parts(node)
    if parts is None:
        leaves.append(node)
        return LEAF
    container, keys, children = parts
    return Spec(container, keys, tuple([_flattened(child, leaves) for child in children]))


def unflatten(leaves: Any, spec: Spec) -> Any:
    """The tree of these containers over ``leaves``."""
    return _built(iter(leaves), spec)


def _built(source: Iterator[Any], node: Spec) -> Any:
    if node.container is None:
        return next(source)
    children = [_built(source, child) for child in node.children]
    if node.keys is not None:
        return _mapping(node.container, dict(zip(node.keys, children, strict=True)))
    return _of_class(node.container, children)


def _mapping(container: Any, made: dict[Any, Any]) -> Any:
    if container is dict:
        return made
    if issubclass(container, defaultdict):
        return container(None, made)
    return container(made)


def _of_class(container: Any, children: Any) -> Any:
    return container(*children) if hasattr(container, "_fields") else container(children)


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """``function`` of each leaf, in the tree's containers."""
    leaves, spec = flatten(tree)
    return unflatten([function(leaf) for leaf in leaves], spec)


def prefixed(op: str, name: str, prefix: Any, spec: Spec, accepts: Callable[[Any], bool]) -> list[Any]:
    """One value of ``prefix`` for each leaf of ``spec``; a value above a subtree holds for all of it.

    Raises:
        TransformError: where the containers differ, or a value is not what ``accepts`` takes.
    """
    found: list[Any] = []
    _spread(op, name, prefix, spec, accepts, found)
    return found


def _spread(
    op: str, path: str, value: Any, node: Spec, accepts: Callable[[Any], bool], found: list[Any]
) -> None:  # fmt: skip
    parts = None if accepts(value) else _parts(value)
    if parts is None:
        if not accepts(value):
            raise TransformError(f"{op}: {path} is {value!r}; expected an int or None, or containers of them")
        found.extend([value] * _count(node))
        return
    _, keys, children = parts
    if node.container is None or len(children) != len(node.children) or keys != node.keys:
        raise TransformError(f"{op}: {path}={value!r} does not fit the containers it is for: {node!r}")
    for place, (child, below) in enumerate(zip(children, node.children, strict=True)):
        _spread(op, f"{path}[{place if keys is None else keys[place]!r}]", child, below, accepts, found)


def _count(node: Spec) -> int:
    return 1 if node.container is None else sum(map(_count, node.children))

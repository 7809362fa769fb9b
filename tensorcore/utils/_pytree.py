"""Trees of containers, as in ``torch.utils._pytree``: taken apart into leaves, made again, mapped.

Tuples, lists, dicts, named tuples and deques are containers, and what `register_pytree_node` is told of; all else is a
leaf. The transforms of `tensorcore.func` see the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from tensorcore.func.pytree import LEAF, Spec, flatten, parts, register, unflatten

__all__ = [
    "PyTree",
    "TreeSpec",
    "register_pytree_node",
    "tree_all",
    "tree_all_only",
    "tree_any",
    "tree_any_only",
    "tree_flatten",
    "tree_is_leaf",
    "tree_iter",
    "tree_leaves",
    "tree_map",
    "tree_map_",
    "tree_map_only",
    "tree_map_only_",
    "tree_structure",
    "tree_unflatten",
]

PyTree = Any
TreeSpec = Spec
IsLeaf = Callable[[Any], bool] | None
#: Which leaves: of these classes, or for which a function says so.
Which = type | tuple[type, ...] | Callable[[Any], bool]


def register_pytree_node(
    cls: type,
    flatten_fn: Callable[[Any], tuple[Iterable[Any], Any]],
    unflatten_fn: Callable[[Any, Any], Any],
    *,
    serialized_type_name: str | None = None,
    to_dumpable_context: Callable[[Any], Any] | None = None,
    from_dumpable_context: Callable[[Any], Any] | None = None,
    flatten_with_keys_fn: Callable[[Any], Any] | None = None,
) -> None:
    """Let instances of ``cls`` be containers.

    Args:
        cls: their class.
        flatten_fn: takes one and returns (children, context).
        unflatten_fn: takes children and context and returns one.
        serialized_type_name: PyTorch's argument for files of specs, as are those that follow; without effect.

    Raises:
        ValueError: for a class that is a container already.

    Example:
        >>> from tensorcore.utils._pytree import register_pytree_node, tree_map
        >>> class Pair:
        ...     def __init__(self, a, b):
        ...         self.a, self.b = a, b
        >>> register_pytree_node(Pair, lambda p: ((p.a, p.b), None), lambda children, _: Pair(*children))
        >>> tree_map(lambda x: x + 1, Pair(1, 2)).b
        3
    """
    register(cls, flatten_fn, unflatten_fn)


def tree_flatten(tree: PyTree, is_leaf: IsLeaf = None) -> tuple[list[Any], TreeSpec]:
    """The leaves from left to right, and the containers; ``is_leaf`` tells of containers that are leaves.

    Example:
        >>> from tensorcore.utils._pytree import tree_flatten
        >>> leaves, spec = tree_flatten({"a": [1, 2], "b": 3})
        >>> leaves, spec.num_leaves
        ([1, 2, 3], 3)
    """
    return flatten(tree, is_leaf)


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> PyTree:
    """The tree of these containers over ``leaves``.

    Raises:
        TypeError: for what is no spec.
        ValueError: for more or fewer leaves than it has places.
    """
    if not isinstance(treespec, TreeSpec):
        raise TypeError(f"tree_unflatten: expected a TreeSpec, got {type(treespec).__name__}")
    given = list(leaves)
    if len(given) != treespec.num_leaves:
        raise ValueError(f"tree_unflatten: got {len(given)} leaves for {treespec.num_leaves} places of {treespec!r}")
    return unflatten(given, treespec)


def tree_leaves(tree: PyTree, is_leaf: IsLeaf = None) -> list[Any]:
    """The leaves from left to right."""
    return flatten(tree, is_leaf)[0]


def tree_iter(tree: PyTree, is_leaf: IsLeaf = None) -> Iterable[Any]:
    """The leaves from left to right, one by one."""
    return iter(tree_leaves(tree, is_leaf))


def tree_structure(tree: PyTree, is_leaf: IsLeaf = None) -> TreeSpec:
    """The containers without their leaves."""
    return flatten(tree, is_leaf)[1]


def tree_is_leaf(tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Whether it is no container."""
    return (is_leaf is not None and is_leaf(tree)) or parts(tree) is None


def tree_map(func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf = None) -> PyTree:
    """``func`` of each leaf, with what is at its place in ``rests``, in the containers of ``tree``.

    Raises:
        ValueError: where one of ``rests`` has other containers.

    Example:
        >>> from tensorcore.utils._pytree import tree_map
        >>> tree_map(lambda a, b: a * b, {"x": 2, "y": (3,)}, {"x": 10, "y": (20,)})
        {'x': 20, 'y': (60,)}
    """
    leaves, spec = flatten(tree, is_leaf)
    columns = [leaves, *[_up_to(spec, rest, place) for place, rest in enumerate(rests)]]
    return unflatten(list(map(func, *columns)), spec)


def _up_to(spec: Spec, tree: PyTree, place: int) -> list[Any]:
    """What ``tree`` holds at the leaves of ``spec``."""
    if spec is LEAF:
        return [tree]
    found = parts(tree)
    if found is None or found[0] is not spec.container or found[1] != spec.keys or len(found[2]) != len(spec.children):
        raise ValueError(f"tree_map: tree {place + 1} after the first is {tree!r:.80} where the first has {spec!r}")
    return [x for child, below in zip(spec.children, found[2], strict=True) for x in _up_to(child, below, place)]


def tree_map_(func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf = None) -> PyTree:
    """`tree_map` for what ``func`` does to the leaves; returns ``tree``."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


_MISSING: Final = object()


def tree_map_only(which: Which, /, func: Any = _MISSING, tree: PyTree = _MISSING, is_leaf: IsLeaf = None) -> PyTree:
    """``func`` of the leaves that are of these classes, or for which ``which`` is true; the others as they are.

    Without ``func`` and ``tree`` a decorator: the function of a leaf that does so.
    """
    if func is _MISSING:
        return lambda f: lambda x: f(x) if _is(which, x) else x
    return tree_map(lambda x: func(x) if _is(which, x) else x, tree, is_leaf=is_leaf)


def tree_map_only_(which: Which, /, func: Callable[[Any], Any], tree: PyTree, is_leaf: IsLeaf = None) -> PyTree:
    """`tree_map_only` for what ``func`` does to the leaves; returns ``tree``."""
    tree_map_only(which, func, tree, is_leaf)
    return tree


def tree_all(pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Whether ``pred`` is true for all leaves."""
    return all(map(pred, tree_iter(tree, is_leaf)))


def tree_any(pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Whether ``pred`` is true for a leaf."""
    return any(map(pred, tree_iter(tree, is_leaf)))


def tree_all_only(which: Which, /, pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Whether ``pred`` is true for all leaves that are of these classes."""
    return all(pred(x) for x in tree_iter(tree, is_leaf) if _is(which, x))


def tree_any_only(which: Which, /, pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Whether ``pred`` is true for a leaf that is of these classes."""
    return any(pred(x) for x in tree_iter(tree, is_leaf) if _is(which, x))


def _is(which: Any, leaf: Any) -> bool:
    if callable(which) and not isinstance(which, type):
        return bool(which(leaf))
    return isinstance(leaf, which)

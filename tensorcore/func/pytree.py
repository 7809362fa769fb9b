"""Trees of containers, as transforms take and return them: tuples, lists, dicts, named tuples, deques."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Any, Final

from tensorcore.errors import TransformError

__all__ = ["LEAF", "Spec", "flatten", "parts", "prefixed", "register", "tree_map", "unflatten"]


class Spec:
    """The containers of a tree, without its leaves.

    Attributes:
        container: the class of the outermost one; ``None`` for a leaf.
        keys: those of a mapping.
        children: the specs of what is in it.
        context: what else its class needs to be made again.
    """

    __slots__ = ("children", "container", "context", "keys")

    def __init__(
        self, container: Any, keys: tuple[Any, ...] | None, children: tuple[Spec, ...], context: Any = None
    ) -> None:
        self.container = container
        self.keys = keys
        self.children = children
        self.context = context

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Spec)
            and self.container is other.container
            and self.keys == other.keys
            and self.context == other.context
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

    @property
    def type(self) -> Any:
        """The class of the outermost container; ``None`` for a leaf."""
        return self.container

    @property
    def children_specs(self) -> list[Spec]:
        """The specs of what is in the outermost container."""
        return list(self.children)

    @property
    def num_children(self) -> int:
        """How many trees the outermost container holds."""
        return len(self.children)

    @property
    def num_leaves(self) -> int:
        """How many leaves the tree has."""
        return 1 if self.container is None else sum(child.num_leaves for child in self.children)

    @property
    def num_nodes(self) -> int:
        """How many containers and leaves the tree has."""
        return 1 + sum(child.num_nodes for child in self.children)

    def is_leaf(self) -> bool:
        """Whether the tree is a leaf alone."""
        return self.container is None

    def unflatten(self, leaves: Any) -> Any:
        """The tree of these containers over ``leaves``."""
        return unflatten(leaves, self)


LEAF = Spec(None, None, ())

IsLeaf = Callable[[Any], bool] | None
#: Further classes of containers: how one is taken apart, into children and context, and made again.
_registered: Final[dict[type, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]]] = {}


def register(cls: type, take_apart: Callable[[Any], Any], make: Callable[[Any, Any], Any]) -> None:
    """Let instances of ``cls`` be containers: ``take_apart(x)`` gives (children, context), ``make`` takes these.

    Raises:
        ValueError: for a class that is registered, or is one of Python's containers.
    """
    if cls in _registered or cls in (tuple, list, dict, OrderedDict, defaultdict, deque):
        raise ValueError(f"register_pytree_node: {cls.__name__} is registered as a container already")
    _registered[cls] = (take_apart, make)


def parts(tree: Any) -> tuple[Any, tuple[Any, ...] | None, tuple[Any, ...], Any] | None:
    """(class, keys, children, context) of a container; ``None`` for a leaf."""
    cls = type(tree)
    if cls in _registered:
        children, context = _registered[cls][0](tree)
        return cls, None, tuple(children), context
    if isinstance(tree, dict):
        factory = tree.default_factory if isinstance(tree, defaultdict) else None
        return cls, tuple(tree), tuple(tree.values()), factory
    if isinstance(tree, (tuple, list)) and not hasattr(tree, "_array"):
        return cls, None, tuple(tree), None
    return (cls, None, tuple(tree), tree.maxlen) if isinstance(tree, deque) else None


# Functions that recur are no closures: one that names itself is a reference cycle, which holds the tensors of each call
# until the garbage collector comes.


def flatten(tree: Any, is_leaf: IsLeaf = None) -> tuple[list[Any], Spec]:
    """The leaves of a tree from left to right, and its containers; ``is_leaf`` says which are leaves, too."""
    leaves: list[Any] = []
    return leaves, _flattened(tree, leaves, is_leaf)


def _flattened(node: Any, leaves: list[Any], is_leaf: IsLeaf) -> Spec:
    found = None if is_leaf is not None and is_leaf(node) else parts(node)
    if found is None:
        leaves.append(node)
        return LEAF
    container, keys, children, context = found
    return Spec(container, keys, tuple([_flattened(child, leaves, is_leaf) for child in children]), context)


def unflatten(leaves: Any, spec: Spec) -> Any:
    """The tree of these containers over ``leaves``."""
    return _built(iter(leaves), spec)


def _built(source: Iterator[Any], node: Spec) -> Any:
    container = node.container
    if container is None:
        return next(source)
    children = [_built(source, child) for child in node.children]
    if container in _registered:
        return _registered[container][1](children, node.context)
    if node.keys is not None:
        return _mapping(container, dict(zip(node.keys, children, strict=True)), node.context)
    return container(children, node.context) if issubclass(container, deque) else _of_class(container, children)


def _mapping(container: Any, made: dict[Any, Any], factory: Any) -> Any:
    if container is dict:
        return made
    if issubclass(container, defaultdict):
        return container(factory, made)
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
    found_parts = None if accepts(value) else parts(value)
    if found_parts is None:
        if not accepts(value):
            raise TransformError(f"{op}: {path} is {value!r}; expected an int or None, or containers of them")
        found.extend([value] * node.num_leaves)
        return
    _, keys, children, _ = found_parts
    if node.container is None or len(children) != len(node.children) or keys != node.keys:
        raise TransformError(f"{op}: {path}={value!r} does not fit the containers it is for: {node!r}")
    for place, (child, below) in enumerate(zip(children, node.children, strict=True)):
        _spread(op, f"{path}[{place if keys is None else keys[place]!r}]", child, below, accepts, found)

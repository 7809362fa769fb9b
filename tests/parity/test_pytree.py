"""Trees of containers under PyTorch's private path, which many programs use."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque, namedtuple
from importlib import import_module

import pytest

pytest.importorskip("torch")

from function_programs import agree_on

Point = namedtuple("Point", "x y")

TREES = (
    3, (), [], {}, (1, [2, {"a": 3, "b": (4,)}]), OrderedDict(b=1, a=[2]), Point(1, (2, 3)), deque([1, [2]], maxlen=4),
    [None, "text"], {"z": 1, "a": 2},
)  # fmt: skip


def of(t):
    return import_module(f"{t.__name__}.utils._pytree")


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_taken_apart_and_made_again(tree):
    def run(t):
        leaves, spec = of(t).tree_flatten(tree)
        made = of(t).tree_unflatten([repr(x) for x in leaves], spec)
        facts = spec.num_leaves, spec.num_nodes, spec.num_children, spec.is_leaf()
        return leaves, repr(made), facts, spec == of(t).tree_structure(tree), of(t).tree_is_leaf(tree)

    agree_on(run)


def test_factories_and_lengths_are_kept():
    import tensorcore as tc

    made = of(tc).tree_map(lambda x: x + 1, [defaultdict(list, a=1), deque([1], maxlen=3)])
    assert made[0].default_factory is list and made[0]["a"] == 2 and made[1].maxlen == 3


CALLS = (
    lambda p: p.tree_map(lambda a, b: (a, b), [1, (2, 3)], [4, (5, [6])]),
    lambda p: p.tree_map(lambda a, b: a, [1, 2], [1]),
    lambda p: p.tree_map(lambda a: a * 2, {"a": (1, 2)}, is_leaf=lambda x: isinstance(x, tuple)),
    lambda p: p.tree_map_only(int, lambda x: x + 1, [1, "a", (2.0, 3)]),
    lambda p: p.tree_map_only((int, str), lambda x: x * 2, [1, "a", (2.0, 3)]),
    lambda p: p.tree_map_only(lambda x: x == 1, lambda x: 9, [1, "a", (2.0, 1)]),
    lambda p: p.tree_all(lambda x: x > 0, [1, (2,)]), lambda p: p.tree_any(lambda x: x > 1, [1, (2,)]),
    lambda p: p.tree_all_only(int, lambda x: x > 1, ["a", 2]),
    lambda p: p.tree_any_only(int, lambda x: x > 2, ["a", 2]),
    lambda p: p.tree_leaves([1, {"b": 2, "a": 3}]), lambda p: list(p.tree_iter((1, [2]))),
    lambda p: p.tree_unflatten([1], p.tree_structure([1, 2])), lambda p: p.tree_unflatten([1], 3),
    lambda p: p.register_pytree_node(list, None, None),
)  # fmt: skip


@pytest.mark.parametrize("place", range(len(CALLS)))
def test_calls(place):
    agree_on(lambda t: CALLS[place](of(t)))


def test_registered_containers_go_through_transforms():
    def run(t):
        class Pair:
            def __init__(self, a, b):
                self.a, self.b = a, b

        of(t).register_pytree_node(Pair, lambda p: ([p.a, p.b], "context"), lambda children, _: Pair(*children))
        x = t.arange(6.0).reshape(3, 2)
        made = t.vmap(lambda p: Pair(p.a * 2, p.b.sum()))(Pair(x, x))
        g = t.func.grad(lambda p: (p.a * p.b).sum())(Pair(x, x + 1))
        return made.a, made.b, g.a, g.b, len(of(t).tree_leaves([Pair(1, [2, 3])]))

    agree_on(run)

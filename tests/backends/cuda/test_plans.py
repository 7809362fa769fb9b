"""How elementwise kernels walk their operands."""

from __future__ import annotations

import numpy as np
import pytest

from tensorcore_cuda.plans import BLOCK, blocks, plan_for


def row_major(shape):
    steps = []
    for place in range(len(shape)):
        steps.append(int(np.prod(shape[place + 1 :], dtype=np.int64)))
    return tuple(shape), tuple(steps)


@pytest.mark.parametrize(
    ("shape", "operands", "itemsize", "sides", "modes", "width"),
    [
        ((64, 512), [row_major((64, 512))] * 2, 4, (64 * 512,), "vv", 4),
        ((64, 512), [row_major((64, 512)), ((), ())], 4, (64 * 512,), "vo", 4),
        ((64, 512), [row_major((64, 512)), row_major((512,))], 4, (64, 512), "vv", 4),
        ((64, 512), [row_major((64, 512)), row_major((64, 1))], 4, (64, 512), "vo", 4),
        # Rows that do not divide into vectors are read two at a time, or one by one.
        ((64, 510), [row_major((64, 510)), row_major((510,))], 4, (64, 510), "vv", 2),
        ((64, 511), [row_major((64, 511)), row_major((511,))], 4, (64, 511), "gg", 1),
        ((4, 6), [((4, 6), (1, 4))], 4, (4, 6), "g", 1),
        ((5, 3), [((5, 3), (8, 1))], 1, (5, 3), "g", 1),
        ((10,), [((10,), (2,))], 4, (10,), "g", 1),
        ((), [((), ())], 8, (1,), "v", 2),
        ((1, 1, 1), [((1, 1), (7, 9))], 2, (1,), "v", 8),
        ((0, 3), [row_major((0, 3))], 4, (0,), "v", 4),
        ((2, 3, 4), [((2, 3, 4), (12, 4, 1)), ((1, 3, 1), (3, 1, 1))], 4, (2, 3, 4), "vo", 4),
    ],
)
def test_dimensions_are_joined_and_vectors_chosen(shape, operands, itemsize, sides, modes, width):
    plan = plan_for(shape, operands, itemsize)
    assert (plan.sides, plan.modes, plan.width) == (sides, modes, width)
    assert plan.size == int(np.prod(shape))


def test_every_element_of_a_random_layout_is_met_once_and_at_its_place():
    random = np.random.default_rng(0)
    for _ in range(300):
        rank = int(random.integers(0, 5))
        shape = tuple(int(side) for side in random.choice([1, 2, 3, 4, 8], rank))
        base = random.integers(0, 1000, [int(side) for side in shape])
        view = base.transpose(random.permutation(rank)) if rank else base
        if rank and random.random() < 0.5:
            view = view[(slice(None, None, 2),)]
        other = random.integers(0, 1000, [side if random.random() < 0.6 else 1 for side in view.shape])
        operands = [(a.shape, [step // a.itemsize for step in a.strides]) for a in (view, other)]
        plan = plan_for(view.shape, operands, int(random.choice([1, 4, 8])))
        for walk, (array, steps) in zip(plan.steps, zip((view, other), plan.steps, strict=True), strict=True):
            strides = [step * array.itemsize for step in walk]
            walked = np.lib.stride_tricks.as_strided(array, plan.sides, strides)
            assert np.array_equal(walked.reshape(-1), np.broadcast_to(array, view.shape).reshape(-1)), (plan, steps)
        if len(plan.sides) > 1:
            assert plan.sides[-1] % plan.width == 0


@pytest.mark.parametrize(("size", "wide"), [(2**31 - 2**14, False), (2**31, True), (2**33, True)])
def test_places_beyond_32_bits_need_wide_integers(size, wide):
    assert plan_for((size,), [((size,), (1,))], 4).wide is wide


def test_a_small_result_of_a_far_reaching_operand_needs_wide_integers():
    assert plan_for((4, 4), [((4, 4), (2**30, 1))], 4).wide
    assert not plan_for((4, 4), [((4, 4), (2**28, 1))], 4).wide


@pytest.mark.parametrize(("groups", "expected"), [(1, 1), (BLOCK, 1), (BLOCK + 1, 2), (10 * BLOCK, 10)])
def test_blocks_cover_all_threads(groups, expected):
    assert blocks(groups) == expected

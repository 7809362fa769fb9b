"""Philox4x32-10: the authors' known answers, and the same bits from every device."""

from __future__ import annotations

import statistics

import pytest

import tensorcore as tc
from tensorcore.ops.drawing import philox_uniform
from tensorcore.random import philox

FULL = 0xFFFFFFFF
#: From the file of known answers that comes with Random123.
KNOWN = [
    ((0, 0, 0, 0), 0, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((FULL,) * 4, 2**64 - 1, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        0x299F31D0A4093822,
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


def numbers(key: int, offset: int, count: int) -> list[float]:
    words = [word for block in range(-(-count // 4)) for word in philox.block(key, offset + block)]
    return [(word & 0xFFFFFF) * 2.0**-24 for word in words[:count]]


@pytest.mark.parametrize("counter, key, expected", KNOWN)
def test_known_answers(counter, key, expected):
    assert philox.rounds(counter, philox.schedule(key)) == expected


@pytest.mark.parametrize("counter, key, expected", KNOWN)
@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_known_answers_in_tensor_arithmetic(device, counter, key, expected):
    words = tuple(tc.tensor([word], device=device) for word in counter)
    assert tuple(word.item() for word in philox.rounds(words, philox.schedule(key))) == expected


@pytest.mark.parametrize("device", ["cpu", "reference"])
@pytest.mark.parametrize("seed", [0, 1, 2**63 + 12345, -1])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (4,), (3, 7), (2, 0, 5), (130,)])
def test_uniform_numbers_have_the_bits_of_the_scalar_form(device, seed, shape):
    kind = tc.device(device).kind(tc.float32)
    generator = tc.Generator().manual_seed(seed)
    generator.ticket("philox", 10)
    count = tc.Size(shape).numel()
    ticket = generator.ticket("philox", count)
    made = philox_uniform(ticket, shape, kind)
    assert made.dtype is tc.float32 and made.shape == shape and str(made.device) == device
    assert made.reshape(-1).tolist() == numbers(seed % 2**64, 3, count)


@pytest.mark.parametrize("offset", [2**32 - 2, 2**40, 2**63 - 3])
def test_counters_of_more_than_32_bits(offset):
    generator = tc.Generator().manual_seed(5)
    generator._offset = offset
    ticket = generator.ticket("philox", 12)
    kind = tc.device("cpu").kind(tc.float32)
    assert philox_uniform(ticket, (12,), kind).tolist() == numbers(5, offset, 12)


def test_draws_of_one_generator_never_share_a_block():
    generator = tc.Generator()
    assert [generator.ticket("philox", count).offset for count in (1, 4, 5, 0, 8, 1)] == [0, 1, 2, 4, 4, 6]


def test_numbers_look_uniform():
    made = philox_uniform(tc.Generator().ticket("philox", 40_000), (40_000,), tc.device("cpu").kind(tc.float32))
    drawn = made.tolist()
    assert min(drawn) >= 0 and max(drawn) < 1
    assert abs(statistics.fmean(drawn) - 0.5) < 0.01 and abs(statistics.pvariance(drawn) - 1 / 12) < 0.002

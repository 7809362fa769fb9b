"""The Mersenne Twister against published outputs and NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from tensorcore.random.mt19937 import MT19937


def test_the_ten_thousandth_output_is_the_one_the_cpp_standard_names():
    assert MT19937(5489).words(10_000)[-1] == 4123659995


@pytest.mark.parametrize("seed", [0, 1, 123456789, 2**32 - 1])
@pytest.mark.parametrize("count", [0, 1, 623, 624, 625, 2000, 20_000])
def test_words_are_those_of_numpy(seed, count):
    theirs = np.random.RandomState(seed)
    assert list(MT19937(seed).words(count)) == list(np.frombuffer(theirs.bytes(4 * count), np.uint32))


def test_only_the_lower_32_bits_of_a_seed_count():
    assert MT19937(2**40 + 7).words(5) == MT19937(7).words(5)


@pytest.mark.parametrize("parts", [(1, 2, 3), (0, 6), (16384, 1, 5), (623, 2)])
def test_words_do_not_depend_on_how_they_are_asked_for(parts):
    stream = MT19937(3)
    assert [word for part in parts for word in stream.words(part)] == list(MT19937(3).words(sum(parts)))


def test_64_bits_have_the_first_word_on_top():
    words = MT19937(9).words(6)
    assert list(MT19937(9).words64(3)) == [words[i] << 32 | words[i + 1] for i in (0, 2, 4)]


@pytest.mark.parametrize("drawn", [0, 1, 623, 624, 1000])
def test_a_state_continues_the_stream(drawn):
    first, second = MT19937(1), MT19937(2)
    first.words(drawn)
    second.state = first.state
    assert first.words(700) == second.words(700)

"""Generators: seeds, states, tickets, threads."""

from __future__ import annotations

import copy
import pickle
import threading

import pytest

import tensorcore as tc
from tensorcore.errors import DTypeError, RangeError, ShapeError


def take(generator: tc.Generator) -> list[float]:
    return tc.rand(5, generator=generator).tolist() + tc.randn(3, generator=generator).tolist()


def test_seed_0_begins_with_pytorchs_documented_numbers():
    tc.manual_seed(0)
    assert [round(x, 4) for x in tc.rand(5, 3)[0].tolist()] == [0.4963, 0.7682, 0.0885]


def test_the_seed_without_one_is_pytorchs():
    assert tc.Generator().initial_seed() == 67280421310721


@pytest.mark.parametrize("seed, kept", [(0, 0), (2**64 - 1, 2**64 - 1), (-1, 2**64 - 1), (-(2**63), 2**63), (True, 1)])
def test_manual_seed(seed, kept):
    generator = tc.Generator()
    assert generator.manual_seed(seed) is generator
    assert generator.initial_seed() == kept


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_a_seed_out_of_range_is_refused(seed):
    for function in (tc.Generator().manual_seed, tc.manual_seed):
        with pytest.raises(RangeError, match=r"seed -?\d+ is outside"):
            function(seed)


@pytest.mark.parametrize("seed", [1.5, "a", None])
def test_a_seed_that_is_no_int_is_refused(seed):
    with pytest.raises(TypeError, match="expected an int"):
        tc.Generator().manual_seed(seed)


def test_the_module_functions_use_the_default_generator():
    assert tc.manual_seed(11) is tc.default_generator
    assert tc.initial_seed() == tc.random.initial_seed() == 11
    first = tc.rand(4).tolist()
    assert tc.rand(4, generator=tc.Generator().manual_seed(11)).tolist() == first
    assert tc.seed() == tc.initial_seed() != 11


def test_seeds_of_the_operating_system_differ():
    generator = tc.Generator()
    assert len({generator.seed() for _ in range(4)}) == 4


@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_the_device_is_kept(device):
    assert str(tc.Generator(device).device) == device


def test_an_unknown_device_is_refused():
    with pytest.raises(RuntimeError, match="abacus"):
        tc.Generator("abacus")


def prepared(before: int) -> tc.Generator:
    generator = tc.Generator().manual_seed(2**40 + 3)
    tc.rand(before, generator=generator)
    if before % 2:
        tc.randn(1, generator=generator)
    generator.ticket("philox", 9)
    return generator


@pytest.mark.parametrize("before", [0, 1, 10, 619, 623, 624, 625, 2000])
def test_a_state_comes_back_bit_for_bit(before):
    generator = prepared(before)
    state = generator.get_state()
    assert state.dtype is tc.uint8 and state.shape == (5056,)
    other = tc.Generator()
    other.set_state(state)
    assert other.get_state().tolist() == state.tolist()
    assert other.initial_seed() == 2**40 + 3
    assert other.ticket("philox", 1).offset == 3
    assert take(other) == take(generator)


@pytest.mark.parametrize(
    "copied",
    [
        tc.Generator.clone_state,
        copy.deepcopy,
        lambda g: pickle.loads(pickle.dumps(g)),
        tc.Generator.graphsafe_get_state,
        lambda g: tc.Generator().graphsafe_set_state(g),
    ],
)
def test_a_copy_goes_on_by_itself(copied):
    generator = prepared(3)
    twin = copied(generator)
    ahead = take(twin)
    assert take(generator) == ahead
    assert take(generator) == take(twin)


def test_seeding_forgets_the_odd_normal_number():
    generator = tc.Generator().manual_seed(1)
    first = tc.randn(1, generator=generator).item()
    assert tc.randn(1, generator=generator.manual_seed(1)).item() == first


@pytest.mark.parametrize("state", [[1], None, tc.zeros(5056), tc.zeros(5056, dtype=tc.int8)])
def test_a_state_of_another_type_is_refused(state):
    with pytest.raises(DTypeError, match="expected a uint8 tensor"):
        tc.Generator().set_state(state)


@pytest.mark.parametrize("length", [0, 3, 5055, 5057])
def test_a_state_of_another_size_is_refused(length):
    with pytest.raises(ShapeError, match=f"expected a state of 5056 bytes, got {length}"):
        tc.Generator().set_state(tc.zeros(length, dtype=tc.uint8))


@pytest.mark.parametrize("place, byte", [(8, 0), (12, 0), (16, 77), (17, 255), (28, 1)])
def test_bytes_that_are_no_state_are_refused_and_change_nothing(place, byte):
    generator = prepared(5)
    before = generator.get_state()
    broken = before.clone()
    broken[place] = byte
    with pytest.raises(RuntimeError, match="no state"):
        generator.set_state(broken)
    assert generator.get_state().tolist() == before.tolist()
    with pytest.raises(RuntimeError, match="no state"):
        generator.set_state(tc.zeros(5056, dtype=tc.uint8))


def test_rng_state_of_the_default_generator():
    state = tc.get_rng_state()
    first = tc.rand(3).tolist()
    tc.set_rng_state(state)
    assert tc.rand(3).tolist() == first


@pytest.mark.parametrize("enabled", [True, False])
def test_fork_rng(enabled):
    tc.manual_seed(4)
    expected = tc.rand(2).tolist()
    tc.manual_seed(4)
    with tc.random.fork_rng(enabled=enabled):
        tc.rand(7)
    assert (tc.rand(2).tolist() == expected) is enabled


def test_fork_rng_restores_after_an_error():
    tc.manual_seed(4)
    with pytest.raises(KeyError), tc.random.fork_rng(devices=[]):
        tc.rand(7)
        raise KeyError
    assert tc.rand(2).tolist() == tc.rand(2, generator=tc.Generator().manual_seed(4)).tolist()


@pytest.mark.parametrize("kind", ["words", "words64", "normal", "permutation", "philox"])
@pytest.mark.parametrize("count", [0, 1, 7])
def test_renewing_a_ticket_reserves_what_comes_next(kind, count):
    first, second = tc.Generator(), tc.Generator()
    ticket = first.ticket(kind, count)
    renewed = ticket.renew()
    again = [second.ticket(kind, count) for _ in range(2)]
    assert [list(ticket.data), list(renewed.data)] == [list(each.data) for each in again]
    assert renewed.kind == kind and renewed.count == count and renewed.generator is first


@pytest.mark.parametrize("kind, count, message", [("dice", 1, "expected 'words'"), ("words", -1, "not be negative")])
def test_an_impossible_ticket_is_refused(kind, count, message):
    with pytest.raises(ValueError, match=message):
        tc.Generator().ticket(kind, count)


def test_threads_share_a_stream_without_losing_or_repeating_words():
    generator = tc.Generator().manual_seed(8)
    drawn: list[list[int]] = []

    def work() -> None:
        drawn.extend(list(generator.ticket("words", 50).data) for _ in range(40))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stream = list(tc.Generator().manual_seed(8).ticket("words", 8000).data)
    whole = [stream[i : i + 50] for i in range(0, 8000, 50)]
    assert sorted(drawn) == sorted(whole)


def test_the_two_shuffles_are_permutations_of_all_numbers():
    from tensorcore.random.generator import _inside_out
    from tensorcore.random.mt19937 import MT19937

    words = list(MT19937(2).words64(100))
    expected: list[int] = []
    for place, word in enumerate(words):
        expected.append(place)
        other = word % (place + 1)
        expected[place], expected[other] = expected[other], place
    assert list(_inside_out(100, MT19937(2))) == expected
    assert sorted(expected) == sorted(tc.Generator().ticket("permutation", 100).data) == list(range(100))


def test_repr_names_the_seed():
    assert repr(tc.Generator().manual_seed(3)) == "<tensorcore.Generator seed=3>"
    assert repr(tc.Generator().ticket("words", 2)) == "<ticket for 2 words>"

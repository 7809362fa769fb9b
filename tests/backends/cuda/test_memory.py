"""Counting device memory, and what is said when there is none."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from tensorcore_cuda.memory import CountedPool, refusal


class ExhaustedError(MemoryError):
    pass


class Pool:
    """A pool of 1000 bytes."""

    def __init__(self):
        self.used = self.kept = self.limited = 0

    def malloc(self, size):
        if self.used + size > 1000:
            raise ExhaustedError
        self.used += size
        self.kept = max(self.kept, self.used)
        return SimpleNamespace(device_id=0)

    def used_bytes(self):
        return self.used

    def total_bytes(self):
        return self.kept

    def get_limit(self):
        return self.limited

    def set_limit(self, size):
        self.limited = size

    def free_all_blocks(self):
        self.kept = self.used


@pytest.fixture
def pool():
    return Pool()


@pytest.fixture
def cuda(pool):
    chosen = {"allocator": pool.malloc}
    return SimpleNamespace(
        Device=lambda index: nullcontext(),
        memory=SimpleNamespace(OutOfMemoryError=ExhaustedError),
        runtime=SimpleNamespace(getDevice=lambda: 0, memGetInfo=lambda: (300, 2000)),
        get_allocator=lambda: chosen["allocator"],
        set_allocator=lambda allocator: chosen.update(allocator=allocator),
        chosen=chosen,
    )


@pytest.fixture
def counted(cuda, pool):
    return CountedPool(SimpleNamespace(cuda=cuda), pool, 1)


def test_peaks_are_counted(counted, pool):
    counted.malloc(400)
    counted.malloc(300)
    pool.used = 100
    found = counted.statistics(0)
    assert (found["allocated"], found["allocated_peak"], found["reserved"], found["allocations"]) == (100, 700, 700, 2)


def test_peaks_can_be_counted_anew(counted, pool):
    counted.malloc(700)
    pool.used = 100
    counted.reset_peaks(0)
    assert counted.statistics(0)["allocated_peak"] == 100
    counted.malloc(50)
    assert counted.statistics(0)["allocated_peak"] == 150


def test_memory_given_back_stays_in_the_peak(counted, pool):
    counted.malloc(700)
    pool.used = 100
    counted.release()
    found = counted.statistics(0)
    assert (found["reserved"], found["reserved_peak"]) == (100, 700)


def test_a_refusal_names_what_is_used_and_free(counted):
    counted.malloc(900)
    with pytest.raises(MemoryError) as caught:
        counted.malloc(200)
    assert str(caught.value) == (
        "cuda:0 has no 200 bytes: tensors use 900, the pool keeps 0 more, the driver has 300 of 2,000 free"
    )
    assert counted.statistics(0)["refusals"] == 1


def test_a_refusal_names_the_limit_and_scattered_memory():
    text = refusal(100, 1, 500, 900, 0, 1000, 950)
    assert "this process may use 950" in text
    assert "in smaller pieces, which tensorcore.cuda.empty_cache() gives back" in text


@pytest.mark.parametrize(("fraction", "limit"), [(0.5, 1000), (1.0, 0), (0.0, 1)])
def test_a_fraction_limits_the_pool(counted, pool, fraction, limit):
    counted.limit(fraction, 0)
    assert pool.limited == limit


def test_cupy_allocates_here_unless_its_user_chose_otherwise(counted, cuda):
    counted.install()
    assert cuda.chosen["allocator"] == counted.malloc
    own = object()
    cuda.chosen["allocator"] = own
    counted.install()
    assert cuda.chosen["allocator"] is own

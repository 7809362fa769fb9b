"""Times of statements, by a clock that the tests set."""

from __future__ import annotations

import pytest

import tensorcore as tc
from tensorcore.errors import ArgumentError
from tensorcore.utils.benchmark import Compare, Measurement, Timer


class Clock:
    """A clock on which each execution takes a millisecond."""

    def __init__(self, cost=1e-3):
        self.now, self.runs, self.cost = 0.0, 0, cost

    def __call__(self):
        return self.now

    def work(self):
        self.now += self.cost
        self.runs += 1


def timer(clock, **how):
    return Timer("clock.work()", timer=clock, globals={"clock": clock}, **how)


def test_a_number_of_executions():
    clock = Clock()
    found = timer(clock, label="work", sub_label="small", description="here").timeit(500)
    assert found.number_per_run == 500
    assert found.times == pytest.approx([1e-3])
    assert found.median == found.mean == pytest.approx(1e-3)
    assert found.iqr == 0
    assert clock.runs == 505
    assert str(found).splitlines()[:3] == ["work: small", "here", "  1.00 ms"]
    assert not found.has_warnings


def test_as_long_as_asked():
    clock, seen = Clock(), []
    found = timer(clock).blocked_autorange(lambda number, spent: seen.append(number), min_run_time=0.1)
    assert sum(found.raw_times) >= 0.1
    assert seen == [found.number_per_run] * len(found.raw_times)
    assert found.median == pytest.approx(1e-3)
    settled = timer(Clock()).adaptive_autorange(min_run_time=0.01)
    assert len(settled.raw_times) >= 4
    assert len(timer(Clock(20.0)).adaptive_autorange().raw_times) == 1


def test_names_and_code_in_several_lines():
    found = Timer(
        """
        for _ in range(2):
            y = x + 1
        """,
        setup="x = tensorcore.ones(2)",
    ).timeit(3)
    assert found.median > 0


def test_threads_are_held_and_given_back():
    before = tc.get_num_threads()
    seen = []
    Timer("seen.append(tensorcore.get_num_threads())", globals={"seen": seen}, num_threads=3).timeit(2)
    assert set(seen) == {3}
    assert tc.get_num_threads() == before


def test_errors_of_statements_are_theirs():
    with pytest.raises(ZeroDivisionError):
        Timer("1 / 0").timeit(1)
    with pytest.raises(SyntaxError):
        Timer("x +")
    with pytest.raises(ArgumentError, match="language"):
        Timer(language="c++")


def test_noise_is_told():
    found = Measurement(10, [1.0, 1.0, 9.0, 9.0], stmt="x")
    assert found.has_warnings
    assert "WARNING" in str(found)
    assert found.mean == pytest.approx(0.5)
    assert found.iqr == pytest.approx(0.8)


def test_tables():
    results = [
        Measurement(1, [1e-3 * (1 + row + 10 * column)], "sum", f"row{row}", f"col{column}", threads)
        for row in range(2) for column in range(2) for threads in (1, 2)
    ]  # fmt: skip
    table = Compare(results)
    lines = str(table).splitlines()
    assert lines[0].split() == ["sum", "col0", "col1"]
    assert [line.split() for line in lines[1:3]] == [
        ["1", "thread:", "row0", "1.00", "11.00"],
        ["1", "thread:", "row1", "2.00", "12.00"],
    ]
    assert lines[-1] == "Times are in milliseconds (ms)."
    assert len(lines) == 6
    table.trim_significant_figures()
    table.extend_results([Measurement(1, [2.0], "other", "r", "c")])
    assert "\n\nother" in str(table)
    with pytest.raises(ArgumentError, match="expected measurements"):
        Compare([1])


def test_merging():
    a, b, c = Measurement(1, [1.0], "a"), Measurement(1, [3.0], "a"), Measurement(1, [5.0], "b", env="e", stmt="s")
    merged = Measurement.merge([a, b, c])
    assert [each.raw_times for each in merged] == [[1.0, 3.0], [5.0]]
    assert (merged[1].label, merged[1].env, merged[1].stmt) == ("b", "e", "s")
    assert a.raw_times == [1.0]

"""Orders, seeds and batches of data loaders, next to PyTorch's."""

from __future__ import annotations

import random
from collections import OrderedDict, namedtuple
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

torch = pytest.importorskip("torch")
np = pytest.importorskip("numpy")

import tensorcore as tc  # noqa: E402
import tensorcore.utils.data  # noqa: E402
from tensorcore.random import Generator  # noqa: E402

MODULES = (tc, torch)
Point = namedtuple("Point", ["x", "y"])


def generator(module: ModuleType, seed: int) -> Any:
    made = Generator() if module is tc else torch.Generator()
    return made.manual_seed(seed)


def plain(value: Any) -> Any:
    """``value`` with tensors as (dtype, shape, values)."""
    if isinstance(value, (tc.Tensor, torch.Tensor)):
        return str(value.dtype).rpartition(".")[2], tuple(value.shape), value.tolist()
    if isinstance(value, dict):
        return type(value), [(key, plain(each)) for key, each in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value), [plain(each) for each in value]
    return value


def same(program: Any) -> Any:
    """Run ``program(module)`` with both modules, seeded alike, and compare; also what they draw next."""
    results = []
    for module in MODULES:
        module.manual_seed(42)
        result = plain(program(module))
        results.append((result, module.rand(1).item()))
    assert results[0] == results[1]
    return results[0][0]


# ------------------------------------------------------------------ samplers


@pytest.mark.parametrize("count", [1, 2, 31, 100, 1000])
@pytest.mark.parametrize("wanted", [None, 1, 33, 100, 250])
@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("own", [False, True])
def test_random_sampler(count: int, wanted: int | None, replacement: bool, own: bool) -> None:
    def program(module: Any) -> Any:
        source = generator(module, 5) if own else None
        sampler = module.utils.data.RandomSampler(range(count), replacement, wanted, source)
        return [list(sampler), list(sampler), module.randint(1000, (3,), generator=source)]

    same(program)


@pytest.mark.parametrize("own", [False, True])
def test_subset_random_sampler(own: bool) -> None:
    def program(module: Any) -> Any:
        sampler = module.utils.data.SubsetRandomSampler(list(range(5, 50)), generator(module, 1) if own else None)
        return [list(sampler), list(sampler)]

    same(program)


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("own", [False, True])
def test_weighted_random_sampler(replacement: bool, own: bool) -> None:
    weights = [0.1 + (i * 7 % 13) for i in range(40)]

    def program(module: Any) -> Any:
        source = generator(module, 9) if own else None
        sampler = module.utils.data.WeightedRandomSampler(weights, 20, replacement, source)
        return [list(sampler), list(sampler)]

    same(program)


@pytest.mark.parametrize("count", [1, 3, 10, 11, 100])
@pytest.mark.parametrize("replicas", [1, 3, 4])
@pytest.mark.parametrize("options", [{}, {"shuffle": False}, {"drop_last": True}, {"seed": 5}])
def test_distributed_sampler(count: int, replicas: int, options: dict[str, Any]) -> None:
    def program(module: Any) -> Any:
        drawn: list[Any] = []
        for rank in range(replicas):
            sampler = module.utils.data.distributed.DistributedSampler(range(count), replicas, rank, **options)
            if options.get("drop_last") and count < replicas:
                return None  # PyTorch's shares are of negative length
            for epoch in range(2):
                sampler.set_epoch(epoch)
                drawn.append((len(sampler), sampler.num_samples, sampler.total_size, list(sampler)))
        return drawn

    same(program)


@pytest.mark.parametrize("lengths", [[3, 7], [10], [0.5, 0.5], [0.34, 0.33, 0.33], [0.1, 0.2, 0.7]])
@pytest.mark.parametrize("own", [False, True])
def test_random_split(lengths: list[float], own: bool) -> None:
    def program(module: Any) -> Any:
        options = {"generator": generator(module, 3)} if own else {}
        return [list(part) for part in module.utils.data.random_split(range(10), lengths, **options)]

    same(program)


# ------------------------------------------------------------------ loaders


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("options", [{"batch_size": 4}, {"batch_size": 4, "drop_last": True}, {"batch_size": None}])
@pytest.mark.parametrize("shuffle", [False, True])
def test_epochs(own: bool, workers: int, options: dict[str, Any], shuffle: bool) -> None:
    def program(module: Any) -> Any:
        data = module.utils.data.TensorDataset(module.arange(23.0).reshape(23, 1), module.arange(23))
        source = generator(module, 11) if own else None
        loader = module.utils.data.DataLoader(data, shuffle=shuffle, num_workers=workers, generator=source, **options)
        drawn: list[Any] = []
        for _ in range(2):
            drawn.extend(list(batch) for batch in loader)
            # What a training loop draws between epochs moves the next order.
            drawn.append(module.rand(2, generator=source))
        return drawn

    same(program)


def test_draws_between_batches_do_not_move_the_order() -> None:
    def program(module: Any) -> Any:
        batches = iter(module.utils.data.DataLoader(range(9), batch_size=2, shuffle=True))
        return [module.rand(1), next(batches), module.rand(1), next(batches), module.rand(1)]

    same(program)


def test_other_samplers_in_a_loader() -> None:
    def program(module: Any) -> Any:
        data = module.utils.data
        weighted = data.WeightedRandomSampler([1.0, 2.0, 3.0], 7)
        batches = data.BatchSampler(data.RandomSampler(range(3), True, 8), 3, True)
        return [
            list(data.DataLoader(range(3), 2, sampler=weighted)),
            list(data.DataLoader(range(3), batch_sampler=batches)),
        ]

    same(program)


class Draws:
    """Samples drawn in the worker from every generator there is."""

    def __init__(self, module: Any) -> None:
        self.module = module

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> Any:
        info = self.module.utils.data.get_worker_info()
        return self.module.rand(2), random.random(), float(np.random.rand()), info.seed, info.id


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("own", [False, True])
def test_draws_in_workers(workers: int, own: bool) -> None:
    def program(module: Any) -> Any:
        source = generator(module, 2) if own else None
        loader = module.utils.data.DataLoader(Draws(module), 2, num_workers=workers, generator=source)
        return [list(loader), list(loader)]

    same(program)


def test_persistent_workers_go_on_drawing() -> None:
    def program(module: Any) -> Any:
        loader = module.utils.data.DataLoader(Draws(module), 2, num_workers=2, persistent_workers=True, shuffle=True)
        return [list(loader), list(loader)]

    same(program)


def share(module: Any) -> Any:
    class Share(module.utils.data.IterableDataset):  # type: ignore[misc, name-defined]
        def __iter__(self) -> Iterator[int]:
            info = module.utils.data.get_worker_info()
            return iter(range(17)) if info is None else iter(range(info.id, 17, info.num_workers))

    return Share()


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("options", [{"batch_size": 2}, {"batch_size": 2, "drop_last": True}, {"batch_size": None}])
def test_iterable(workers: int, options: dict[str, Any]) -> None:
    def program(module: Any) -> Any:
        return list(module.utils.data.DataLoader(share(module), num_workers=workers, **options))

    same(program)


def test_an_error_in_a_worker_has_the_same_first_line() -> None:
    def program(module: Any) -> Any:
        lines = []
        for error in (ValueError("a"), KeyError("b"), UnicodeDecodeError("utf8", b"", 0, 1, "c")):

            def collate(batch: Any, error: Exception = error) -> Any:
                raise error

            with pytest.raises((ValueError, KeyError, RuntimeError)) as caught:
                list(module.utils.data.DataLoader(range(2), num_workers=1, collate_fn=collate))
            lines.append((type(caught.value).__name__, str(caught.value).split("\n")[:2]))
        return lines

    same(program)


def test_the_same_names_on_the_same_paths() -> None:
    import importlib

    for path in ("dataloader", "dataset", "distributed", "sampler", "_utils.collate", "_utils.pin_memory"):
        theirs = importlib.import_module(f"torch.utils.data.{path}")
        ours = importlib.import_module(f"tensorcore.utils.data.{path}")
        wanted = [
            name
            for name, value in vars(theirs).items()
            if not name.startswith("_") and getattr(value, "__module__", None) == theirs.__name__
        ]
        unlike = {"DataFrame", "pin_memory_loop", "pin_memory"}
        assert not [name for name in wanted if not hasattr(ours, name) and name not in unlike], path


# ------------------------------------------------------------------ collation


@pytest.mark.parametrize(
    "batch",
    [
        [1, 2], [True, False], [0.5, 2], ["a", "b"], [b"a"], [(1, "a"), (2, "b")], [[1, 2], [3, 4]], [[], []],
        [{"a": 1, "b": [1.5]}, {"a": 2, "b": [2.5]}], [Point(1, 2.0), Point(3, 4.0)], [OrderedDict(z=1, a=2)],
        [np.float32(1.5)], [np.float64(1.5), np.float64(2)], [np.int8(1)], [np.bool_(True)], [np.float16(0.1)],
        [np.arange(3, dtype=np.int16)] * 2, [np.array(1.0)], [np.zeros((0, 2))], [range(2), range(2)],
        [(np.ones(2), {"k": ("x", 3)})] * 2,
    ],
)  # fmt: skip
def test_default_collate(batch: Any) -> None:
    same(lambda module: module.utils.data.default_collate(batch))


@pytest.mark.parametrize(
    "data",
    [5, "ab", np.arange(3), np.float32(2.5), (np.ones(2), "x"), {"a": [np.ones(1)]}, Point(np.ones(1), 2), None, [[1]]],
)
def test_default_convert(data: Any) -> None:
    same(lambda module: module.utils.data.default_convert(data))


@pytest.mark.parametrize("batch", [[None], [{1, 2}], [[1, 2], [3]], [np.array(["a"])], [object()]])
def test_refused_batches(batch: Any) -> None:
    for module in MODULES:
        with pytest.raises((TypeError, RuntimeError)) as caught:
            module.utils.data.default_collate(batch)
        if module is tc:
            ours = type(caught.value), str(caught.value)
    assert ours[0] is type(caught.value)
    if ours[0] is TypeError:
        assert ours[1] == str(caught.value)


@pytest.mark.parametrize(
    "build",
    [
        lambda data: data.DataLoader(range(3), sampler=[0], shuffle=True),
        lambda data: data.DataLoader(range(3), batch_size=0),
        lambda data: data.DataLoader(range(3), batch_size=None, drop_last=True),
        lambda data: data.DataLoader(range(3), num_workers=-1),
        lambda data: data.DataLoader(range(3), multiprocessing_context="fork"),
        lambda data: data.DataLoader(range(3), num_workers=1, multiprocessing_context=5),
        lambda data: setattr(data.DataLoader(range(3)), "batch_size", 2),
        lambda data: data.RandomSampler([]),
        lambda data: data.RandomSampler([1], replacement=1),
        lambda data: data.BatchSampler([1], -1, False),
        lambda data: data.WeightedRandomSampler([[1.0]], 1),
        lambda data: data.ConcatDataset([]),
        lambda data: data.StackDataset([1], [1, 2]),
        lambda data: data.random_split(range(3), [1, 1]),
        lambda data: data.Dataset()[0],
        lambda data: data.DistributedSampler(range(3), 2, 2),
        lambda data: data.DistributedSampler(range(3), 2, -1),
        lambda data: data.DistributedSampler(range(3)),
        lambda data: data.DistributedSampler(range(3), 2),
    ],
)
def test_bad_arguments_raise_the_same_class(build: Any) -> None:
    classes = []
    for module in MODULES:
        with pytest.raises(Exception) as caught:
            build(module.utils.data)
        classes.append(type(caught.value))
    assert issubclass(classes[0], classes[1])


#: What PyTorch keeps of TorchData's pipes, whose development it ended.
PIPES = {
    "argument_validation", "DataChunk", "DFIterDataPipe", "functional_datapipe", "guaranteed_datapipes_determinism",
    "IterDataPipe", "MapDataPipe", "non_deterministic", "runtime_validation", "runtime_validation_disabled",
}  # fmt: skip


def test_the_same_names() -> None:
    assert set(torch.utils.data.__all__) - set(tc.utils.data.__all__) == PIPES


def repeating(module: Any, unlock: bool) -> Any:
    """The loader of programs that keep their workers for all epochs, as they wrote it before there was an option."""

    class Repeat:
        def __init__(self, sampler: Any) -> None:
            self.sampler = sampler

        def __iter__(self) -> Iterator[Any]:
            while True:
                yield from iter(self.sampler)

    class Loader(module.utils.data.DataLoader):  # type: ignore[misc, name-defined]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            if unlock:
                self._DataLoader__initialized = False
                self.batch_sampler = Repeat(self.batch_sampler)
                self._DataLoader__initialized = True
            else:
                object.__setattr__(self, "batch_sampler", Repeat(self.batch_sampler))
            self.iterator = super().__iter__()

        def __len__(self) -> int:
            return len(self.batch_sampler.sampler)

        def __iter__(self) -> Iterator[Any]:
            for _ in range(len(self)):
                yield next(self.iterator)

    return Loader


@pytest.mark.parametrize("unlock", [True, False])
@pytest.mark.parametrize("workers", [0, 2])
def test_loaders_that_repeat(unlock: bool, workers: int) -> None:
    def program(module: Any) -> Any:
        loader = repeating(module, unlock)(range(10), 4, shuffle=True, num_workers=workers)
        return [list(loader) for _ in range(3)]

    same(program)


def test_the_same_signatures() -> None:
    import inspect

    for name in tc.utils.data.__all__:
        theirs = getattr(torch.utils.data, name, None)
        if theirs is None or name in ("Dataset", "IterableDataset", "Sampler"):
            continue
        ours = getattr(tc.utils.data, name)
        assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters), name

"""tensorcore.cuda: what it says where there is no device, and what it does with one (a runtime of the test's own)."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from types import SimpleNamespace

import pytest

import tensorcore as tc
from tensorcore.devices import forget_kinds
from tensorcore.errors import BackendUnavailableError, DeviceError, OutOfMemoryError, PluginError
from tensorcore.plugins.host import host

without_device = pytest.mark.skipif(tc.cuda.is_available(), reason="there is a CUDA device")


# ---------------------------------------------------------------- without a device


@without_device
def test_probes_say_no_and_do_not_raise():
    cuda = tc.cuda
    assert cuda.is_available() is False
    assert cuda.device_count() == 0
    assert cuda.is_initialized() is False
    assert cuda.is_current_stream_capturing() is False
    assert cuda.get_arch_list() == []
    assert cuda.memory_allocated() == cuda.max_memory_allocated() == cuda.memory_reserved() == 0
    assert cuda.memory_stats() == {}
    assert "Allocated memory" in cuda.memory_summary()
    cuda.empty_cache()
    cuda.reset_peak_memory_stats()


CALLS = {
    "init": lambda: tc.cuda.init(),
    "current_device": lambda: tc.cuda.current_device(),
    "set_device": lambda: tc.cuda.set_device(0),
    "device": lambda: tc.cuda.device(0),
    "get_device_name": lambda: tc.cuda.get_device_name(),
    "get_device_properties": lambda: tc.cuda.get_device_properties(0),
    "get_device_capability": lambda: tc.cuda.get_device_capability("cuda"),
    "synchronize": lambda: tc.cuda.synchronize(),
    "Stream": lambda: tc.cuda.Stream(),
    "current_stream": lambda: tc.cuda.current_stream(),
    "default_stream": lambda: tc.cuda.default_stream(),
    "Event.record": lambda: tc.cuda.Event().record(),
    "mem_get_info": lambda: tc.cuda.mem_get_info(),
    "graph_pool_handle": lambda: tc.cuda.graph_pool_handle(),
    "zeros": lambda: tc.zeros(2, device="cuda"),
    "to": lambda: tc.zeros(2).to("cuda"),
    "cuda": lambda: tc.zeros(2).cuda(),
}


@without_device
@pytest.mark.parametrize("name", CALLS)
def test_what_needs_a_device_says_why_there_is_none(name):
    with pytest.raises(BackendUnavailableError) as caught:
        CALLS[name]()
    text = str(caught.value)
    assert "device 'cuda' is not available: " in text
    if importlib.util.find_spec("cupy") is None:
        assert 'cupy is not installed; to install: pip install "tensorcore-framework[cuda13]"' in text
    else:
        assert "driver" in text or "GPU" in text


@without_device
def test_the_state_shows_the_reason():
    (state,) = [each for each in host.states() if each.name == "cuda"]
    assert state.state in ("unavailable", "failed")
    assert "cupy" in state.reason or "driver" in state.reason or "GPU" in state.reason
    assert state.devices == ()


@without_device
def test_seeding_does_nothing():
    tc.manual_seed(7)
    tc.cuda.manual_seed(1)
    tc.cuda.manual_seed_all(2)
    tc.cuda.seed()
    assert tc.initial_seed() == tc.cuda.initial_seed() == 7
    with pytest.raises(TypeError, match="expected an int, got str"):
        tc.cuda.manual_seed("7")


def test_importing_starts_nothing():
    code = "import sys, tensorcore; assert not {'cupy', 'tensorcore_cuda.backend'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_block_without_a_stream_changes_nothing():
    with tc.cuda.stream(None), tc.cuda.device(None), tc.cuda.device(-1), tc.cuda.device_of(tc.zeros(1)):
        assert tc.ones(1).item() == 1


def test_public_names_are_those_of_the_package():
    for name in tc.cuda.__all__:
        assert getattr(tc.cuda, name) is not None
    assert tc.cuda.OutOfMemoryError is OutOfMemoryError


# ---------------------------------------------------------------- with a device


class Runtime:
    """A runtime of two devices whose streams and events are strings."""

    def __init__(self):
        self.current = 0
        self.streams = {0: "default", 1: "default"}
        self.calls = []
        self.capturing = None

    def device_count(self):
        return 2

    def current_device(self):
        return self.current

    def set_device(self, index):
        self.current = index

    def device_properties(self, index):
        return {"name": f"GPU {index}", "major": 9, "minor": index, "total_memory": 2**30, "multi_processor_count": 4}

    def can_access_peer(self, index, peer):
        return index != peer

    def new_stream(self, index, priority):
        return f"stream {index}.{priority}"

    def current_stream(self, index):
        return self.streams[index]

    def default_stream(self, index):
        return "default"

    def set_stream(self, stream, index):
        self.streams[index] = stream

    def stream_handle(self, stream):
        return sum(map(ord, stream))

    def stream_priority(self, stream):
        return int(stream[-1])

    def new_event(self, index, timing, blocking, interprocess):
        return f"event on {index}"

    def elapsed_milliseconds(self, start, end):
        return 1.5

    def memory_statistics(self, index):
        return {"allocated": 10 + index, "allocated_peak": 20, "reserved": 30, "reserved_peak": 40, "allocations": 5,
                "refusals": 1, "limit": 0}  # fmt: skip

    def is_capturing(self):
        return self.capturing is not None

    def begin_capture(self, stream, pool):
        if stream == "default":
            raise RuntimeError("cannot capture on the default stream")
        self.capturing = (stream, pool)

    def end_capture(self, stream):
        graph, self.capturing = f"graph of {stream}", None
        return graph

    def new_pool(self):
        return "pool"

    def __getattr__(self, name):
        # Calls that return nothing are noted.
        def note(*args):
            self.calls.append((name, *args))

        return note


@pytest.fixture
def engine():
    before = host.loaded("cuda")
    made = Runtime()
    host.require_known("cuda")
    host._loaded["cuda"] = SimpleNamespace(runtime=made)
    yield made
    if before is None:
        del host._loaded["cuda"]
    else:
        host._loaded["cuda"] = before
    forget_kinds({"cuda"})


def test_devices(engine):
    assert tc.cuda.is_available() and tc.cuda.is_initialized() and tc.cuda.device_count() == 2
    tc.cuda.set_device("cuda:1")
    assert tc.cuda.current_device() == 1
    tc.cuda.set_device(-1)
    assert tc.cuda.current_device() == 1
    assert tc.cuda.get_device_name() == "GPU 1"
    assert tc.cuda.get_device_name(0) == tc.cuda.get_device_name(tc.device("cuda:0")) == "GPU 0"
    assert tc.cuda.get_device_capability() == (9, 1)
    assert tc.cuda.get_arch_list() == ["sm_90", "sm_91"]
    assert tc.cuda.is_bf16_supported()
    assert "name='GPU 1', major=9, minor=1, total_memory=1024MB" in repr(tc.cuda.get_device_properties())
    assert tc.cuda.can_device_access_peer(0, 1)
    tc.cuda.synchronize(0)
    assert engine.calls == [("synchronize", 0)]


def test_a_device_block_puts_the_device_back(engine):
    with tc.cuda.device(1):
        assert engine.current == 1
        with tc.cuda.device("cuda:0"):
            assert engine.current == 0
        assert engine.current == 1
    assert engine.current == 0


@pytest.mark.parametrize(
    ("device", "message"),
    [(2, "'cuda:2' does not exist: there are 2"), ("cpu", "expected a cuda device, got 'cpu'"), (-3, "does not exist")],
)
def test_wrong_devices_are_refused(engine, device, message):
    with pytest.raises(DeviceError, match=message):
        tc.cuda.get_device_name(device)


def test_a_stream_block_puts_device_and_stream_back(engine):
    stream = tc.cuda.Stream(device=1, priority=2)
    assert (stream.device, stream.priority) == (tc.device("cuda:1"), 2)
    with tc.cuda.stream(stream):
        assert engine.current == 1
        assert tc.cuda.current_stream() == stream
        assert tc.cuda.current_stream(0) == tc.cuda.default_stream(0)
        with stream:
            assert tc.cuda.current_stream() == stream
    assert engine.current == 0
    assert engine.streams == {0: "default", 1: "default"}


def test_a_stream_block_puts_back_after_an_error(engine):
    with pytest.raises(KeyError), tc.cuda.stream(tc.cuda.Stream(1)):
        raise KeyError
    assert engine.streams[1] == "default"


def test_streams_are_equal_by_address(engine):
    assert tc.cuda.Stream(0) == tc.cuda.Stream(0)
    assert tc.cuda.Stream(0) != tc.cuda.Stream(1)
    assert len({tc.cuda.Stream(0), tc.cuda.Stream(0)}) == 1
    assert tc.cuda.Stream(0) != "stream"


def test_streams_wait_for_one_another(engine):
    first, second = tc.cuda.Stream(0, 0), tc.cuda.Stream(0, 1)
    second.wait_stream(first)
    assert engine.calls == [("record_event", "event on 0", "stream 0.0"), ("stream_wait", "stream 0.1", "event on 0")]


def test_events(engine):
    event = tc.cuda.Event(enable_timing=True)
    assert event.query()
    event.wait()
    event.synchronize()
    assert engine.calls == []
    end = tc.cuda.Event(enable_timing=True)
    with pytest.raises(RuntimeError, match="must be recorded first"):
        event.elapsed_time(end)
    event.record()
    end.record(tc.cuda.Stream(0))
    assert event.elapsed_time(end) == 1.5
    with pytest.raises(ValueError, match="enable_timing=True"):
        event.elapsed_time(tc.cuda.Event())
    with pytest.raises(RuntimeError, match="belongs to 'cuda:0', the stream to 'cuda:1'"):
        event.record(tc.cuda.Stream(1))


def test_memory(engine):
    assert tc.cuda.memory_allocated() == 10 and tc.cuda.memory_allocated(1) == 11
    assert tc.cuda.max_memory_allocated() == 20
    assert tc.cuda.memory_reserved() == 30 and tc.cuda.max_memory_reserved() == 40
    assert tc.cuda.memory_stats()["allocated_bytes.all.peak"] == 20
    assert "cuda:0" in tc.cuda.memory_summary()
    tc.cuda.set_per_process_memory_fraction(0.5, 1)
    tc.cuda.empty_cache()
    assert engine.calls == [("limit_memory", 0.5, 1), ("release_cached_memory",)]
    with pytest.raises(ValueError, match=r"from 0 to 1, got 1\.5"):
        tc.cuda.set_per_process_memory_fraction(1.5)


def test_a_graph_is_recorded_and_replayed(engine):
    graph = tc.cuda.CUDAGraph()
    with pytest.raises(RuntimeError, match="nothing has been recorded"):
        graph.replay()
    with tc.cuda.graph(graph):
        assert tc.cuda.is_current_stream_capturing()
        assert engine.capturing == ("stream 0.0", "pool")
    assert not tc.cuda.is_current_stream_capturing()
    assert graph.pool() == "pool"
    graph.replay()
    assert engine.calls[-1] == ("launch_graph", "graph of stream 0.0", "default")
    assert engine.streams[0] == "default"
    graph.reset()
    assert graph.pool() is None


def test_a_recording_that_fails_shows_what_failed(engine):
    graph = tc.cuda.CUDAGraph()

    def broken(stream):
        engine.capturing = None
        raise RuntimeError("the capture was invalidated")

    engine.end_capture = broken
    with pytest.raises(KeyError), tc.cuda.graph(graph):
        raise KeyError
    assert engine.streams[0] == "default"
    with pytest.raises(RuntimeError, match="invalidated"), tc.cuda.graph(graph):
        pass


def test_recordings_are_begun_and_ended_in_order(engine):
    graph = tc.cuda.CUDAGraph()
    with pytest.raises(RuntimeError, match="no recording is under way"):
        graph.capture_end()
    with pytest.raises(RuntimeError, match="default stream"):
        graph.capture_begin()
    with pytest.raises(ValueError, match="capture_error_mode"):
        graph.capture_begin(capture_error_mode="never")
    with tc.cuda.stream(tc.cuda.Stream()):
        graph.capture_begin()
        with pytest.raises(RuntimeError, match="already"):
            graph.capture_begin()
        graph.capture_end()


def test_seeds_go_to_the_one_generator(engine):
    tc.manual_seed(7)
    tc.cuda.manual_seed_all(3)
    assert tc.initial_seed() == 3
    state = tc.cuda.get_rng_state()
    first = tc.rand(3).tolist()
    tc.cuda.set_rng_state(state)
    assert tc.rand(3).tolist() == first


def test_a_backend_without_a_runtime_breaks_the_contract(engine):
    host._loaded["cuda"] = SimpleNamespace()
    with pytest.raises(PluginError, match=r"no runtime for tensorcore\.cuda"):
        tc.cuda.synchronize()
    assert tc.cuda.is_available() is False

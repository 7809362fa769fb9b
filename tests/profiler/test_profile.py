"""The profiler: what it records, how that adds up, and what it leaves behind."""

from __future__ import annotations

import gzip
import json
import re
import threading

import pytest

import tensorcore as tc
from tensorcore import nn
from tensorcore.autograd import graph
from tensorcore.nn.modules.hooks import everywhere
from tensorcore.observation import _bodies, recorders
from tensorcore.profiler import ProfilerActivity, profile, record_function, schedule, tensorboard_trace_handler


def model():
    return nn.Sequential(nn.Linear(4, 8), nn.Sequential(nn.ReLU(), nn.Linear(8, 8)), nn.Linear(8, 2))


def profiled(**options):
    net = model()
    optimizer = tc.optim.SGD(net.parameters(), lr=0.1)
    with profile(**options) as prof:
        with record_function("forward"):
            loss = net(tc.ones(3, 4)).exp().sum()
        loss.backward()
        optimizer.step()
    return prof


def named(prof, name):
    return [event for event in prof.events() if event.name == name]


def test_ops_rules_ranges_and_steps_are_events():
    prof = profiled()
    names = [event.name for event in prof.events()]
    assert names.count("linear") == 3 and "ExpBackward0" in names and "Optimizer.step#SGD.step" in names
    (exp,), (outer,) = named(prof, "exp"), named(prof, "forward")
    assert exp.cpu_parent is outer and outer.is_user_annotation and not exp.is_user_annotation
    inside = [event.name for event in named(prof, "Optimizer.step#SGD.step")[0].cpu_children]
    assert inside.count("sgd_update") == 6


def test_rules_belong_to_their_forward_op():
    prof = profiled(with_modules=True)
    (exp,), (rule,) = named(prof, "exp"), named(prof, "ExpBackward0")
    assert exp.sequence_nr == rule.sequence_nr >= 0 and rule.scope == 1 and rule.fwd_thread == exp.thread
    assert [event.name for event in rule.cpu_children] == ["exp_gradient"]
    linear = [event for event in prof.events() if event.name == "linear"]
    assert [event.module for event in linear] == ["0 (Linear)", "1.1 (Linear)", "2 (Linear)"]
    assert {event.module for event in named(prof, "AddmmBackward0")} == {event.module for event in linear}


def test_times_add_up():
    prof = profiled()
    for event in prof.events():
        assert event.time_range.start <= event.time_range.end and event.self_cpu_time_total >= -1e-6
        inside = sum(child.cpu_time_total for child in event.cpu_children)
        assert event.cpu_time_total == pytest.approx(event.self_cpu_time_total + inside)
        for child in event.cpu_children:
            assert event.time_range.start <= child.time_range.start and child.time_range.end <= event.time_range.end
    top = sum(event.cpu_time_total for event in prof.events() if event.cpu_parent is None)
    assert prof.events().self_cpu_time_total == pytest.approx(top)
    assert sum(row.self_cpu_time_total for row in prof.key_averages()) == pytest.approx(top)


def test_memory_is_what_results_take_and_give_back():
    x = tc.ones(256, 4)
    with profile(profile_memory=True) as prof:
        with record_function("kept"):
            kept = x.exp()
        with record_function("dropped"):
            x.exp()
        with record_function("view"):
            kept[1:].t()
        del kept
    kept, dropped, view = (named(prof, name)[0] for name in ("kept", "dropped", "view"))
    assert kept.cpu_memory_usage == 4096 and kept.self_cpu_memory_usage == 0
    assert dropped.cpu_memory_usage == 0 and dropped.self_cpu_memory_usage == -4096
    assert view.cpu_memory_usage == 0
    assert [event.self_cpu_memory_usage for event in named(prof, "exp")] == [4096, 4096]
    assert prof._memory[-1][2] == 0


def test_shapes_stacks_and_flops():
    with profile(record_shapes=True, with_stack=True, with_flops=True) as prof:
        tc.ones(3, 4) @ tc.ones(4, 5)
        nn.functional.conv2d(tc.ones(2, 3, 8, 8), tc.ones(6, 3, 3, 3))
    (product,) = named(prof, "matmul")
    assert product.input_shapes == [[3, 4], [4, 5]] and product.flops == 2 * 3 * 5 * 4
    assert "test_profile.py" in product.stack[0] and "test_shapes_stacks_and_flops" in product.stack[0]
    assert product.input_dtypes == ["float32", "float32"]
    counted = [event.flops for event in prof.events() if event.name.startswith("conv") and event.flops]
    assert counted == [2 * (2 * 6 * 6 * 6) * (3 * 3 * 3)]
    grouped = prof.key_averages(group_by_input_shape=True, group_by_stack_n=1)
    (row,) = [row for row in grouped if row.key == "matmul"]
    assert row.input_shapes == [[3, 4], [4, 5]] and len(row.stack) == 1
    assert (
        "Total FLOPs" in grouped.table() and "Input Shapes" in grouped.table() and "Source Location" in grouped.table()
    )


def test_sums_are_by_name_or_by_name_and_shapes():
    with profile(record_shapes=True) as prof:
        for side in (2, 2, 3):
            tc.ones(side).exp()
    (row,) = [row for row in prof.key_averages() if row.key == "exp"]
    assert row.count == 3 and row.cpu_time == pytest.approx(row.cpu_time_total / 3)
    assert sorted(row.count for row in prof.key_averages(group_by_input_shape=True) if row.key == "exp") == [1, 2]
    assert prof.key_averages().total_average().count == len(prof.events())


def test_the_table():
    averages = profiled(profile_memory=True).key_averages()
    text = averages.table(sort_by="self_cpu_time_total", row_limit=3, header="a header", time_unit="us")
    lines = text.splitlines()
    assert lines[1] == "a header" and len([line for line in lines if "us" in line]) == 4
    for column in (
        "Name",
        "Self CPU %",
        "Self CPU",
        "CPU total %",
        "CPU total",
        "CPU time avg",
        "CPU Mem",
        "# of Calls",
    ):
        assert column in lines[3]
    times = [float(re.findall(r"([\d.]+)us", line)[0]) for line in lines[5:8]]
    assert times == sorted(times, reverse=True)
    assert lines[-1].startswith("Self CPU time total: ")
    assert len(averages.table(row_limit=-1).splitlines()) == len(averages) + 5
    assert "exp" not in averages._like(profiled().events()).table(top_level_events_only=True).split()
    with pytest.raises(AttributeError, match="sort_by must be one of"):
        averages.table(sort_by="colour")
    with pytest.raises(ValueError, match="time_unit"):
        averages.table(time_unit="h")


def test_modules():
    prof = profiled(with_modules=True, profile_memory=True)
    rows = {row.name: row for row in prof.module_averages()}
    assert list(rows) == [
        "Sequential", "0 (Linear)", "1 (Sequential)", "1.0 (ReLU)", "1.1 (Linear)", "2 (Linear)"
    ]  # fmt: skip
    whole = rows["Sequential"]
    inner = ("0 (Linear)", "1 (Sequential)", "2 (Linear)")
    assert whole.forward_total == pytest.approx(whole.self_forward + sum(rows[name].forward_total for name in inner))
    assert all(row.count == 1 for row in rows.values()) and rows["1.0 (ReLU)"].backward > 0
    assert rows["0 (Linear)"].memory == 3 * 8 * 4
    text = prof.module_averages().table(sort_by="backward", row_limit=2)
    assert len(text.splitlines()) == 6 and "Self forward" in text
    with pytest.raises(RuntimeError, match="with_modules=True"):
        profiled().module_averages()


def test_a_module_that_raises_is_closed():
    net = nn.Sequential(nn.Linear(2, 2))
    with profile(with_modules=True) as prof:
        with pytest.raises(RuntimeError):
            net(tc.ones(3))
        net(tc.ones(1, 2))
    assert [event.name for event in prof.events() if event.scope == 6] == ["Sequential", "0 (Linear)"] * 2


@pytest.mark.parametrize("name", ["trace.json", "trace.json.gz"])
def test_the_trace_is_json_whose_ranges_nest(tmp_path, name):
    prof = profiled(with_modules=True, profile_memory=True, record_shapes=True)
    prof.add_metadata("run", "first")
    prof.add_metadata_json("sizes", "[1, 2]")
    path = tmp_path / name
    prof.export_chrome_trace(path)
    written = path.read_bytes()
    document = json.loads(gzip.decompress(written) if name.endswith("gz") else written)
    assert document["otherData"] == {"run": "first", "sizes": [1, 2]}
    events = document["traceEvents"]
    ranges = [event for event in events if event["ph"] == "X"]
    assert {event["cat"] for event in ranges} == {"cpu_op", "backward", "module", "user_annotation"}
    for a in ranges:
        for b in ranges:
            if a["tid"] == b["tid"] and a["ts"] < b["ts"] < a["ts"] + a["dur"]:
                assert b["ts"] + b["dur"] <= a["ts"] + a["dur"] + 1e-3, "ranges of a thread nest"
    begins, ends = ({e["id"] for e in events if e["ph"] == ph} for ph in "sf")
    assert begins == ends != set(), "each arrow from an op to its rule has both ends"
    counters = [event for event in events if event["ph"] == "C"]
    assert counters and all(event["name"] == "memory in use on cpu" for event in counters)


def test_stacks_for_flame_graphs(tmp_path):
    x = tc.ones(200, 200)
    with profile(with_stack=True) as prof:
        x @ x
    prof.export_stacks(tmp_path / "stacks.txt")
    lines = (tmp_path / "stacks.txt").read_text("utf-8").splitlines()
    assert re.fullmatch(r"\S+test_stacks_for_flame_graphs;matmul \d+", lines[-1])
    with pytest.raises(ValueError, match="metric must be one of"):
        prof.export_stacks(tmp_path / "x", "count")
    with pytest.raises(ValueError, match="with_stack=True"):
        profiled().export_stacks(tmp_path / "x")


def test_memory_timeline(tmp_path):
    prof = profiled(profile_memory=True)
    prof.export_memory_timeline(tmp_path / "memory.json")
    times, sizes = json.loads((tmp_path / "memory.json").read_text("utf-8"))
    assert len(times) == len(sizes) > 5 and times == sorted(times)
    with pytest.raises(RuntimeError, match="profile_memory=True"):
        profiled().export_memory_timeline(tmp_path / "x")


def test_a_schedule_records_in_turns():
    ready = []
    plan = schedule(skip_first=1, wait=1, warmup=1, active=2, repeat=2)
    with profile(schedule=plan, on_trace_ready=lambda p: ready.append((p.step_num, len(named(p, "exp"))))) as prof:
        for _ in range(12):
            tc.ones(2).exp()
            prof.step()
    assert ready == [(5, 2), (9, 2)]
    assert [event.name for event in prof.events() if event.name.startswith("Profiler")] == [
        "ProfilerStep#7", "ProfilerStep#8"
    ]  # fmt: skip


def test_a_schedule_cut_short():
    ready = []
    plan = schedule(wait=0, warmup=1, active=5)
    with profile(schedule=plan, on_trace_ready=ready.append) as prof:
        for _ in range(3):
            tc.ones(2).exp()
            prof.step()
    assert ready == [prof] and len(named(prof, "exp")) == 2
    with pytest.warns(UserWarning, match="in the warm-up"), profile(schedule=plan):
        pass


def test_events_of_turns_can_be_kept():
    with profile(schedule=schedule(wait=1, warmup=0, active=1, repeat=2), acc_events=True) as prof:
        for _ in range(4):
            tc.ones(2).exp()
            prof.step()
    assert len(named(prof, "exp")) == 2


def test_traces_are_written_to_a_folder(tmp_path):
    with profile(on_trace_ready=tensorboard_trace_handler(tmp_path / "a", "worker", use_gzip=True)):
        tc.ones(2).exp()
    (path,) = (tmp_path / "a").iterdir()
    assert re.fullmatch(r"worker\.\d+\.pt\.trace\.json\.gz", path.name)
    assert "exp" in {event["name"] for event in json.loads(gzip.decompress(path.read_bytes()))["traceEvents"]}


def test_all_threads_are_recorded():
    with profile() as prof:
        thread = threading.Thread(target=lambda: tc.ones(3).exp())
        thread.start()
        thread.join()
        tc.ones(3).sin()
    assert named(prof, "exp")[0].thread != named(prof, "sin")[0].thread


def test_in_place_updates_stay_in_place():
    x = tc.ones(1000)
    with profile(profile_memory=True) as prof:
        x.add_(1).mul_(2)
    assert x[0].item() == 4 and prof.key_averages().total_average().cpu_memory_usage == 0
    assert {"add", "mul"} <= {event.name for event in prof.events()}


@pytest.mark.parametrize("device", ["reference", "torch", "jax"])
def test_every_device_is_seen(device):
    try:
        x = tc.ones(16, 16, device=device)
    except RuntimeError:
        pytest.skip(f"no {device}")
    with profile(profile_memory=True) as prof:
        y = (x @ x).exp()
    assert {"matmul", "exp"} <= {event.name for event in prof.events()} and y.shape == (16, 16)
    waits = device == "jax"
    assert (prof.key_averages().use_device == "jax") is waits
    if waits:
        assert named(prof, "matmul")[0].device_time_total > 0 and "JAX total" in prof.key_averages().table()
        with profile(activities=[ProfilerActivity.CPU]) as prof:
            x @ x
        assert prof.key_averages().use_device is None


def test_it_leaves_nothing_behind():
    used = everywhere.used
    with pytest.raises(ZeroDivisionError), profile(with_modules=True):
        1 / 0  # noqa: B018 - what is raised in the block
    assert not recorders and not _bodies and not graph.watchers and not graph.enclosers
    assert everywhere.used is used and not everywhere.forward
    kernel, _ = tc.ones(1)._kind.table[tc.ops.record.REGISTRY["exp"]]
    assert "timed" not in getattr(kernel, "__name__", "")


def test_profilers_nest_and_ranges_without_one_do_nothing():
    with record_function("nobody"), profile() as outer, profile() as inner:
        tc.ones(2).exp()
    assert len(named(outer, "exp")) == len(named(inner, "exp")) == 1 and not named(outer, "nobody")


def test_record_function_decorates():
    @record_function("work")
    def work(x):
        return x + 1

    with profile() as prof:
        assert work(tc.ones(1)).item() == 2
    assert len(named(prof, "work")) == 1


def test_batches_of_a_loader_are_ranges():
    data = tc.utils.data.TensorDataset(tc.arange(4.0))
    with profile() as prof:
        list(tc.utils.data.DataLoader(data, batch_size=2))
    assert sum(event.name.startswith("enumerate(DataLoader)") for event in prof.events()) == 3


def test_compiled_functions_still_work():
    @tc.compile
    def f(x):
        return (x * 2 + 1).sum()

    with profile() as prof:
        first = [f(tc.ones(3)).item() for _ in range(4)]
    assert first == [f(tc.ones(3)).item() for _ in range(4)] == [9.0] * 4
    assert [event.is_user_annotation for event in prof.events() if event.name.startswith("<compiled ")] == [True] * 2


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: profile(activities=["cpu"]), ValueError, "an activity is one of"),
        (lambda: profile(activities=[]), ValueError, "no activities"),
        (lambda: profile(execution_trace_observer=1), ValueError, "PyTorch's own"),
        (lambda: schedule(wait=-1, warmup=0, active=1), ValueError, "wait=-1"),
        (lambda: schedule(wait=0, warmup=0, active=0), ValueError, "at least one"),
        (lambda: schedule(wait=0, warmup=0, active=1)(-1), ValueError, "counted from 0"),
        (lambda: profile().events(), RuntimeError, "nothing has been recorded"),
        (lambda: tc.autograd.profiler.emit_nvtx(), NotImplementedError, "emit_nvtx: there is no"),
        (lambda: tc.autograd.profiler.emit_itt(), NotImplementedError, "use tensorcore.profiler"),
        (lambda: tc.autograd.profiler.load_nvprof("x"), NotImplementedError, "load_nvprof"),
    ],
)
def test_bad_input(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_the_older_profiler():
    with tc.autograd.profiler.profile(record_shapes=True) as prof:
        tc.ones(2).exp()
    assert "exp" in prof.key_averages().table() and prof.self_cpu_time_total > 0 and "exp" in str(prof)
    assert prof.total_average().count == len(prof.function_events)
    with tc.autograd.profiler.profile(enabled=False) as nothing:
        tc.ones(2).exp()
    assert nothing is None


def test_operations_are_counted_once_forward_and_backward():
    weight = tc.ones(6, 3, 3, 3, requires_grad=True)
    x = tc.ones(2, 3, 8, 8, requires_grad=True)
    with profile(with_flops=True) as prof:
        nn.functional.conv2d(x, weight).sum().backward()
        tc.bmm(tc.ones(2, 3, 4), tc.ones(2, 4, 5))
    whole = 2 * (2 * 6 * 6 * 6) * (3 * 3 * 3)
    counted = [event.flops for event in prof.events() if event.name.startswith("convolution")]
    assert counted == [whole] * 3
    assert sum(event.flops for event in prof.events()) == 3 * whole + 2 * 2 * 3 * 4 * 5

"""Event files, read with TensorBoard's own reader and compared with those by ``torch.utils.tensorboard``."""

from __future__ import annotations

import io
import math
import subprocess
import sys
import wave

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("tensorboard")

import tensorcore as tc  # noqa: E402
from tensorcore.errors import ArgumentError, ShapeError  # noqa: E402
from tensorcore.utils.tensorboard import SummaryWriter  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Could not find")

MODULES = {"own": (tc, SummaryWriter)}


@pytest.fixture(scope="module")
def theirs():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.utils.tensorboard import SummaryWriter as Writer
    return Writer


def events(folder):
    """All events under a folder, by file."""
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    found = []
    for path in sorted(folder.rglob("events.out.tfevents.*")):
        found += [(str(path.parent.relative_to(folder)), event) for event in LegacyEventFileLoader(str(path)).Load()]
    return found


def values(folder):
    """(folder, tag, step, time, content) of each value."""
    found = []
    for place, event in events(folder):
        for value in event.summary.value:
            found.append((place, value.tag, event.step, event.wall_time, value))
    return found


def both(tmp_path, theirs, program):
    """What a program writes with either library."""
    for name, library, writer in (("own", tc, SummaryWriter), ("theirs", torch, theirs)):
        with writer(tmp_path / name) as made:
            program(made, library)
    return values(tmp_path / "own"), values(tmp_path / "theirs")


def picture(value):
    from PIL import Image

    image = Image.open(io.BytesIO(value.image.encoded_image_string))
    return image.size, image.mode, image.tobytes()


PROGRAMS = {
    "scalar": lambda w, lib: [w.add_scalar("loss", 1 / (k + 1), k, 100.0 + k) for k in range(4)],
    "scalar of a tensor": lambda w, lib: w.add_scalar("a/b", lib.tensor([2.5]), 7, 1.0),
    "scalar without a step": lambda w, lib: w.add_scalar("a", 3, walltime=1.0),
    "new style": lambda w, lib: w.add_scalar("a", 0.1, 1, 1.0, new_style=True),
    "double precision": lambda w, lib: w.add_scalar("a", 0.1, 1, 1.0, new_style=True, double_precision=True),
    "scalars": lambda w, lib: w.add_scalars("run/a", {"x": 1.0, "y": lib.tensor(2.0)}, 3, 5.0),
    "text": lambda w, lib: w.add_text("notes", "# Title\n*é*", 1, 1.0),
    "histogram": lambda w, lib: w.add_histogram("h", lib.arange(100).float() / 7 - 3, 1, walltime=1.0),
    "histogram of ints": lambda w, lib: w.add_histogram("h", lib.tensor([1, 1, 5]), 1, walltime=1.0),
    "histogram of one value": lambda w, lib: w.add_histogram("h", lib.zeros(3), 1, walltime=1.0),
    "histogram of 5": lambda w, lib: w.add_histogram("h", lib.arange(10.0), 1, bins=5, walltime=1.0),
    "histogram of edges": lambda w, lib: w.add_histogram("h", lib.arange(10.0), 1, bins=[0, 1, 5, 20], walltime=1.0),
    "histogram joined": lambda w, lib: w.add_histogram("h", lib.arange(99.0), 1, bins=20, max_bins=6, walltime=1.0),
    "histogram auto": lambda w, lib: w.add_histogram("h", lib.arange(50.0) ** 2, 1, bins="auto", walltime=1.0),
    "histogram scott": lambda w, lib: w.add_histogram("h", lib.arange(50.0) ** 2, 1, bins="scott", walltime=1.0),
    "histogram sturges": lambda w, lib: w.add_histogram("h", lib.arange(50.0) ** 2, 1, bins="sturges", walltime=1.0),
    "histogram sqrt": lambda w, lib: w.add_histogram("h", lib.arange(50.0) ** 2, 1, bins="sqrt", walltime=1.0),
    "histogram rice": lambda w, lib: w.add_histogram("h", lib.arange(50.0) ** 2, 1, bins="rice", walltime=1.0),
    "raw histogram": lambda w, lib: w.add_histogram_raw("h", 0, 3, 2, 3, 5, [1.0, 2, 3], [0, 1, 1], 2, 1.0),
    "tensor": lambda w, lib: w.add_tensor("t", lib.arange(6.0).reshape(2, 3), 2, 1.0),
    "curve": lambda w, lib: w.add_pr_curve(
        "p", lib.tensor([0, 1, 1, 0]), lib.tensor([0.1, 0.9, 0.4, 0.6]), 2, 5, walltime=1.0),
    "raw curve": lambda w, lib: w.add_pr_curve_raw("p", *[lib.tensor([1, 2])] * 6, 2, 2, walltime=1.0),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_as_pytorch_writes(tmp_path, theirs, name):
    own, expected = both(tmp_path, theirs, PROGRAMS[name])
    assert expected
    for found, wanted in zip(own, expected, strict=True):
        assert found[:4] == wanted[:4]
        a, b = found[4], wanted[4]
        if b.HasField("histo"):
            assert list(a.histo.bucket) == list(b.histo.bucket)
            assert list(a.histo.bucket_limit) == pytest.approx(list(b.histo.bucket_limit), rel=1e-6, abs=1e-12)
            facts = ("min", "max", "num", "sum", "sum_squares")
            assert [getattr(a.histo, each) for each in facts] == pytest.approx(
                [getattr(b.histo, each) for each in facts], rel=1e-6
            )
        else:
            assert a == b


IMAGES = {
    "CHW": lambda lib: (lib.arange(24.0).reshape(3, 2, 4) / 24, "CHW"),
    "one channel": lambda lib: (lib.arange(8.0).reshape(1, 2, 4) / 8, "CHW"),
    "HWC of bytes": lambda lib: (lib.arange(24).reshape(2, 4, 3).to(lib.uint8), "HWC"),
    "HW": lambda lib: (lib.arange(8.0).reshape(2, 4) / 8, "HW"),
    "WH": lambda lib: (lib.arange(8.0).reshape(2, 4) / 8, "WH"),
    "out of range": lambda lib: (lib.arange(8.0).reshape(2, 4) - 3, "HW"),
    "NCHW": lambda lib: (lib.arange(120.0).reshape(10, 3, 2, 2) / 120, "NCHW"),
    "three": lambda lib: (lib.arange(12.0).reshape(3, 1, 2, 2) / 12, "NCHW"),
    "one of many": lambda lib: (lib.arange(12.0).reshape(1, 3, 2, 2) / 12, "NCHW"),
    "NHWC": lambda lib: (lib.arange(24.0).reshape(2, 2, 2, 3) / 24, "NHWC"),
}


@pytest.mark.parametrize("name", IMAGES)
def test_images(tmp_path, theirs, name):
    def program(writer, library):
        image, order = IMAGES[name](library)
        (writer.add_images if "N" in order else writer.add_image)("i", image, 3, 1.0, dataformats=order)

    (own,), (expected,) = both(tmp_path, theirs, program)
    assert own[:4] == expected[:4]
    assert picture(own[4]) == picture(expected[4])
    assert (own[4].image.height, own[4].image.width) == (expected[4].image.height, expected[4].image.width)


def test_images_with_alpha(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        writer.add_image("i", tc.ones(4, 2, 3))
    assert picture(values(tmp_path)[0][4])[:2] == ((3, 2), "RGBA")


def test_figures(tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    def drawn():
        figure = pyplot.figure(figsize=(2, 1), dpi=50)
        figure.add_subplot().plot([1, 2, 3])
        return figure

    kept = drawn()
    with SummaryWriter(tmp_path) as writer:
        writer.add_figure("one", drawn(), 1)
        writer.add_figure("two", [kept, drawn()], 1, close=False)
    one, two = [picture(each[4]) for each in values(tmp_path)]
    assert one[0] == (100, 50)
    assert two[0] == (200, 50)
    assert len(set(one[2])) > 10
    assert kept.number in pyplot.get_fignums()
    assert len(pyplot.get_fignums()) == 2
    pyplot.close("all")


def test_sound(tmp_path, theirs):
    (own,), (expected,) = both(
        tmp_path, theirs, lambda w, lib: w.add_audio("s", lib.sin(lib.arange(100.0))[None], 2, 8000, 1.0)
    )
    assert own[4].audio.length_frames == expected[4].audio.length_frames == 100
    files = (io.BytesIO(each[4].audio.encoded_audio_string) for each in (own, expected))
    with wave.open(next(files)) as a, wave.open(next(files)) as b:
        assert a.getparams() == b.getparams()


def test_films(tmp_path):
    image = pytest.importorskip("PIL.Image")
    with SummaryWriter(tmp_path) as writer:
        writer.add_video("v", tc.rand(2, 5, 3, 4, 6), 1, fps=10)
    found = values(tmp_path)[0][4].image
    film = image.open(io.BytesIO(found.encoded_image_string))
    assert (found.height, found.width, film.n_frames, film.size) == (4, 12, 5, (12, 4))


def test_hyperparameters(tmp_path, theirs):
    own, expected = both(
        tmp_path,
        theirs,
        lambda w, lib: w.add_hparams(
            {"lr": 0.1, "layers": 3, "name": "adam", "bias": True, "decay": lib.tensor([0.5])},
            {"accuracy": 0.5, "loss": 1.5},
            {"name": ["adam", "sgd"], "bias": [True, False]},
            run_name="one",
            global_step=4,
        ),
    )
    assert [each[:3] for each in own] == [each[:3] for each in expected]
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    def content(value):
        data = HParamsPluginData.FromString(value.metadata.plugin_data.content)
        # The time at which it was written.
        data.session_start_info.ClearField("start_time_secs")
        data.session_end_info.ClearField("end_time_secs")
        return data

    for a, b in zip(own, expected, strict=True):
        if b[4].metadata.plugin_data.plugin_name == "hparams":
            assert [info.name for info in content(a[4]).experiment.hparam_infos] == [
                info.name for info in content(b[4]).experiment.hparam_infos
            ]
            assert content(a[4]).session_start_info.hparams == content(b[4]).session_start_info.hparams
            assert content(a[4]).session_end_info == content(b[4]).session_end_info
        else:
            assert a[4].simple_value == b[4].simple_value


def test_points(tmp_path):
    points, images = tc.arange(6.0).reshape(3, 2), tc.rand(3, 1, 4, 5)
    with SummaryWriter(tmp_path) as writer:
        writer.add_embedding(points, ["a", "b", "c"], images, 2, "first")
        writer.add_embedding(points, [["x", 1], ["y", 2], ["z", 3]], tag="second", metadata_header=["name", "n"])
        writer.add_embedding(points, ["a", "b", "c"], images, 2, "first")
    from google.protobuf import text_format
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    config = text_format.Parse((tmp_path / "projector_config.pbtxt").read_text(), ProjectorConfig())
    second, first = config.embeddings
    assert (tmp_path / first.tensor_path).read_text() == "0.0\t1.0\n2.0\t3.0\n4.0\t5.0\n"
    assert (tmp_path / first.metadata_path).read_text() == "a\nb\nc\n"
    assert (tmp_path / second.metadata_path).read_text() == "name\tn\nx\t1\ny\t2\nz\t3\n"
    assert list(first.sprite.single_image_dim) == [5, 4]
    from PIL import Image

    with Image.open(tmp_path / first.sprite.image_path) as sprite:
        assert sprite.size == (10, 8)


def test_graphs(tmp_path):
    model = tc.nn.Sequential(tc.nn.Linear(2, 3), tc.nn.ReLU(), tc.nn.Linear(3, 1))
    with SummaryWriter(tmp_path) as writer:
        writer.add_graph(model, tc.ones(4, 2))
    from tensorboard.compat.proto.graph_pb2 import GraphDef

    (graph,) = [GraphDef.FromString(event.graph_def) for _, event in events(tmp_path) if event.graph_def]
    nodes = {node.name: node for node in graph.node}
    assert {"0/weight", "0/bias", "2/weight", "2/bias", "input_0", "output_0"} <= set(nodes)
    relu = next(name for name in nodes if name.startswith("Sequential/ReLU[1]/"))
    assert [side.size for side in nodes[relu].attr["_output_shapes"].list.shape[0].dim] == [4, 3]
    assert nodes[relu].input[0].startswith("Sequential/Linear[0]/")
    assert all(name.partition(":")[0] in nodes for node in nodes.values() for name in node.input)
    assert not model[0]._forward_hooks
    with SummaryWriter(tmp_path / "b") as writer:
        with pytest.raises(ArgumentError, match="input_to_model"):
            writer.add_graph(model)
        with pytest.raises(ArgumentError, match="no output depends"):
            writer.add_graph(tc.nn.Identity(), tc.ones(2, dtype=tc.int64))


def test_charts(tmp_path, theirs):
    layout = {"a": {"x": ["Multiline", ["l/1", "l/2"]], "y": ["Margin", ["v", "low", "high"]]}}
    own, expected = both(tmp_path, theirs, lambda w, lib: w.add_custom_scalars(layout))
    assert [each[4] for each in own] == [each[4] for each in expected]


def test_what_earlier_files_say_is_purged(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with SummaryWriter(tmp_path) as writer:
        for step in range(6):
            writer.add_scalar("a", step, step)
    with SummaryWriter(tmp_path, purge_step=3, filename_suffix=".later") as writer:
        writer.add_scalar("a", 30, 3)
    found = EventAccumulator(str(tmp_path))
    found.Reload()
    assert [(each.step, each.value) for each in found.Scalars("a")] == [(0, 0), (1, 1), (2, 2), (3, 30)]


def test_closing_and_going_on(tmp_path):
    writer = SummaryWriter(tmp_path, filename_suffix=".x")
    writer.add_scalar("a", 1, 1)
    writer.flush()
    assert [each[1:3] for each in values(tmp_path)] == [("a", 1)]
    writer.close()
    writer.close()
    writer.add_scalar("a", 2, 2)
    writer.close()
    assert sorted(each[2] for each in values(tmp_path)) == [1, 2]
    assert writer.get_logdir() == writer.log_dir == str(tmp_path)


def test_the_folder_by_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with SummaryWriter(comment="-note") as writer:
        assert writer.log_dir.startswith("runs")
        assert writer.log_dir.endswith("-note")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda w: w.add_scalar("a", tc.ones(2)), ShapeError, "expected one number"),
        (lambda w: w.add_image("a", tc.ones(2, 2)), ShapeError, "3 dimensions"),
        (lambda w: w.add_image("a", tc.ones(2, 2, 2)), ShapeError, "1, 3 or 4 channels"),
        (lambda w: w.add_image("a", tc.ones(2, 2), dataformats="XY"), ArgumentError, "dataformats"),
        (lambda w: w.add_histogram("a", tc.ones(0)), ShapeError, "no elements"),
        (lambda w: w.add_histogram("a", tc.ones(1), bins="many"), ArgumentError, "bins"),
        (lambda w: w.add_histogram("a", tc.ones(1), bins=[2, 1]), ArgumentError, "increase"),
        (lambda w: w.add_histogram("a", tc.ones(1), bins=0), ArgumentError, "at least one bin"),
        (lambda w: w.add_histogram_raw("a", 0, 1, 1, 1, 1, [1], [1, 2]), ArgumentError, "as many limits"),
        (lambda w: w.add_hparams({"a": []}, {}), ArgumentError, "'a' is a list"),
        (lambda w: w.add_hparams([], {}), ArgumentError, "is a dict"),
        (lambda w: w.add_hparams({}, {}, {"b": [1]}), ArgumentError, "which hparam_dict has not"),
        (lambda w: w.add_embedding(tc.ones(3)), ShapeError, "one row for each point"),
        (lambda w: w.add_embedding(tc.ones(3, 2), ["a"]), ShapeError, "1 labels for 3 points"),
        (lambda w: w.add_embedding(tc.ones(1, 2), ["a"], metadata_header=["x"]), ArgumentError, "parts"),
        (lambda w: w.add_embedding(tc.ones(3, 2), label_img=tc.ones(2, 1, 1, 1)), ShapeError, "label_img"),
        (lambda w: w.add_video("a", tc.ones(3)), ShapeError, "time"),
        (lambda w: w.add_audio("a", tc.ones(2, 3)), ShapeError, "one channel"),
        (lambda w: w.add_custom_scalars({"a": {"b": ["Pie", []]}}), ArgumentError, "Multiline"),
        (lambda w: w.add_pr_curve("a", tc.ones(2), tc.ones(3)), ShapeError, "2 labels for 3"),
    ],
)
def test_wrong_calls(tmp_path, call, error, message):
    with SummaryWriter(tmp_path) as writer, pytest.raises(error, match=message):
        call(writer)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_are_none(tmp_path, value):
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("a", value)
        writer.add_histogram("h", tc.tensor([1.0, 2.0, value]), bins=[0.0, 1.5, 3.0])
    assert str(values(tmp_path)[0][4].simple_value) == str(value)


def test_without_tensorboard(tmp_path):
    code = (
        "import sys; sys.modules['tensorboard'] = None\n"
        "from tensorcore.utils.tensorboard import SummaryWriter\n"
        "SummaryWriter('x')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "pip install tensorboard" in done.stderr
    assert not list(tmp_path.iterdir())

"""Pictures of autograd graphs: what is drawn, where, and in which formats."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import combinations

import pytest

import tensorcore as tc
from tensorcore import nn
from tensorcore.viz.layout import _crossings, place
from tensorcore.viz.picture import FORMATS

SVG = "{http://www.w3.org/2000/svg}"


def model():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


def picture(**options):
    net = model()
    return tc.viz.graph(net(tc.ones(3, 4)).sum(), net, **options)


def test_text_is_a_tree_from_the_output_to_named_leaves():
    assert str(picture(format="text")).splitlines() == [
        "output  scalar",
        "└─ sum  scalar",
        "   └─ linear  3×2",
        "      ├─ relu  3×8",
        "      │  └─ linear  3×8",
        "      │     ├─ 0.weight  8×4",
        "      │     └─ 0.bias  8",
        "      ├─ 2.weight  2×8",
        "      └─ 2.bias  2",
    ]


def test_what_is_used_twice_is_told_once():
    x = tc.ones(2, requires_grad=True)
    y = x * x
    text = tc.viz.graph((y + y.exp()).sum(), format="text").to_text()
    assert text.count("mul") == 2 and "mul  2 (above)" in text


def test_svg_is_xml_with_every_box_and_arrow():
    drawn = picture()
    root = ET.fromstring(drawn.to_svg())
    texts = [each.text for each in root.iter(f"{SVG}text")]
    assert {"0.weight", "8×4", "relu", "output"} <= set(texts)
    paths = [each for each in root.iter(f"{SVG}path") if each.get("marker-end")]
    assert len(paths) == len(drawn.drawing.arrows) == 8
    width, height = float(root.get("width")), float(root.get("height"))
    for box in root.iter(f"{SVG}rect"):
        assert (
            float(box.get("x", 0)) >= -0.1 and float(box.get("width")) <= width and float(box.get("height")) <= height
        )
    assert drawn._repr_svg_() == str(drawn)


def test_names_are_escaped():
    x = tc.ones(1, requires_grad=True)
    drawn = tc.viz.graph(x.sum(), {'a<"b">&': x})
    ET.fromstring(drawn.to_svg())
    assert "a&lt;" in drawn.to_svg() and '\\"b\\"' in drawn.to_dot() and '"b"' not in drawn.to_mermaid()


def test_mermaid_and_dot_have_every_arrow():
    drawn = picture()
    assert drawn.to_mermaid().startswith("flowchart TD\n") and drawn.to_mermaid().count(" --> ") == 8
    assert drawn.to_dot().startswith("digraph {") and drawn.to_dot().count(" -> ") == 8


def test_save_writes_what_the_ending_says(tmp_path):
    pytest.importorskip("matplotlib")
    drawn = picture(format="dot")
    starts = {".svg": b"<svg", ".png": b"\x89PNG", ".mmd": b"flowchart", ".dot": b"digraph", ".txt": b"output"}
    for ending, start in starts.items():
        assert drawn.save(tmp_path / f"g{ending}").read_bytes().startswith(start)
    assert drawn.save(tmp_path / "g.unknown").read_bytes().startswith(b"digraph")
    assert isinstance(drawn.render("png"), bytes) and drawn._repr_png_() is None


def test_saved_tensors_are_drawn_on_request():
    x = tc.ones(2, 3, requires_grad=True)
    y = x.exp().sum()
    assert "saved" not in tc.viz.graph(y).to_text()
    assert "saved result  2×3" in tc.viz.graph(y, saved=True).to_text()
    y.backward()
    assert "saved" not in tc.viz.graph(y, saved=True).to_text(), "what is freed is not there to be drawn"


def test_outputs_of_one_op_are_told_apart():
    values, _ = tc.tensor([[3.0, 1.0]], requires_grad=True).sort()
    assert "2 outputs" in tc.viz.graph(values.sum()).to_text()


def test_several_outputs_custom_functions_and_leaves():
    class Double(tc.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = tc.ones(2, requires_grad=True)
    text = tc.viz.graph([Double.apply(x), x]).to_text()
    assert text == "output  2\n└─ Double  2\n   └─ leaf  2\noutput  2\n└─ leaf  2"


def test_a_leaf_used_often_is_drawn_at_each_use():
    x = tc.ones(1, requires_grad=True)
    y = x
    for _ in range(6):
        y = y * x
    assert sum(box.kind == "leaf" for box in tc.viz.graph(y).drawing.boxes) == 7


def test_large_graphs_are_refused_without_recursion():
    y = x = tc.ones(1, requires_grad=True)
    for _ in range(20_000):
        y = y + 1
    with pytest.raises(ValueError, match=r"more than 1000 nodes.*max_nodes"):
        tc.viz.graph(y)
    for _ in range(3000):
        x = x + 1
    assert tc.viz.graph(x, max_nodes=5000).to_text().count("\n") == 3001


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: tc.viz.graph(tc.ones(2)), r"output 0, of shape \[2\], has no graph"),
        (lambda: picture(format="jpg"), "one of svg, png"),
        (lambda: picture().render("jpg"), "one of svg, png"),
    ],
)
def test_bad_input(call, text):
    with pytest.raises(ValueError, match=text):
        call()
    assert "svg" in FORMATS


# ---------------------------------------------------------------------- layout


def overlap(a, b, sizes, centres):
    near = [abs(centres[a][i] - centres[b][i]) * 2 < sizes[a][i] + sizes[b][i] - 1e-6 for i in (0, 1)]
    return all(near)


@pytest.mark.parametrize(
    "arrows",
    [
        [(0, 1), (1, 2), (0, 2)],
        [(i, i + 1) for i in range(19)] + [(0, 10), (3, 19), (3, 5)],
        [(i, 10 + (7 * i) % 10) for i in range(10)],
        [(i, j) for i in range(5) for j in range(5, 10)],
        [],
    ],
)
def test_boxes_do_not_overlap_and_arrows_go_down(arrows):
    count = max((end for _, end in arrows), default=3) + 1
    sizes = [(20.0 + 7 * (i % 5), 20.0 + 3 * (i % 3)) for i in range(count)]
    placed = place(sizes, arrows)
    assert not [pair for pair in combinations(range(count), 2) if overlap(*pair, sizes, placed.centres)]
    for path in placed.paths:
        heights = [y for _, y in path]
        assert heights == sorted(heights)
    for (x, y), (width, height) in zip(placed.centres, sizes, strict=True):
        assert width / 2 - 1e-6 <= x <= placed.width - width / 2 + 1e-6
        assert height / 2 - 1e-6 <= y <= placed.height - height / 2 + 1e-6


def test_a_chain_is_straight_and_a_matching_has_no_crossings():
    chain = place([(20.0, 10.0)] * 5, [(i, i + 1) for i in range(4)])
    assert len({round(x, 6) for x, _ in chain.centres}) == 1
    crossed = place([(20.0, 10.0)] * 20, [(i, 10 + (7 * i) % 10) for i in range(10)])
    assert all(abs(path[0][0] - path[-1][0]) < 1 for path in crossed.paths)


def test_crossings_are_counted_as_by_hand():
    below = [[3, 4], [2], [], [], []]
    assert _crossings([[0, 1], [2, 3, 4]], below) == 2
    assert _crossings([[1, 0], [2, 3, 4]], below) == 0

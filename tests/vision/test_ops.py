"""Boxes and regions against loops that say what they mean."""

from __future__ import annotations

import pytest

import tensorcore as tc
from tensorcore.errors import ShapeError
from tensorcore_vision import ops

np = pytest.importorskip("numpy")


def boxes(count: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    corners = rng.random((count, 2)) * 30
    return np.concatenate([corners, corners + rng.random((count, 2)) * 20 + 0.1], 1).astype(np.float32)


def overlap(a, b) -> float:
    sides = [max(0.0, min(a[2 + axis], b[2 + axis]) - max(a[axis], b[axis])) for axis in (0, 1)]
    areas = [(each[2] - each[0]) * (each[3] - each[1]) for each in (a, b)]
    common = sides[0] * sides[1]
    return common / (sum(areas) - common)


@pytest.mark.parametrize("count", [0, 1, 60, 1500])
@pytest.mark.parametrize("threshold", [0.3, 0.7])
def test_suppression_is_greedy(count, threshold):
    found, scores = boxes(count), np.random.default_rng(1).random(count).astype(np.float32)
    kept = ops.nms(tc.from_numpy(found), tc.from_numpy(scores), threshold).tolist()
    order = np.argsort(-scores, kind="stable").tolist()
    if count <= 60:
        expected = []
        for place in order:
            if all(overlap(found[place], found[other]) <= threshold for other in expected):
                expected.append(place)
        assert kept == expected
    else:
        assert kept[0] == order[0] and scores[kept].tolist() == sorted(scores[kept].tolist(), reverse=True)
        assert all(overlap(found[kept[0]], found[other]) <= threshold for other in kept[1:])


def test_suppression_by_category():
    found = tc.from_numpy(np.repeat(boxes(1), 4, 0))
    scores, kinds = tc.tensor([0.1, 0.9, 0.5, 0.7]), tc.tensor([0, 0, 1, 1])
    assert ops.batched_nms(found, scores, kinds, 0.5).tolist() == [1, 3]
    with pytest.raises(ShapeError, match=r"nms: expected shapes \(N, 4\) and \(N,\), got \(4, 4\) and \(3,\)"):
        ops.nms(found, scores[:3], 0.5)


def test_areas_do_not_overflow():
    large = tc.tensor([[0, 0, 200, 200]], dtype=tc.uint8)
    assert ops.box_area(large).tolist() == [40000]
    assert ops.box_iou(large, large).tolist() == [[1.0]]


@pytest.mark.parametrize("formats", [("xyxy", "xywh"), ("xyxy", "cxcywh"), ("xywh", "cxcywh")])
def test_formats_go_back(formats):
    start = tc.from_numpy(boxes(5))
    there = ops.box_convert(start, *formats)
    assert tc.allclose(ops.box_convert(there, *reversed(formats)), start, atol=1e-5)


def aligned(features, region, size, scale, ratio, shift):
    """RoIAlign by its definition: places in bins, each interpolated between four pixels."""
    _, rows, columns = features.shape
    x1, y1, x2, y2 = np.asarray(region) * scale - (0.5 if shift else 0.0)
    wide, tall = x2 - x1, y2 - y1
    if not shift:
        wide, tall = max(wide, 1.0), max(tall, 1.0)
    down = ratio if ratio > 0 else int(np.ceil(tall / size[0]))
    across = ratio if ratio > 0 else int(np.ceil(wide / size[1]))

    def value(y, x):
        if y < -1 or y > rows or x < -1 or x > columns:
            return np.zeros(len(features))
        y, x = np.clip(y, 0, rows - 1), np.clip(x, 0, columns - 1)
        top, left = int(y), int(x)
        bottom, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
        dy, dx = y - top, x - left
        above = features[:, top, left] * (1 - dx) + features[:, top, right] * dx
        below = features[:, bottom, left] * (1 - dx) + features[:, bottom, right] * dx
        return above * (1 - dy) + below * dy

    result = np.zeros((len(features), *size))
    for i in range(size[0]):
        for j in range(size[1]):
            for a in range(down):
                for b in range(across):
                    y = y1 + (i + (a + 0.5) / down) * tall / size[0]
                    x = x1 + (j + (b + 0.5) / across) * wide / size[1]
                    result[:, i, j] += value(y, x) / max(down * across, 1)
    return result


@pytest.mark.parametrize("shift", [False, True])
@pytest.mark.parametrize("ratio", [-1, 2])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_regions_are_averaged_at_exact_places(shift, ratio, scale):
    features = np.random.default_rng(0).standard_normal((2, 3, 11, 13))
    regions = [[0, 1.5, 2.2, 9.7, 8.1], [1, -3, -2, 30, 25], [0, 4, 4, 4.2, 4.1], [1, 10, 8, 5, 3], [0, 0, 0, 12, 10]]
    found = ops.roi_align(tc.from_numpy(features), tc.tensor(regions), (3, 2), scale, ratio, shift)
    for region, result in zip(regions, found.numpy(), strict=True):
        expected = aligned(features[int(region[0])], region[1:], (3, 2), scale, ratio, shift)
        assert result == pytest.approx(expected, abs=1e-5)


def test_regions_of_lists_and_gradients():
    features = tc.rand(2, 3, 8, 8, dtype=tc.float64).requires_grad_()
    regions = [tc.tensor([[0.0, 0, 4, 4]], dtype=tc.float64), tc.zeros(0, 4, dtype=tc.float64)]
    assert tuple(ops.RoIAlign(2, 1.0, 2)(features, regions).shape) == (1, 3, 2, 2)
    assert tc.autograd.gradcheck(lambda x: ops.roi_align(x, regions, 2, 1.0, 2, True), (features,))
    assert tuple(ops.roi_align(features, tc.zeros(0, 5), 2).shape) == (0, 3, 2, 2)
    with pytest.raises(ShapeError, match=r"expected boxes of shape \(K, 5\), the first the image, got \(2, 4\)"):
        ops.roi_align(features, tc.zeros(2, 4), 2)


def test_regions_are_pooled():
    features = tc.arange(36.0).reshape(1, 1, 6, 6)
    found = ops.roi_pool(features, tc.tensor([[0.0, 0, 0, 3, 3], [0, 9, 9, 9, 9]]), 2)
    assert found.tolist() == [[[[7.0, 9.0], [19.0, 21.0]]], [[[0.0, 0.0], [0.0, 0.0]]]]


def test_depth_is_dropped_by_rows():
    tc.manual_seed(0)
    layer = ops.StochasticDepth(0.5, "row")
    rows = layer(tc.ones(64, 3))
    assert set(rows.flatten().tolist()) == {0.0, 2.0} and tc.equal(rows[:, 0], rows[:, 2])
    assert len(set(ops.stochastic_depth(tc.ones(8, 3), 0.5, "batch").flatten().tolist())) == 1
    ones = tc.ones(2, 2)
    assert layer.eval()(ones) is ones and repr(layer) == "StochasticDepth(p=0.5, mode=row)"
    with pytest.raises(ValueError, match="mode is 'batch' or 'row', got 'all'"):
        ops.stochastic_depth(ones, 0.5, "all")


def test_layers():
    frozen = ops.FrozenBatchNorm2d(4)
    trained = tc.nn.BatchNorm2d(4).eval()
    with tc.no_grad():
        trained.running_mean.uniform_(-1, 1)
        trained.weight.uniform_(1, 2)
    frozen.load_state_dict(trained.state_dict())
    x = tc.rand(2, 4, 3, 3)
    assert tc.allclose(frozen(x), trained(x), atol=1e-6) and not list(frozen.parameters())
    assert tuple(ops.SqueezeExcitation(4, 2)(x).shape) == (2, 4, 3, 3)
    assert tuple(ops.Conv2dNormActivation(4, 6, 5, stride=2)(x).shape) == (2, 6, 2, 2)
    assert list(ops.MLP(4, [8, 2]).state_dict()) == ["0.weight", "0.bias", "3.weight", "3.bias"]
    assert tuple(ops.Permute([0, 2, 3, 1])(x).shape) == (2, 3, 3, 4)

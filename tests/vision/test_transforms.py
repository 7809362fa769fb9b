"""Transforms against arithmetic written out, and against pillow."""

from __future__ import annotations

import pytest

import tensorcore as tc
from tensorcore.errors import DTypeError, ShapeError
from tensorcore_vision.transforms import Compose, Grayscale, Lambda, Normalize, Resize, ToTensor

np = pytest.importorskip("numpy")
Image = pytest.importorskip("PIL.Image")


def test_to_tensor_of_pictures_arrays_and_tensors():
    array = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    expected = (array.transpose(2, 0, 1) / np.float32(255)).tolist()
    for pic in (array, Image.fromarray(array), tc.from_numpy(array).permute(2, 0, 1)):
        found = ToTensor()(pic)
        assert found.dtype == tc.float32 and found.tolist() == expected
    grey = ToTensor()(array[:, :, 0])
    assert tuple(grey.shape) == (1, 2, 4)
    assert ToTensor()(Image.new("1", (2, 1), 1)).tolist() == [[[1.0, 1.0]]]


def test_to_tensor_keeps_floats_and_makes_no_view():
    tensor = tc.rand(1, 2, 2)
    assert ToTensor()(tensor) is tensor
    array = np.full((2, 2), 0.25)
    found = ToTensor()(array)
    assert found.dtype == tc.float64
    array[:] = 9
    assert found.max().item() == 0.25


@pytest.mark.parametrize("pic", ["shoe.png", [1, 2], np.zeros((2, 2), np.int64), np.zeros(3, np.uint8)])
def test_to_tensor_refuses(pic):
    with pytest.raises((TypeError, ShapeError), match="ToTensor: expected"):
        ToTensor()(pic)


def test_normalize():
    image = tc.rand(4, 3, 5, 6)
    found = Normalize([0.5, 0.25, 0.0], [0.5, 2.0, 1.0])(image)
    for channel, (mean, std) in enumerate([(0.5, 0.5), (0.25, 2.0), (0.0, 1.0)]):
        assert tc.equal(found[:, channel], (image[:, channel] - mean) / std)
    kept = image.clone()
    same = Normalize([0.5], [0.5], inplace=True)(image)
    assert same is image and tc.equal(image, (kept - 0.5) / 0.5)


@pytest.mark.parametrize(
    ("mean", "std", "image", "error"),
    [
        ([0.5], [0.0], None, ValueError),
        ([0.5], [0.5, 0.5], None, ValueError),
        ([0.5], [0.5], tc.zeros(1, 2, 2, dtype=tc.uint8), DTypeError),
        ([0.5], [0.5], tc.zeros(2, 2), ShapeError),
        ([0.5, 0.5], [0.5, 0.5], tc.zeros(3, 2, 2), ShapeError),
        ([0.5], [0.5], Image.new("L", (2, 2)), TypeError),
    ],
)
def test_normalize_refuses(mean, std, image, error):
    with pytest.raises(error, match="Normalize: "):
        Normalize(mean, std)(image)


def test_grayscale():
    image = tc.rand(2, 3, 4, 5)
    expected = 0.2989 * image[:, 0] + 0.587 * image[:, 1] + 0.114 * image[:, 2]
    assert tc.allclose(Grayscale()(image), expected.unsqueeze(1))
    assert tc.equal(Grayscale(3)(image)[:, 1], Grayscale(3)(image)[:, 2])
    assert tc.equal(Grayscale()(image[:, :1]), image[:, :1])
    assert Grayscale()(tc.full((3, 1, 1), 255, dtype=tc.uint8)).dtype == tc.uint8
    with pytest.raises(ShapeError, match=r"expected shape .* got \(2, 4, 5\)"):
        Grayscale()(tc.zeros(2, 4, 5))
    with pytest.raises(ValueError, match="num_output_channels is 1 or 3, got 2"):
        Grayscale(2)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("size", [(3, 4), (20, 9), (7, 7)])
def test_resize_is_pillows(size, interpolation):
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5), dtype=np.uint8)
    for dtype, kept in ((np.uint8, tc.uint8), (np.float32, tc.float64)):
        picture = Image.fromarray(pixels.astype(dtype))
        expected = np.asarray(picture.resize((size[1], size[0]), Image.Resampling[interpolation.upper()]))
        found = Resize(size, interpolation)(tc.from_numpy(pixels).to(kept).unsqueeze(0))
        assert found.dtype == kept and found.tolist() == [expected.tolist()]


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [
        ((3, 10, 20), 5, (3, 5, 10)),
        ((20, 10), [5], (10, 5)),
        ((2, 1, 4, 4), 8, (2, 1, 8, 8)),
        ((1, 100, 1), 1, (1, 100, 1)),
    ],
)
def test_resize_of_the_shorter_side(shape, size, expected):
    assert tuple(Resize(size)(tc.rand(*shape)).shape) == expected


def test_resize_refuses():
    for size in (0, (2, 0), (1, 2, 3)):
        with pytest.raises(ValueError, match="expected a positive int"):
            Resize(size)
    with pytest.raises(ValueError, match=r"interpolation is one of nearest, .* got 'cubic'"):
        Resize(2, "cubic")
    with pytest.raises(DTypeError, match=r"got tensorcore\.int64"):
        Resize(2)(tc.zeros(2, 2, dtype=tc.int64))
    with pytest.raises(ShapeError, match=r"got \(0, 2\)"):
        Resize(2)(tc.zeros(0, 2))


def test_compose_goes_in_order_and_shows_what_it_does():
    both = Compose([ToTensor(), Normalize([0.5], [0.5])])
    assert both(Image.new("L", (2, 1), 255)).tolist() == [[[1.0, 1.0]]]
    assert repr(both) == "Compose(\n    ToTensor()\n    Normalize(mean=[0.5], std=[0.5])\n)"
    with pytest.raises(TypeError, match="Lambda: expected a function, got int"):
        Lambda(3)

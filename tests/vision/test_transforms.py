"""Transforms against arithmetic written out, and against pillow."""

from __future__ import annotations

import pytest

import tensorcore as tc
from tensorcore.errors import DTypeError, ShapeError
from tensorcore_vision import transforms as T
from tensorcore_vision.transforms import Compose, Grayscale, Lambda, Normalize, Resize, ToTensor, v2

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


@pytest.mark.parametrize("pic", ["shoe.png", [1, 2], np.zeros(3, np.uint8), np.zeros((1, 2, 3, 4), np.uint8)])
def test_to_tensor_refuses(pic):
    with pytest.raises((TypeError, ShapeError), match="to_tensor: expected"):
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
        ([0.5], [0.0], tc.zeros(1, 2, 2), ValueError),
        ([0.5, 0.5], [0.5, 0.5], tc.zeros(3, 2, 2), ShapeError),
        ([0.5], [0.5], tc.zeros(1, 2, 2, dtype=tc.uint8), DTypeError),
        ([0.5], [0.5], tc.zeros(2, 2), ShapeError),
        ([0.5], [0.5], Image.new("L", (2, 2)), TypeError),
    ],
)
def test_normalize_refuses(mean, std, image, error):
    with pytest.raises(error, match="normalize: "):
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
def test_resize_of_pictures_is_pillows(size, interpolation):
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (7, 5), dtype=np.uint8))
    expected = picture.resize((size[1], size[0]), Image.Resampling[interpolation.upper()])
    assert Resize(size, interpolation)(picture).tobytes() == expected.tobytes()


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(3, 4), (20, 9)])
def test_resize_of_tensors_is_nearly_pillows(size, interpolation):
    pixels = np.random.default_rng(0).random((7, 5), dtype=np.float32)
    expected = Image.fromarray(pixels).resize((size[1], size[0]), Image.Resampling[interpolation.upper()])
    found = Resize(size, interpolation)(tc.from_numpy(pixels).unsqueeze(0))
    if interpolation == "bilinear":
        assert found[0].numpy() == pytest.approx(np.asarray(expected), abs=1e-6)
    # Pillow's cubic has another coefficient where an image grows: -0.5, PyTorch's -0.75.
    assert found.shape == (1, *size)


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
    with pytest.raises(ValueError, match=r"interpolation is an InterpolationMode, one of nearest, .* got 'cubic'"):
        Resize(2, "cubic")
    with pytest.raises(ValueError, match=r"tensors take nearest, .* got 'lanczos'; use a Pillow image"):
        Resize(2, "lanczos")(tc.zeros(1, 3, 3))
    with pytest.raises(ShapeError, match="an image of 0×2 has no pixels"):
        Resize(2)(tc.zeros(0, 2))
    with pytest.raises(ValueError, match="max_size must be larger than the size 4, got 3"):
        Resize(4, max_size=3)(tc.zeros(1, 9, 9))


def test_compose_goes_in_order_and_shows_what_it_does():
    both = Compose([ToTensor(), Normalize([0.5], [0.5])])
    assert both(Image.new("L", (2, 1), 255)).tolist() == [[[1.0, 1.0]]]
    assert repr(both) == "Compose(\n    ToTensor()\n    Normalize(mean=[0.5], std=[0.5])\n)"
    with pytest.raises(TypeError, match="Lambda: expected a function, got int"):
        Lambda(3)


def test_arguments_are_refused():
    for make, message in [
        (lambda: T.RandomHorizontalFlip(1.5), "p is a probability, from 0 to 1, got 1.5"),
        (lambda: T.Pad((1, 2, 3)), "padding is an int or has 1, 2 or 4 elements, got 3"),
        (lambda: T.Pad(1, padding_mode="wrap"), "padding_mode is one of constant, .* got 'wrap'"),
        (lambda: T.ColorJitter(hue=0.7), "hue goes from -0.5 to 0.5"),
        (lambda: T.RandomRotation(-3), "degrees as one number must not be negative"),
        (lambda: T.GaussianBlur(4), "kernel_size is odd and positive, got 4"),
        (lambda: T.RandomErasing(value="noise"), "value is a number, numbers or 'random'"),
        (lambda: T.RandomCrop(9)(tc.zeros(1, 4, 4)), "a crop of 9×9 is larger than the image of 4×4"),
        (lambda: T.RandomAffine(1, scale=(0, 1)), r"scales are positive, got \(0, 1\)"),
        (lambda: T.LinearTransformation(tc.zeros(2, 3), tc.zeros(2)), "expected a square matrix"),
        (lambda: v2.Compose([]), "expected at least one transform"),
        (lambda: v2.MixUp()(tc.zeros(2, 3, 4, 4), tc.tensor([0, 1])), "num_classes is needed"),
        (lambda: v2.CutMix(num_classes=3)(tc.zeros(3, 4, 4), tc.tensor([0, 1])), "expected a batch of 2 in 4 dim"),
        (lambda: v2.JPEG(0), "the quality goes from 1 to 100, got 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()


@pytest.mark.parametrize("device", ["cpu", "reference", "array_api_strict"])
def test_transforms_run_on_every_device(device):
    image = tc.arange(3 * 6 * 6, device="cpu").reshape(3, 6, 6).to(tc.uint8)
    steps = [
        T.RandomCrop(5), T.RandomHorizontalFlip(1.0), T.ColorJitter(0.3, 0.3, 0.3), T.RandomRotation(20),
        T.ConvertImageDtype(tc.float32), T.Normalize([0.5], [0.5]), T.RandomErasing(1.0, (0.1, 0.2), (1.0, 1.0)),
    ]  # fmt: skip
    results = []
    for place in ("cpu", device):
        tc.manual_seed(1)
        results.append(T.Compose(steps)(image.to(place)))
    assert str(results[1].device) == device
    assert tc.allclose(results[1].to("cpu"), results[0], atol=1e-5)


def test_jpeg_and_noise():
    image = (tc.rand(3, 16, 16) * 255).to(tc.uint8)
    worse, better = (v2.JPEG(quality)(image).to(tc.float32) - image for quality in (5, 95))
    assert better.abs().mean() < worse.abs().mean()
    noisy = v2.GaussianNoise(sigma=0.2)(tc.full((1, 64, 64), 0.5))
    assert float(noisy.std()) == pytest.approx(0.2, abs=0.02) and float(noisy.min()) >= 0


def test_augmentation_by_mixtures():
    for image in (tc.zeros(3, 8, 8, dtype=tc.uint8), Image.new("RGB", (8, 8), "white")):
        for module in (T, v2):
            found = module.AugMix()(image)
            assert type(found) is type(image)
    white = np.asarray(T.AugMix(all_ops=False, fill=255)(Image.new("L", (8, 8), "white")))
    assert white.shape == (8, 8)

"""The same seed, the same images: every transform beside torchvision's, on tensors and Pillow images."""

from __future__ import annotations

import random
import re
from types import SimpleNamespace

import pytest

np = pytest.importorskip("numpy")
Image = pytest.importorskip("PIL.Image")
torch = pytest.importorskip("torch")

import tensorcore as tc  # noqa: E402
import tensorcore_vision  # noqa: E402
from tensorcore_vision import transforms  # noqa: E402
from tensorcore_vision.transforms import v2  # noqa: E402

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (3, 23, 27), dtype=np.uint8)
FLOATS = RNG.random((3, 23, 27), dtype=np.float32)
PICTURE = Image.fromarray(np.ascontiguousarray(BYTES.transpose(1, 2, 0)))
INPUTS = {
    "uint8": (tc.from_numpy(BYTES), torch.from_numpy(BYTES)),
    "float32": (tc.from_numpy(FLOATS), torch.from_numpy(FLOATS)),
    "pillow": (PICTURE, PICTURE),
}

#: ``T`` is the module of transforms, ``L`` the library, ``I`` the interpolations, ``white`` 1 or 255.
BOTH = [
    "Resize(9)", "Resize((9, 8), I.NEAREST)", "Resize(9, max_size=10)", "Resize((30, 31), I.BICUBIC)", "CenterCrop(9)",
    "CenterCrop((30, 9))", "Pad((1, 2), 3)", "Pad(2, padding_mode='edge')",
    "Pad((1, 2, 3, 4), padding_mode='symmetric')",
    "RandomCrop(9)", "RandomCrop(20, padding=4, padding_mode='reflect')", "RandomCrop(32, pad_if_needed=True)",
    "RandomCrop((23, 9))", "RandomResizedCrop(9)", "RandomResizedCrop((9, 7), (0.5, 0.9), (2, 3))", "FiveCrop(8)",
    "TenCrop(8)", "RandomHorizontalFlip()", "RandomVerticalFlip(0.3)", "RandomRotation(30)",
    "RandomRotation((10, 50), I.BILINEAR, True, fill=9)", "RandomRotation(30, I.BILINEAR)", "RandomAffine(20)",
    "RandomAffine(20, (0.1, 0.2), (0.8, 1.2), 10)",
    "RandomAffine(9, (0.1, 0.2), (0.8, 1.2), (1, 5, 3, 9), I.BILINEAR, 7)",
    "RandomPerspective(p=0.8)", "ColorJitter(0.4, 0.4, 0.4, 0.1)", "ColorJitter(hue=0.3)", "Grayscale()",
    "Grayscale(3)",
    "RandomGrayscale(0.5)", "GaussianBlur(5)", "GaussianBlur((3, 7), 0.8)", "RandomInvert()", "RandomPosterize(3)",
    "RandomSolarize(white / 2)", "RandomAdjustSharpness(2)", "RandomAutocontrast()", "RandomEqualize()",
    "RandomErasing()",
    "RandomErasing(value='random')", "RandomErasing(value=(1, 2, 3), p=1)", "RandomApply([T.RandomRotation(9)], 0.5)",
    "RandomChoice([T.RandomRotation(9), T.RandomCrop(8)])", "RandomOrder([T.RandomRotation(9), T.RandomCrop(8)])",
    "AutoAugment()", "AutoAugment(T.AutoAugmentPolicy.CIFAR10)", "AutoAugment(T.AutoAugmentPolicy.SVHN, fill=3)",
    "RandAugment()", "RandAugment(3, 20, interpolation=I.BILINEAR)", "TrivialAugmentWide()",
    "ElasticTransform(20.0, 2.0)", "Compose([T.RandomCrop(20, 4), T.RandomHorizontalFlip()])",
    "ConvertImageDtype(L.float64)", "Normalize([0.5], [0.5])", "PILToTensor()", "ToPILImage()", "Lambda(lambda x: x)",
]  # fmt: skip
NEW = [
    "Identity()", "RandomResize(8, 14)", "ScaleJitter((20, 20))", "RandomShortestSize([8, 10, 12])",
    "RandomShortestSize(9, max_size=10)", "RandomZoomOut(p=1)", "RandomPhotometricDistort(p=0.7)",
    "RandomChannelPermutation()", "RGB()", "ToImage()", "ToDtype(L.float32, scale=True)", "ToDtype(L.uint8)",
    "GaussianNoise()", "ToPureTensor()", "RandomPosterize(3, p=1)", "RandomEqualize(p=1)",
]  # fmt: skip
CASES = [("v1", case) for case in BOTH] + [("v2", case) for case in BOTH + NEW]
#: Compared by their repr too: those whose attributes torchvision keeps as users write them.
SHOWN = re.compile(r"(?!Rand(Augment|omErasing|omApply|omChoice|omOrder)|Lambda|Elastic|Compose|Gauss|ToPIL|Convert)")


def arrays(result: object) -> list:
    if isinstance(result, tuple | list):
        return [array for each in result for array in arrays(each)]
    return [result.numpy() if hasattr(result, "numpy") else np.asarray(result)]


def outcome(library, module, case: str, image: object, seed: int, white: float):
    library.manual_seed(seed)
    random.seed(seed)
    try:
        names = {"T": module, "L": library, "I": module.InterpolationMode, "white": white}
        made = eval(f"T.{case}", names)
        return arrays(made(image)), library.rand(1).item(), repr(made)
    except Exception as error:
        return error


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize(("version", "case"), CASES)
def test_a_seed_gives_torchvisions_images(torchvision, kind, version, case):
    ours, theirs = (transforms, torchvision.transforms) if version == "v1" else (v2, torchvision.transforms.v2)
    white = 1.0 if kind == "float32" else 255.0
    mine, other = INPUTS[kind]
    for seed in range(4):
        found, expected = (
            outcome(library, module, case, image, seed, white)
            for library, module, image in ((tc, ours, mine), (torch, theirs, other))
        )
        if isinstance(expected, Exception):
            assert isinstance(found, TypeError | ValueError | RuntimeError), (found, expected)
            return
        assert not isinstance(found, Exception), found
        assert found[1] == expected[1], "another number of draws"
        if version == "v1" and SHOWN.match(case):
            assert found[2] == expected[2].replace("torch.", "tensorcore.")
        assert len(found[0]) == len(expected[0])
        for one, two in zip(found[0], expected[0], strict=True):
            assert one.shape == two.shape and one.dtype == two.dtype
            close(one, two, version == "v2", chained="Augment" in case)


def close(found, expected, eight_bits: bool, chained: bool) -> None:
    """Floating pixels to rounding; 8-bit ones equal but for ties, which torchvision's fixed-point v2 breaks its way."""
    if found.dtype.kind == "f":
        apart = np.abs(found - expected) > 1e-4
        assert apart.mean() < 0.01  # a place on the border between two pixels may fall to either
        return
    apart = np.abs(found.astype(int) - expected.astype(int))
    assert (apart > 1).mean() < (0.05 if chained or eight_bits else 0.005)
    assert (apart > 0).mean() < (0.3 if eight_bits or chained else 0.03)


FUNCTIONS = [
    "crop(x, 2, 3, 5, 6)", "crop(x, -2, 10, 9, 12)", "center_crop(x, [40, 8])", "pad(x, [-1, 2, -3, 4])",
    "pad(x, [-1, 2, 3, -4], padding_mode='symmetric')", "resize(x, [9, 8], antialias=False)",
    "resize(x, 6, max_size=7)",
    "resize(x, [5, 6], I.NEAREST_EXACT)", "resized_crop(x, 1, 2, 8, 9, [4, 5])", "ten_crop(x, 5, True)",
    "rotate(x, -77, I.NEAREST, True)", "rotate(x, 20, I.BILINEAR, center=[2, 3], fill=[3.0, 1.0, 2.0])",
    "affine(x, 10, [2, -3], 1.2, [5.0, 7.0])", "affine(x, 10.0, [1, 1], 0.8, 3.0, I.BILINEAR, center=[4, 5])",
    "perspective(x, [[0, 0], [26, 0], [26, 22], [0, 22]], [[2, 1], [24, 2], [25, 20], [1, 21]])",
    "adjust_brightness(x, 1.4)", "adjust_contrast(x, 0.6)", "adjust_saturation(x, 1.7)", "adjust_hue(x, 0.2)",
    "adjust_hue(x, -0.5)", "adjust_gamma(x, 1.7)", "adjust_gamma(x, 0.7, 1.2)", "adjust_sharpness(x, 2.0)",
    "adjust_sharpness(x, 0.3)", "invert(x)", "posterize(x, 3)", "autocontrast(x)", "equalize(x)",
    "rgb_to_grayscale(x, 3)",
    "gaussian_blur(x, [3, 7], [0.7, 1.3])", "convert_image_dtype(x, L.int16)", "convert_image_dtype(x, L.float16)",
    "normalize(x, [0.1, 0.2, 0.3], [0.4, 0.5, 0.6])", "to_tensor(x)", "pil_to_tensor(x)", "get_dimensions(x)",
    "get_image_size(x)", "get_image_num_channels(x)", "solarize(x, 300)", "posterize(x, 9)", "adjust_hue(x, 0.6)",
    "adjust_contrast(x, -1)", "gaussian_blur(x, 4)", "pad(x, [1, 2, 3])", "resize(x, [1, 2, 3])", "five_crop(x, 99)",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Anti-alias option")
@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("call", FUNCTIONS)
def test_functions_are_torchvisions(torchvision, kind, call):
    from torchvision.transforms import functional as theirs

    results = []
    for library, module, image in ((tc, transforms.functional, INPUTS[kind][0]), (torch, theirs, INPUTS[kind][1])):
        try:
            names = {"f": module, "x": image, "I": module.InterpolationMode, "L": library}
            results.append(arrays(eval(f"f.{call}", names)))
        except Exception as error:
            results.append(error)
    found, expected = results
    if isinstance(expected, Exception):
        # to_tensor takes tensors too.
        assert isinstance(found, TypeError | ValueError | RuntimeError) or call.startswith("to_tensor"), expected
        return
    assert not isinstance(found, Exception), found
    for one, two in zip(found, expected, strict=True):
        assert one.shape == two.shape and one.dtype == two.dtype
        close(one, two, False, False)


# Samples


def sample(library, kinds) -> dict:
    return {
        "image": kinds.Image(library.arange(3 * 21 * 23).reshape(3, 21, 23).to(library.uint8)),
        "boxes": kinds.BoundingBoxes(
            library.tensor([[1.0, 2, 7, 9], [3, 3, 19, 20]]), format="XYXY", canvas_size=(21, 23)
        ),
        "labels": library.tensor([4, 5]),
        "mask": kinds.Mask(library.ones(2, 21, 23, dtype=library.uint8)),
        "name": "a",
    }


@pytest.mark.parametrize(
    "case",
    [
        "RandomHorizontalFlip(1.0)", "RandomVerticalFlip(1.0)", "RandomCrop(15)", "RandomResizedCrop(9)", "Resize(11)",
        "RandomIoUCrop()", "RandomZoomOut(p=1.0)", "RandomPhotometricDistort()", "RandomAffine(20)", "CenterCrop(30)",
        "RandomRotation(30, expand=True)", "SanitizeBoundingBoxes()", "ConvertBoundingBoxFormat('CXCYWH')",
        "ClampBoundingBoxes()", "ToDtype(L.float32, True)", "ToPureTensor()", "RandomPerspective(p=1.0)", "Pad(3)",
        "Compose([T.RandomIoUCrop(), T.SanitizeBoundingBoxes()])", "ElasticTransform(9.0)", "ColorJitter(0.5)",
    ],
)  # fmt: skip
def test_all_parts_of_a_sample_go_along(torchvision, case):
    from torchvision import tv_tensors

    for seed in range(3):
        results = []
        for library, module, kinds in (
            (tc, v2, tensorcore_vision.tv_tensors),
            (torch, torchvision.transforms.v2, tv_tensors),
        ):
            library.manual_seed(seed)
            made = eval(f"T.{case}", {"T": module, "L": library})
            results.append(made(sample(library, kinds)))
        for key, expected in results[1].items():
            found = results[0][key]
            assert type(found).__name__ == type(expected).__name__
            if key != "name":
                assert tuple(found.shape) == tuple(expected.shape)
                assert np.abs(found.numpy().astype(float) - expected.numpy()).max(initial=0) <= 1.01
            if hasattr(expected, "canvas_size"):
                # torchvision's boxes and its image disagree about the size of a turned canvas.
                turned = results[0]["image"].shape[-2:] if "expand" in case else expected.canvas_size
                assert found.canvas_size == tuple(turned)
                assert found.format.value == expected.format.value


@pytest.mark.parametrize("case", ["MixUp(num_classes=6)", "CutMix(num_classes=6)"])
def test_mixing_is_torchvisions(torchvision, case):
    for seed in range(4):
        mixed = []
        for library, module in ((tc, v2), (torch, torchvision.transforms.v2)):
            library.manual_seed(seed)
            images = library.rand(4, 3, 8, 9)
            mixed.append(eval(f"T.{case}", {"T": module})(images, library.tensor([0, 2, 4, 5])))
        for found, expected in zip(*mixed, strict=True):
            assert found.numpy() == pytest.approx(expected.numpy(), abs=1e-5)


# Models, ops and drawing

SMALL = ["resnet18", "resnet50", "resnext50_32x4d", "mobilenet_v2", "squeezenet1_0", "squeezenet1_1", "densenet121"]


@pytest.mark.parametrize("name", SMALL)
def test_models_begin_and_answer_alike(torchvision, name):
    tc.manual_seed(3)
    ours = tensorcore_vision.models.get_model(name, num_classes=7)
    torch.manual_seed(3)
    theirs = torchvision.models.get_model(name, num_classes=7)
    found, expected = ours.state_dict(), theirs.state_dict()
    assert list(found) == list(expected) and repr(ours) == repr(theirs)
    for key, value in expected.items():
        assert np.allclose(found[key].numpy(), value.numpy(), rtol=0, atol=1e-6), key
    images = np.random.default_rng(1).random((2, 3, 64, 64), dtype=np.float32)
    with tc.no_grad(), torch.no_grad():
        answer = ours.eval()(tc.from_numpy(images)).numpy()
        other = theirs.eval()(torch.from_numpy(images)).numpy()
    assert answer == pytest.approx(other, abs=1e-4 * max(1, float(np.abs(other).max())))


def test_names_and_weights_are_torchvisions(torchvision):
    models = tensorcore_vision.models
    assert set(models.list_models()) <= set(torchvision.models.list_models(torchvision.models))
    for name in models.list_models():
        found, expected = models.get_model_weights(name), torchvision.models.get_model_weights(name)
        assert found.__name__ == expected.__name__ and list(found.__members__) == list(expected.__members__)
        for member in expected.__members__:
            one, two = found[member], expected[member]
            assert one.url == two.url and one.meta["num_params"] == two.meta["num_params"]
            assert member == "IMAGENET1K_FEATURES" or one.meta["categories"] == two.meta["categories"]
            shown = [vars(each.transforms()) for each in (one, two)]
            assert shown[0]["crop_size"] == shown[1]["crop_size"]
            assert shown[0]["resize_size"] == shown[1]["resize_size"] and shown[0]["mean"] == list(shown[1]["mean"])


def test_the_images_of_weights_are_torchvisions(torchvision):
    found = tensorcore_vision.models.ResNet50_Weights.DEFAULT.transforms()(PICTURE)
    expected = torchvision.models.ResNet50_Weights.DEFAULT.transforms()(PICTURE)
    assert found.numpy() == pytest.approx(expected.numpy(), abs=1e-6)


@pytest.mark.parametrize(
    "call",
    [
        "make_grid(x)", "make_grid(x, nrow=3, padding=5, pad_value=0.5)", "make_grid(x, normalize=True)",
        "make_grid(x, normalize=True, scale_each=True, value_range=None)", "make_grid(x[0])", "make_grid(x[:, :1])",
        "make_grid(x, normalize=True, value_range=(0.2, 0.8))", "make_grid([x[0], x[1]])", "make_grid(x[0, 0])",
        "make_grid(list(x), nrow=2, padding=0)", "make_grid(x[:1])",
    ],
)  # fmt: skip
def test_grids_are_torchvisions(torchvision, call):
    pixels = np.random.default_rng(2).random((5, 3, 4, 6), dtype=np.float32)
    found = eval(f"u.{call}", {"u": tensorcore_vision.utils, "x": tc.from_numpy(pixels)})
    expected = eval(f"u.{call}", {"u": torchvision.utils, "x": torch.from_numpy(pixels)})
    assert found.numpy() == pytest.approx(expected.numpy(), abs=1e-6)


def test_drawing_is_torchvisions(torchvision):
    image = np.zeros((3, 40, 50), np.uint8)
    for kind in ("uint8", "float32"):
        results = []
        for library, tools in ((tc, tensorcore_vision.utils), (torch, torchvision.utils)):
            canvas = library.from_numpy(image).to(getattr(library, kind))
            boxes = library.tensor([[2, 3, 20, 30], [10, 5, 45, 38]])
            options = {"labels": ["a", None], "colors": ["red", (0, 255, 9)], "fill": True, "width": 2}
            drawn = [tools.draw_bounding_boxes(canvas, boxes, **options)]
            masks = library.zeros(2, 40, 50, dtype=library.bool)
            masks[0, 5:20, 5:20] = True
            masks[1, 15:30, 15:30] = True
            if kind == "uint8":
                drawn.append(tools.draw_segmentation_masks(canvas + 50, masks, 0.6, colors=["blue", "#ff0000"]))
            points = library.tensor([[[5.0, 5], [30, 20], [10, 35]]])
            drawn.append(tools.draw_keypoints(canvas, points, [(0, 1), (1, 2)], colors="green"))
            results.append(drawn)
        for found, expected in zip(*results, strict=True):
            assert found.numpy() == pytest.approx(expected.numpy(), abs=1)


def test_losses_and_overlaps_are_torchvisions(torchvision):
    rng = np.random.default_rng(3)
    corners = rng.random((9, 2)) * 20
    boxes = np.concatenate([corners, corners + rng.random((9, 2)) * 10 + 0.1], 1).astype(np.float32)
    logits, targets = rng.standard_normal(9).astype(np.float32), (rng.random(9) > 0.5).astype(np.float32)
    calls = [
        "box_area(b)", "box_iou(b, b.flip(0))", "generalized_box_iou(b, b.flip(0))", "distance_box_iou(b, b.flip(0))",
        "complete_box_iou(b, b.flip(0))", "box_convert(b, 'xyxy', 'xywh')", "box_convert(b, 'xyxy', 'cxcywh')",
        "box_convert(b, 'cxcywh', 'xyxy')", "box_convert(b, 'xywh', 'cxcywh')", "clip_boxes_to_image(b, (12, 15))",
        "remove_small_boxes(b, 4.0)", "sigmoid_focal_loss(x, t)", "sigmoid_focal_loss(x, t, -1, 3, 'mean')",
        "masks_to_boxes(m)",
    ]  # fmt: skip
    masks = np.zeros((2, 8, 9), bool)
    masks[0, 2:5, 3:8] = masks[1, 7, 0] = True
    for call in calls:
        found, expected = (
            eval(
                f"o.{call}",
                {
                    "o": ops,
                    "b": make(boxes),
                    "x": make(logits),
                    "t": make(targets),
                    "m": make(masks),
                },
            )
            for ops, make in ((tensorcore_vision.ops, tc.from_numpy), (torchvision.ops, torch.from_numpy))
        )
        assert found.numpy() == pytest.approx(expected.numpy(), abs=1e-5), call


def test_a_program_with_its_imports_changed(torchvision):
    def program(vision, library) -> object:
        data = vision.datasets.FakeData(6, (3, 20, 20), 4)
        steps = vision.transforms.Compose(
            [
                vision.transforms.RandomResizedCrop(16),
                vision.transforms.RandomHorizontalFlip(),
                vision.transforms.ColorJitter(0.2, 0.2, 0.2, 0.1),
                vision.transforms.ToTensor(),
                vision.transforms.Normalize((0.5, 0.5, 0.5), (0.2, 0.2, 0.2)),
                vision.transforms.RandomErasing(0.5),
            ]
        )
        library.manual_seed(1)
        data.transform = steps
        loader = library.utils.data.DataLoader(data, batch_size=3, shuffle=True)
        return [(images.numpy(), labels.tolist()) for images, labels in loader]

    ours = program(tensorcore_vision, SimpleNamespace(manual_seed=tc.manual_seed, utils=tc.utils))
    theirs = program(torchvision, torch)
    for (found, labels), (expected, others) in zip(ours, theirs, strict=True):
        assert labels == others and found == pytest.approx(expected, abs=1e-5)

"""Models by name, their published weights, and what the images they were trained on went through."""

from __future__ import annotations

import fnmatch
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import tensorcore as tc
from tensorcore import nn
from tensorcore_vision.transforms import functional as F
from tensorcore_vision.transforms.functional.images import InterpolationMode

__all__ = [
    "Weights",
    "WeightsEnum",
    "get_model",
    "get_model_builder",
    "get_model_weights",
    "get_weight",
    "list_models",
]

_WHERE: Final = "https://download.pytorch.org/models/"


class ImageClassification(nn.Module):
    """What turns an image into the input of a classifier: resized, cropped in the middle, from 0 to 1, normalised."""

    def __init__(
        self,
        *,
        crop_size: int,
        resize_size: int = 256,
        mean: Sequence[float] = (0.485, 0.456, 0.406),
        std: Sequence[float] = (0.229, 0.224, 0.225),
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.crop_size = [crop_size]
        self.resize_size = [resize_size]
        self.mean = list(mean)
        self.std = list(std)
        self.interpolation = interpolation
        self.antialias = antialias

    def forward(self, img: Any) -> tc.Tensor:
        """An image, a Pillow one or a tensor of shape (..., C, H, W), as the input of a classifier."""
        img = F.resize(img, self.resize_size, self.interpolation, antialias=self.antialias)
        img = F.center_crop(img, self.crop_size)
        tensor = img if isinstance(img, tc.Tensor) else F.pil_to_tensor(img)
        return F.normalize(F.convert_image_dtype(tensor, tc.float32), self.mean, self.std)

    def __repr__(self) -> str:
        names = ("crop_size", "resize_size", "mean", "std", "interpolation")
        lines = "".join(f"\n    {name}={getattr(self, name)}" for name in names)
        return f"{type(self).__name__}({lines}\n)"


@dataclass(frozen=True)
class Weights:
    """Published weights: where they are, what images need to go through, and what is known of them."""

    url: str
    transforms: Callable[[], nn.Module]
    meta: dict[str, Any] = field(hash=False)


class WeightsEnum(Enum):
    """The published weights of a model; ``DEFAULT`` are the best."""

    @classmethod
    def verify(cls, obj: Any) -> Any:
        """One of these weights, from itself or its name; ``None`` stays ``None``.

        Raises:
            ValueError: for an unknown name.
            TypeError: for anything else.
        """
        if isinstance(obj, str):
            name = obj.removeprefix(f"{cls.__name__}.")
            if name not in cls.__members__:
                raise ValueError(f"{cls.__name__} has {', '.join(cls.__members__)}, not {obj!r}")
            return cls[name]
        if obj is not None and not isinstance(obj, cls):
            raise TypeError(f"expected weights of {cls.__name__}, got {obj!r}")
        return obj

    def get_state_dict(self, progress: bool = True, check_hash: bool = False, **options: Any) -> dict[str, Any]:
        """The weights, downloaded once into the cache of `tensorcore.hub` and checked.

        Raises:
            DownloadError: where they cannot be had; the message says where to put the file by hand.
        """
        from tensorcore.hub import load_state_dict_from_url

        state: dict[str, Any] = load_state_dict_from_url(self.url, progress=progress, check_hash=True, **options)
        return state

    @property
    def url(self) -> str:
        """Where the weights are."""
        return str(self.value.url)

    @property
    def transforms(self) -> Callable[[], nn.Module]:
        """Makes what images need to go through."""
        made: Callable[[], nn.Module] = self.value.transforms
        return made

    @property
    def meta(self) -> dict[str, Any]:
        """What is known of the weights: ``num_params``, ``min_size``, accuracy, and ``categories`` by number."""
        return _Known({**self.value.meta})

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"


class _Known(dict[str, Any]):
    # The thousand names are read when somebody asks for them.
    def __missing__(self, key: str) -> Any:
        if key != "categories":
            raise KeyError(key)
        return categories()


@cache
def categories() -> list[str]:
    """The names of ImageNet's thousand classes (ILSVRC 2012), by number."""
    path = Path(__file__).parent.parent / "data" / "imagenet_classes.txt"
    return path.read_text("utf-8").splitlines()


def imagenet(
    file: str,
    num_params: int,
    top1: float,
    top5: float,
    *,
    crop: int = 224,
    resize: int = 256,
    min_size: int = 1,
    interpolation: InterpolationMode = InterpolationMode.BILINEAR,
    **options: Any,
) -> Weights:
    """Weights of a classifier of ImageNet's classes."""
    meta = {
        "num_params": num_params,
        "min_size": (min_size, min_size),
        "_metrics": {"ImageNet-1K": {"acc@1": top1, "acc@5": top5}},
    }
    made = partial(ImageClassification, crop_size=crop, resize_size=resize, interpolation=interpolation, **options)
    return Weights(_WHERE + file, made, meta)


#: Builders and their weights by the names of models.
_BUILDERS: Final[dict[str, tuple[Callable[..., nn.Module], type[WeightsEnum]]]] = {}


def published(
    known: type[WeightsEnum],
    doc: str,
    build: Callable[..., nn.Module],
    *args: Any,
    sized: bool = False,
    convert: Callable[[dict[str, Any]], dict[str, Any]] = dict,
    **defaults: Any,
) -> Callable[..., nn.Module]:
    """The function that makes a model, ``build(*args, **defaults)``, which it registers under the weights' name.

    It takes ``weights``, ``progress`` and what ``build`` takes by name; ``pretrained``, torchvision's older argument,
    stands for the first weights and warns. ``sized`` models have the ``image_size`` of their weights; ``convert``
    renames the parameters of old files.
    """
    name = known.__name__.removesuffix("_Weights").lower()

    def make(*legacy: Any, weights: Any = None, progress: bool = True, **kwargs: Any) -> nn.Module:
        if len(legacy) > 1:
            raise TypeError(f"{name}: takes arguments by name, got {len(legacy)} without one")
        pretrained = kwargs.pop("pretrained", legacy[0] if legacy else None)
        if isinstance(pretrained, bool):
            first = next(iter(known))
            instead = f"weights={first!r}" if pretrained else "weights=None"
            warnings.warn(f"{name}: pretrained is out of date; use {instead}", stacklevel=2)
            weights = first if pretrained else None
        elif pretrained is not None:
            weights = pretrained
        chosen = known.verify(weights)
        if chosen is not None and kwargs.setdefault("num_classes", 1000) != 1000:
            raise ValueError(
                f"{name}: the weights are for 1000 classes, num_classes is {kwargs['num_classes']}; "
                "load them first, then replace the last layer"
            )
        if chosen is not None and sized:
            kwargs.setdefault("image_size", chosen.meta["min_size"][0])
        model = build(*args, **{**defaults, **kwargs})
        if chosen is not None:
            model.load_state_dict(convert(chosen.get_state_dict(progress=progress)))
        return model

    make.__name__ = make.__qualname__ = name
    make.__module__, make.__doc__ = known.__module__, doc
    known.__doc__ = f"The published weights of `{name}`."
    _BUILDERS[name] = (make, known)
    return make


def list_models(
    module: Any = None, include: str | Iterable[str] | None = None, exclude: str | Iterable[str] | None = None
) -> list[str]:
    """The names of the models, in order, those that match a pattern with ``*`` and ``?``.

    Args:
        module: the module that defines them; ``None`` for all.
        include: one pattern or several, one of which a name must match.
        exclude: one pattern or several, none of which it may match.

    Example:
        >>> from tensorcore_vision.models import list_models
        >>> list_models(include="resnet*", exclude="*1*")
        ['resnet34', 'resnet50']
    """

    def matches(name: str, patterns: str | Iterable[str]) -> bool:
        every = [patterns] if isinstance(patterns, str) else patterns
        return any(fnmatch.fnmatch(name, pattern) for pattern in every)

    inside = getattr(module, "__name__", None)
    found = [
        name
        for name, (build, _) in _BUILDERS.items()
        if (inside is None or build.__module__.startswith(inside))
        and (not include or matches(name, include))
        and (not exclude or not matches(name, exclude))
    ]
    return sorted(found)


def _entry(name: str) -> tuple[Callable[..., nn.Module], type[WeightsEnum]]:
    from difflib import get_close_matches

    if name.lower() not in _BUILDERS:
        near = get_close_matches(name.lower(), _BUILDERS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(sorted(_BUILDERS))}"
        raise ValueError(f"unknown model {name!r}{hint}")
    return _BUILDERS[name.lower()]


def get_model_builder(name: str) -> Callable[..., nn.Module]:
    """The function that makes a model.

    Raises:
        ValueError: for an unknown name; the message has the nearest one.
    """
    return _entry(name)[0]


def get_model(name: str, **config: Any) -> nn.Module:
    """A model by name; what follows goes to its function.

    Raises:
        ValueError: for an unknown name; the message has the nearest one.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.models import get_model
        >>> get_model("squeezenet1_1", num_classes=10)(tc.zeros(1, 3, 64, 64)).shape
        tensorcore.Size([1, 10])
    """
    return get_model_builder(name)(**config)


def get_model_weights(name: str | Callable[..., nn.Module]) -> type[WeightsEnum]:
    """The published weights of a model, by its name or its function."""
    return _entry(name if isinstance(name, str) else name.__name__)[1]


def get_weight(name: str) -> WeightsEnum:
    """Published weights by their full name, such as ``"ResNet18_Weights.IMAGENET1K_V1"``.

    Raises:
        ValueError: for an unknown name.
    """
    kind, _, member = name.partition(".")
    for _, known in _BUILDERS.values():
        if known.__name__ == kind:
            found: WeightsEnum = known.verify(member)
            return found
    raise ValueError(f"unknown weights {name!r}; expected a name such as 'ResNet18_Weights.IMAGENET1K_V1'")

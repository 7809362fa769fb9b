"""Transforms of images, with torchvision's names: Pillow images, or tensors of shape (..., C, H, W), in and out."""

from tensorcore_vision.transforms.autoaugment import *  # noqa: F403 - each module lists what is public in its __all__
from tensorcore_vision.transforms.colors import *  # noqa: F403
from tensorcore_vision.transforms.containers import *  # noqa: F403
from tensorcore_vision.transforms.crops import *  # noqa: F403
from tensorcore_vision.transforms.functional import InterpolationMode as InterpolationMode
from tensorcore_vision.transforms.pixels import *  # noqa: F403
from tensorcore_vision.transforms.warps import *  # noqa: F403

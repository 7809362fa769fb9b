"""The transforms as functions, of tensors of shape (..., C, H, W) and Pillow images, with torchvision's names."""

from tensorcore_vision.transforms.functional.color import *  # noqa: F403 - each module lists what is public in its __all__
from tensorcore_vision.transforms.functional.conversion import *  # noqa: F403
from tensorcore_vision.transforms.functional.filters import erase as erase
from tensorcore_vision.transforms.functional.filters import gaussian_blur as gaussian_blur
from tensorcore_vision.transforms.functional.geometry import *  # noqa: F403
from tensorcore_vision.transforms.functional.images import *  # noqa: F403
from tensorcore_vision.transforms.functional.warping import *  # noqa: F403

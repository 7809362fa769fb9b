"""Transforms of samples: images, masks, boxes and videos together, with torchvision's names."""

from tensorcore_vision.transforms.autoaugment import AutoAugmentPolicy as AutoAugmentPolicy
from tensorcore_vision.transforms.functional.images import InterpolationMode as InterpolationMode
from tensorcore_vision.transforms.v2 import functional as functional
from tensorcore_vision.transforms.v2.containers import *  # noqa: F403 - each module lists what is public in its __all__
from tensorcore_vision.transforms.v2.images import *  # noqa: F403
from tensorcore_vision.transforms.v2.kinds import *  # noqa: F403
from tensorcore_vision.transforms.v2.mixing import *  # noqa: F403
from tensorcore_vision.transforms.v2.sample import *  # noqa: F403
from tensorcore_vision.transforms.v2.sizes import *  # noqa: F403

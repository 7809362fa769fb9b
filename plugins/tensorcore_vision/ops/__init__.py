"""Operations of detection and vision models, with torchvision's names."""

from tensorcore_vision.ops.boxes import *  # noqa: F403 - each module lists what is public in its __all__
from tensorcore_vision.ops.layers import *  # noqa: F403
from tensorcore_vision.ops.losses import *  # noqa: F403
from tensorcore_vision.ops.regions import *  # noqa: F403

"""Models of images, with torchvision's names, parameters and state dicts."""

from tensorcore_vision.models.alexnet import *  # noqa: F403 - each module lists what is public in its __all__
from tensorcore_vision.models.densenet import *  # noqa: F403
from tensorcore_vision.models.lenet import *  # noqa: F403
from tensorcore_vision.models.mobilenetv2 import *  # noqa: F403
from tensorcore_vision.models.registry import *  # noqa: F403
from tensorcore_vision.models.resnet import *  # noqa: F403
from tensorcore_vision.models.squeezenet import *  # noqa: F403
from tensorcore_vision.models.vgg import *  # noqa: F403
from tensorcore_vision.models.vision_transformer import *  # noqa: F403

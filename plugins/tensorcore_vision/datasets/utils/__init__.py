"""Downloads and archives of data sets, under torchvision's path."""

from tensorcore_vision.datasets.archives import *  # noqa: F403 - each module lists what is public in its __all__

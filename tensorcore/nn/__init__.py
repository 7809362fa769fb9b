"""Neural networks: modules, layers, losses, and their functional forms."""

from tensorcore.nn import functional, init, modules, utils
from tensorcore.nn.modules import *  # noqa: F403 - the layers, listed by their families
from tensorcore.nn.parameter import Buffer, Parameter

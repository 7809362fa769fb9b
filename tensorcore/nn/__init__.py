"""Neural networks: modules, layers, losses, and their functional forms."""

from tensorcore.nn import common_types as common_types
from tensorcore.nn import functional as functional
from tensorcore.nn import grad as grad
from tensorcore.nn import init as init
from tensorcore.nn import modules as modules
from tensorcore.nn import parallel as parallel
from tensorcore.nn import parameter as parameter
from tensorcore.nn import utils as utils
from tensorcore.nn.modules import *  # noqa: F403 - the layers, listed by their families
from tensorcore.nn.parallel import DataParallel as DataParallel
from tensorcore.nn.parameter import Buffer as Buffer
from tensorcore.nn.parameter import Parameter as Parameter
from tensorcore.nn.parameter import UninitializedBuffer as UninitializedBuffer
from tensorcore.nn.parameter import UninitializedParameter as UninitializedParameter

"""Optimizers, schedules of their learning rates, and averages of parameters."""

from tensorcore.optim import lr_scheduler, swa_utils
from tensorcore.optim.adafactor import Adafactor
from tensorcore.optim.adam import Adam, AdamW
from tensorcore.optim.adam_variants import Adamax, NAdam, RAdam
from tensorcore.optim.adaptive import Adadelta, Adagrad, RMSprop
from tensorcore.optim.classic import ASGD, Rprop
from tensorcore.optim.lbfgs import LBFGS
from tensorcore.optim.muon import Muon
from tensorcore.optim.optimizer import Optimizer
from tensorcore.optim.sgd import SGD
from tensorcore.optim.sparse_adam import SparseAdam
from tensorcore.optim.swapping import swap_in_optimizer_params_and_state

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SparseAdam",
    "lr_scheduler",
    "swa_utils",
    "swap_in_optimizer_params_and_state",
]

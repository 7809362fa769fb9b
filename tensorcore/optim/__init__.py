"""Optimizers, and schedules of their learning rates."""

from tensorcore.optim import lr_scheduler
from tensorcore.optim.adam import Adam, AdamW
from tensorcore.optim.adam_variants import Adamax, NAdam, RAdam
from tensorcore.optim.adaptive import Adadelta, Adagrad, RMSprop
from tensorcore.optim.classic import ASGD, Rprop
from tensorcore.optim.optimizer import Optimizer
from tensorcore.optim.sgd import SGD
from tensorcore.optim.sparse_adam import SparseAdam

__all__ = [
    "ASGD",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SparseAdam",
    "lr_scheduler",
]

"""Modules that work on several devices, or for one of several processes."""

from tensorcore.nn.parallel.data_parallel import DataParallel, data_parallel
from tensorcore.nn.parallel.distributed import DistributedDataParallel
from tensorcore.nn.parallel.replicas import parallel_apply, replicate
from tensorcore.nn.parallel.scatter_gather import gather, scatter

__all__ = [
    "DataParallel",
    "DistributedDataParallel",
    "data_parallel",
    "gather",
    "parallel_apply",
    "replicate",
    "scatter",
]

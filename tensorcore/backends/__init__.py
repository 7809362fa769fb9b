"""Switches of the libraries behind PyTorch, where programs set them: ``tensorcore.backends.cudnn.benchmark = True``.

Each is kept as it was set. What it permits, such as lower precision, no kernel has to make use of; what is asked of a
library that is not used (`is_available` says so) has no effect. The contract of backends is in `tensorcore.backend`.
"""

from tensorcore.backends import cpu, cuda, cudnn, mkl, mkldnn, mps, openmp

__all__ = ["cpu", "cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp"]

"""Training by several processes, as in ``torch.distributed``, for groups of one: the names that programs use, and what
they do where there is one process. A group of more is refused.
"""

from tensorcore.distributed.collectives import *  # noqa: F403 - listed in its __all__
from tensorcore.distributed.collectives import __all__ as _collectives
from tensorcore.distributed.group import *  # noqa: F403 - listed in its __all__
from tensorcore.distributed.group import __all__ as _groups

__all__ = [*_collectives, *_groups]

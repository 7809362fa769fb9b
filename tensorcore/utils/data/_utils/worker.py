"""``torch.utils.data._utils.worker``."""

from tensorcore.utils.data.worker_info import WorkerInfo, get_worker_info

__all__ = ["WorkerInfo", "get_worker_info"]

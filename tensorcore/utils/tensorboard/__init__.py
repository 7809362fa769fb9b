"""Training curves, images and more for TensorBoard, written through the package ``tensorboard``."""

from tensorcore.utils.tensorboard.file_writer import FileWriter
from tensorcore.utils.tensorboard.writer import SummaryWriter

__all__ = ["FileWriter", "SummaryWriter"]

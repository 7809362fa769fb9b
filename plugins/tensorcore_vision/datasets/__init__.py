"""Data sets of images, with torchvision's names, attributes and samples."""

from tensorcore_vision.datasets.cifar import CIFAR10, CIFAR100
from tensorcore_vision.datasets.fakedata import FakeData
from tensorcore_vision.datasets.folder import DatasetFolder, ImageFolder
from tensorcore_vision.datasets.mnist import EMNIST, KMNIST, MNIST, FashionMNIST
from tensorcore_vision.datasets.vision import StandardTransform, VisionDataset

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "EMNIST",
    "KMNIST",
    "MNIST",
    "DatasetFolder",
    "FakeData",
    "FashionMNIST",
    "ImageFolder",
    "StandardTransform",
    "VisionDataset",
]

"""Images of noise, for trying programs out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorcore as tc
from tensorcore_vision.datasets.vision import VisionDataset, place
from tensorcore_vision.transforms.functional import to_pil_image

__all__ = ["FakeData"]


class FakeData(VisionDataset):
    """Images of noise with random labels, the same each time for the same index.

    Args:
        size: how many.
        image_size: (channels, height, width).
        num_classes: labels go from 0 to below this.
        transform: called with each image, a Pillow image.
        target_transform: called with each label, a tensor.
        random_offset: added to the index, for other images.

    Example:
        >>> from tensorcore_vision.datasets import FakeData
        >>> image, label = FakeData(size=10, image_size=(3, 8, 6))[4]
        >>> image.size, label
        ((6, 8), 5)
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: tuple[int, int, int] = (3, 224, 224),
        num_classes: int = 10,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        random_offset: int = 0,
    ) -> None:
        super().__init__(None, transform=transform, target_transform=target_transform)
        self.size = size
        self.num_classes = num_classes
        self.image_size = image_size
        self.random_offset = random_offset

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        at = place(index, len(self), "FakeData")
        generator = tc.Generator(device="cpu").manual_seed(at + self.random_offset)
        pixels = tc.randn(*self.image_size, generator=generator, device="cpu")
        target = tc.randint(0, self.num_classes, (1,), generator=generator, device="cpu")[0]
        image, target = self.transformed(to_pil_image(pixels), target)
        return image, int(target.item()) if isinstance(target, tc.Tensor) else target

    def __len__(self) -> int:
        return self.size

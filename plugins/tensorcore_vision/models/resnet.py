"""Residual networks: ResNet, ResNeXt and wide ResNet."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorcore as tc
from tensorcore import nn
from tensorcore_vision.models.initialization import initialize
from tensorcore_vision.models.registry import WeightsEnum, imagenet, published

__all__ = [
    "ResNeXt50_32X4D_Weights",
    "ResNeXt101_32X8D_Weights",
    "ResNeXt101_64X4D_Weights",
    "ResNet",
    "ResNet18_Weights",
    "ResNet34_Weights",
    "ResNet50_Weights",
    "ResNet101_Weights",
    "ResNet152_Weights",
    "Wide_ResNet50_2_Weights",
    "Wide_ResNet101_2_Weights",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "wide_resnet50_2",
    "wide_resnet101_2",
]


def _conv(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1, dilation: int = 1) -> nn.Conv2d:
    padding = dilation if size == 3 else 0
    return nn.Conv2d(inputs, outputs, size, stride, padding, groups=groups, bias=False, dilation=dilation)


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and what goes past them."""

    expansion: int = 1

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if groups != 1 or base_width != 64 or dilation != 1:
            raise ValueError("BasicBlock: knows only groups=1, base_width=64 and dilation=1")
        norm = norm_layer or nn.BatchNorm2d
        self.conv1 = _conv(inplanes, planes, 3, stride)
        self.bn1 = norm(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = _conv(planes, planes, 3)
        self.bn2 = norm(planes)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        """Features of the same or half the size."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """A 1×1, a 3×3 and a 1×1 convolution, and what goes past them; the 3×3 one has the stride."""

    expansion: int = 4

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        norm = norm_layer or nn.BatchNorm2d
        width = int(planes * (base_width / 64.0)) * groups
        self.conv1 = _conv(inplanes, width, 1)
        self.bn1 = norm(width)
        self.conv2 = _conv(width, width, 3, stride, groups, dilation)
        self.bn2 = norm(width)
        self.conv3 = _conv(width, planes * self.expansion, 1)
        self.bn3 = norm(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        """Features of the same or half the size."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """A residual network for images of shape (N, 3, H, W), whose logits have shape (N, classes).

    Args:
        block: `BasicBlock` or `Bottleneck`.
        layers: how many blocks each of the four stages has.
        num_classes: how many classes.
        zero_init_residual: begin with blocks that change nothing.
        groups: of the 3×3 convolutions of bottlenecks.
        width_per_group: of the 3×3 convolutions of bottlenecks in the first stage.
        replace_stride_with_dilation: for the last three stages, whether they dilate in place of halving the size.
        norm_layer: made from the number of channels; by default batch normalisation.

    Raises:
        ValueError: unless there are three of ``replace_stride_with_dilation``.

    Source: He et al.: Deep residual learning for image recognition, arXiv:1512.03385; Xie et al.: Aggregated residual
    transformations, arXiv:1611.05431; Zagoruyko, Komodakis: Wide residual networks, arXiv:1605.07146.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.models.resnet import BasicBlock, ResNet
        >>> ResNet(BasicBlock, [1, 1, 1, 1], num_classes=5)(tc.zeros(2, 3, 32, 32)).shape
        tensorcore.Size([2, 5])
    """

    def __init__(
        self,
        block: type[BasicBlock | Bottleneck],
        layers: Sequence[int],
        num_classes: int = 1000,
        zero_init_residual: bool = False,
        groups: int = 1,
        width_per_group: int = 64,
        replace_stride_with_dilation: Sequence[bool] | None = None,
        norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        dilates = replace_stride_with_dilation or [False, False, False]
        if len(dilates) != 3:
            raise ValueError(f"ResNet: replace_stride_with_dilation has three elements, got {dilates!r}")
        self._norm_layer = norm_layer or nn.BatchNorm2d
        self.inplanes = 64
        self.dilation = 1
        self.groups = groups
        self.base_width = width_per_group
        self.conv1 = nn.Conv2d(3, self.inplanes, 7, stride=2, padding=3, bias=False)
        self.bn1 = self._norm_layer(self.inplanes)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = self._make_layer(block, 64, layers[0])
        self.layer2 = self._make_layer(block, 128, layers[1], 2, dilates[0])
        self.layer3 = self._make_layer(block, 256, layers[2], 2, dilates[1])
        self.layer4 = self._make_layer(block, 512, layers[3], 2, dilates[2])
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        initialize(self)
        if zero_init_residual:
            for module in self.modules():
                if isinstance(module, BasicBlock | Bottleneck):
                    last = module.bn3 if isinstance(module, Bottleneck) else module.bn2
                    nn.init.zeros_(last.weight)

    def _make_layer(
        self, block: type[BasicBlock | Bottleneck], planes: int, blocks: int, stride: int = 1, dilate: bool = False
    ) -> nn.Sequential:
        norm = self._norm_layer
        before = self.dilation
        if dilate:
            self.dilation, stride = self.dilation * stride, 1
        outputs = planes * block.expansion
        past = None
        if stride != 1 or self.inplanes != outputs:
            past = nn.Sequential(_conv(self.inplanes, outputs, 1, stride), norm(outputs))
        shape = (self.groups, self.base_width)
        made = [block(self.inplanes, planes, stride, past, *shape, before, norm)]
        self.inplanes = outputs
        made += [block(outputs, planes, 1, None, *shape, self.dilation, norm) for _ in range(1, blocks)]
        return nn.Sequential(*made)

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        """The logits of each class for each image."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


class ResNet18_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("resnet18-f37072fd.pth", 11_689_512, 69.758, 89.078)


class ResNet34_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("resnet34-b627a593.pth", 21_797_672, 73.314, 91.42)


class ResNet50_Weights(WeightsEnum):
    IMAGENET1K_V1 = imagenet("resnet50-0676ba61.pth", 25_557_032, 76.13, 92.862)
    IMAGENET1K_V2 = DEFAULT = imagenet("resnet50-11ad3fa6.pth", 25_557_032, 80.858, 95.434, resize=232)


class ResNet101_Weights(WeightsEnum):
    IMAGENET1K_V1 = imagenet("resnet101-63fe2227.pth", 44_549_160, 77.374, 93.546)
    IMAGENET1K_V2 = DEFAULT = imagenet("resnet101-cd907fc2.pth", 44_549_160, 81.886, 95.78, resize=232)


class ResNet152_Weights(WeightsEnum):
    IMAGENET1K_V1 = imagenet("resnet152-394f9c45.pth", 60_192_808, 78.312, 94.046)
    IMAGENET1K_V2 = DEFAULT = imagenet("resnet152-f82ba261.pth", 60_192_808, 82.284, 96.002, resize=232)


class ResNeXt50_32X4D_Weights(WeightsEnum):
    IMAGENET1K_V1 = imagenet("resnext50_32x4d-7cdf4587.pth", 25_028_904, 77.618, 93.698)
    IMAGENET1K_V2 = DEFAULT = imagenet("resnext50_32x4d-1a0047aa.pth", 25_028_904, 81.198, 95.34, resize=232)


class ResNeXt101_32X8D_Weights(WeightsEnum):
    IMAGENET1K_V1 = imagenet("resnext101_32x8d-8ba56ff5.pth", 88_791_336, 79.312, 94.526)
    IMAGENET1K_V2 = DEFAULT = imagenet("resnext101_32x8d-110c445d.pth", 88_791_336, 82.834, 96.228, resize=232)


class ResNeXt101_64X4D_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("resnext101_64x4d-173b62eb.pth", 83_455_272, 83.246, 96.454, resize=232)


class Wide_ResNet50_2_Weights(WeightsEnum):
    IMAGENET1K_V1 = imagenet("wide_resnet50_2-95faca4d.pth", 68_883_240, 78.468, 94.086)
    IMAGENET1K_V2 = DEFAULT = imagenet("wide_resnet50_2-9ba9bcbe.pth", 68_883_240, 81.602, 95.758, resize=232)


class Wide_ResNet101_2_Weights(WeightsEnum):
    IMAGENET1K_V1 = imagenet("wide_resnet101_2-32ee1156.pth", 126_886_696, 78.848, 94.284)
    IMAGENET1K_V2 = DEFAULT = imagenet("wide_resnet101_2-d733dc28.pth", 126_886_696, 82.51, 96.02, resize=232)


resnet18 = published(ResNet18_Weights, "ResNet-18.", ResNet, BasicBlock, (2, 2, 2, 2))
resnet34 = published(ResNet34_Weights, "ResNet-34.", ResNet, BasicBlock, (3, 4, 6, 3))
resnet50 = published(ResNet50_Weights, "ResNet-50.", ResNet, Bottleneck, (3, 4, 6, 3))
resnet101 = published(ResNet101_Weights, "ResNet-101.", ResNet, Bottleneck, (3, 4, 23, 3))
resnet152 = published(ResNet152_Weights, "ResNet-152.", ResNet, Bottleneck, (3, 8, 36, 3))
resnext50_32x4d = published(
    ResNeXt50_32X4D_Weights,
    "ResNeXt-50, 32 groups of 4 channels.",
    ResNet,
    Bottleneck,
    (3, 4, 6, 3),
    groups=32,
    width_per_group=4,
)
resnext101_32x8d = published(
    ResNeXt101_32X8D_Weights,
    "ResNeXt-101, 32 groups of 8 channels.",
    ResNet,
    Bottleneck,
    (3, 4, 23, 3),
    groups=32,
    width_per_group=8,
)
resnext101_64x4d = published(
    ResNeXt101_64X4D_Weights,
    "ResNeXt-101, 64 groups of 4 channels.",
    ResNet,
    Bottleneck,
    (3, 4, 23, 3),
    groups=64,
    width_per_group=4,
)
wide_resnet50_2 = published(
    Wide_ResNet50_2_Weights, "ResNet-50 of twice the width.", ResNet, Bottleneck, (3, 4, 6, 3), width_per_group=128
)
wide_resnet101_2 = published(
    Wide_ResNet101_2_Weights, "ResNet-101 of twice the width.", ResNet, Bottleneck, (3, 4, 23, 3), width_per_group=128
)

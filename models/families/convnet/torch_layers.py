"""Layers in torch: those with parameters as torch.nn's modules, those without as functions.

Legend: B batch, C channels, H height, W width.
"""

from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from duograd.models.families.convnet.architecture import (
    Activation,
    Affine,
    Conv,
    Flatten,
    GlobalPool,
    Layer,
    Norm,
    Pool,
)
from duograd.models.families.convnet.config import ConvNetConfig
from duograd.models.torch_net import batch_norm


def module(layer: Conv | Affine | Norm, config: ConvNetConfig) -> nn.Module:
    """The layer at torch's own random start."""
    match layer:
        case Conv(_, inputs, filters, kernel, stride, padding, bias):
            return nn.Conv2d(inputs, filters, kernel, stride, padding, bias=bias)
        case Affine(_, inputs, outputs, bias):
            return nn.Linear(inputs, outputs, bias)
        case Norm(_, "batch", features):
            return batch_norm(features, config.norm_momentum, images=layer.spatial)
        case Norm(_, _, features, groups):
            return nn.GroupNorm(groups, features) if layer.spatial else nn.LayerNorm(features)


def functional(layer: Layer, x: Tensor) -> Tensor:
    """What the layer makes of x (B, C, H, W) or (B, D)."""
    match layer:
        case Activation(_, kind):
            return cast(Tensor, getattr(F, kind)(x))
        case Pool("max", size, stride):
            return F.max_pool2d(x, size, stride)
        case Pool(_, size, stride):
            return F.avg_pool2d(x, size, stride)
        case GlobalPool():
            return x.mean(dim=(2, 3))
        case Flatten():
            return x.flatten(1)
    raise AssertionError(f"{layer} has parameters or masks")

"""Layers with parameters as torch.nn's modules."""

from torch import nn

from duograd.models.families.convnet.architecture import Affine, Conv, Norm
from duograd.models.families.convnet.config import ConvNetConfig


def module(layer: Conv | Affine | Norm, config: ConvNetConfig) -> nn.Module:
    """The layer at torch's own random start."""
    match layer:
        case Conv(_, inputs, filters, kernel, stride, padding, bias):
            return nn.Conv2d(inputs, filters, kernel, stride, padding, bias=bias)
        case Affine(_, inputs, outputs, bias):
            return nn.Linear(inputs, outputs, bias)
        case Norm(_, "batch", features):
            return batch_norm(features, config.norm_momentum, layer.spatial)
        case Norm(_, _, features, groups):
            return nn.GroupNorm(groups, features) if layer.spatial else nn.LayerNorm(features)


def batch_norm(features: int, momentum: float, spatial: bool) -> nn.Module:
    """Batch normalisation without torch's count of batches, which is for an average of all of them."""
    norm = (nn.BatchNorm2d if spatial else nn.BatchNorm1d)(features, momentum=momentum)
    norm.num_batches_tracked = None
    return norm

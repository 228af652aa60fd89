"""The network as an nn.Sequential: every layer is a module, and the forward pass is their order."""

from collections.abc import Mapping
from typing import cast

from torch import Tensor, nn

from duograd.models.arrays import Array
from duograd.models.families.convnet.architecture import (
    Activation,
    Affine,
    Conv,
    Dropout,
    Flatten,
    GlobalPool,
    Layer,
    Norm,
    Pool,
)
from duograd.models.families.convnet.torch_classifier import TorchClassifier
from duograd.models.families.convnet.torch_layers import module

ACTIVATIONS = {"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


class GlobalAverage(nn.Module):
    """(B, C, H, W) -> (B, C)."""

    def forward(self, x: Tensor) -> Tensor:
        """The mean of each channel."""
        return x.mean(dim=(2, 3))


class Sequential(TorchClassifier, nn.Sequential):
    """style=sequential."""

    def add_layers(self, weights: Mapping[str, Array]) -> None:
        """A module for every layer, in order."""
        for i, layer in enumerate(self.plan):
            if isinstance(layer, Conv | Affine | Norm):
                self.add_module(layer.name, module(layer, self.config))
            else:
                self.add_module(f"{type(layer).__name__.lower()}_{i}", without_parameters(layer))

    def through(self, i: int, layer: Layer, x: Tensor) -> Tensor:
        """See TorchClassifier."""
        return cast(Tensor, self[i](x))


def without_parameters(layer: Layer) -> nn.Module:
    """The module of a layer that has none."""
    match layer:
        case Activation(_, kind):
            activation: nn.Module = ACTIVATIONS[kind]()
            return activation
        case Dropout():
            return nn.Identity()  # its masks come from outside
        case Pool("max", size, stride):
            return nn.MaxPool2d(size, stride)
        case Pool(_, size, stride):
            return nn.AvgPool2d(size, stride)
        case GlobalPool():
            return GlobalAverage()
        case Flatten():
            return nn.Flatten()
    raise AssertionError(f"{layer} has parameters")

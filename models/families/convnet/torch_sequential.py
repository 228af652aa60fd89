"""The network as an nn.Sequential: every layer is a module, and the forward pass is their order."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

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
from duograd.models.families.convnet.config import ConvNetConfig
from duograd.models.families.convnet.torch_classifier import Maps, TorchClassifier
from duograd.models.families.convnet.torch_layers import module

ACTIVATIONS = {"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


class MaskedDropout(nn.Module):
    """x ⊙ mask; without a mask it lets everything pass."""

    def __init__(self) -> None:
        super().__init__()
        self.mask: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """As the mask says."""
        return x if self.mask is None else x * self.mask


class GlobalAverage(nn.Module):
    """(B, C, H, W) -> (B, C)."""

    def forward(self, x: Tensor) -> Tensor:
        """The mean of each channel."""
        return x.mean(dim=(2, 3))


class Sequential(TorchClassifier, nn.Sequential):
    """style=sequential."""

    def build(self, config: ConvNetConfig, weights: Mapping[str, Tensor]) -> None:
        """A module for every layer, in order."""
        for i, layer in enumerate(self.plan):
            if isinstance(layer, Conv | Affine | Norm):
                self.add_module(layer.name, module(layer, config))
            else:
                self.add_module(f"{type(layer).__name__.lower()}_{i}", without_parameters(layer))

    def logits(self, x: Tensor, masks: Sequence[Tensor] = (), maps: Maps | None = None) -> Tensor:
        """See TorchClassifier."""
        for i, dropout in enumerate(m for m in self.children() if isinstance(m, MaskedDropout)):
            dropout.mask = masks[i] if masks else None
        for layer, child in zip(self.plan, self.children(), strict=True):
            x = child(x)
            if maps is not None and isinstance(layer, Activation):
                maps[layer.name] = x
        return x


def without_parameters(layer: Layer) -> nn.Module:
    """The module of a layer that has none."""
    match layer:
        case Activation(_, kind):
            activation: nn.Module = ACTIVATIONS[kind]()
            return activation
        case Dropout():
            return MaskedDropout()
        case Pool("max", size, stride):
            return nn.MaxPool2d(size, stride)
        case Pool(_, size, stride):
            return nn.AvgPool2d(size, stride)
        case GlobalPool():
            return GlobalAverage()
        case Flatten():
            return nn.Flatten()
    raise AssertionError(f"{layer} has parameters")

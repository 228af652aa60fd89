"""The network as an nn.Module: layers with parameters are modules, and the forward pass is written out."""

from collections.abc import Mapping
from typing import cast

from torch import Tensor

from duograd.models.arrays import Array
from duograd.models.families.convnet.architecture import Affine, Conv, Layer, Norm
from duograd.models.families.convnet.torch_classifier import TorchClassifier
from duograd.models.families.convnet.torch_layers import functional, module


class Modules(TorchClassifier):
    """style=module."""

    def add_layers(self, weights: Mapping[str, Array]) -> None:
        """A module for each layer that has parameters."""
        for layer in self.plan:
            if isinstance(layer, Conv | Affine | Norm):
                self.add_module(layer.name, module(layer, self.config))

    def through(self, i: int, layer: Layer, x: Tensor) -> Tensor:
        """See TorchClassifier."""
        if isinstance(layer, Conv | Affine | Norm):
            return cast(Tensor, self.get_submodule(layer.name)(x))
        return functional(layer, x)

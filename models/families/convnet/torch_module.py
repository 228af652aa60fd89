"""The network as an nn.Module: layers with parameters are modules, and the forward pass is written out."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from duograd.models.families.convnet.architecture import Activation, Affine, Conv, Norm
from duograd.models.families.convnet.config import ConvNetConfig
from duograd.models.families.convnet.torch_classifier import Maps, TorchClassifier
from duograd.models.families.convnet.torch_layers import Masks, functional, module


class Modules(TorchClassifier):
    """style=module."""

    def build(self, config: ConvNetConfig, weights: Mapping[str, Tensor]) -> None:
        """A module for each layer that has parameters."""
        for layer in self.plan:
            if isinstance(layer, Conv | Affine | Norm):
                self.add_module(layer.name, module(layer, config))

    def logits(self, x: Tensor, masks: Sequence[Tensor] = (), maps: Maps | None = None) -> Tensor:
        """See TorchClassifier."""
        given = Masks(masks)
        for layer in self.plan:
            if isinstance(layer, Conv | Affine | Norm):
                x = self.get_submodule(layer.name)(x)
            else:
                x = functional(layer, x, given)
            if maps is not None and isinstance(layer, Activation):
                maps[layer.name] = x
        return x

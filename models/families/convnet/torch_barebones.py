"""The network as bare tensors: every layer a function of x and of its weights, nothing that torch.nn keeps."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from duograd.models.arrays import Array
from duograd.models.families.convnet.architecture import Affine, Conv, Layer, Norm
from duograd.models.families.convnet.torch_classifier import TorchClassifier
from duograd.models.families.convnet.torch_layers import functional

EPS = 1e-5  # torch's own default in every normalisation


class Tensors(nn.Module):
    """The tensors of one layer, under their names: parameters, and running averages as buffers."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        for name, tensor in tensors.items():
            if name.startswith("running"):
                self.register_buffer(name, tensor)
            else:
                self.register_parameter(name, nn.Parameter(tensor))


class Barebones(TorchClassifier):
    """style=barebones."""

    def add_layers(self, weights: Mapping[str, Array]) -> None:
        """One holder of tensors for each layer that has some."""
        for name in dict.fromkeys(key.split(".")[0] for key in weights):
            prefix = f"{name}."
            mine = {key.removeprefix(prefix): torch.tensor(w) for key, w in weights.items() if key.startswith(prefix)}
            self.add_module(name, Tensors(mine))

    def through(self, i: int, layer: Layer, x: Tensor) -> Tensor:
        """See TorchClassifier."""
        if not isinstance(layer, Conv | Affine | Norm):
            return functional(layer, x)
        tensors = self.get_submodule(layer.name)
        w = {**dict(tensors.named_parameters()), **dict(tensors.named_buffers())}
        match layer:
            case Conv():
                return F.conv2d(x, w["weight"], w.get("bias"), layer.stride, layer.padding)
            case Affine():
                return F.linear(x, w["weight"], w.get("bias"))
            case Norm(_, "batch"):
                averages = w["running_mean"], w["running_var"]
                return F.batch_norm(x, *averages, w["weight"], w["bias"], self.training, self.config.norm_momentum, EPS)
            case Norm():
                if layer.spatial:
                    return F.group_norm(x, layer.groups, w["weight"], w["bias"], EPS)
                return F.layer_norm(x, (layer.features,), w["weight"], w["bias"], EPS)

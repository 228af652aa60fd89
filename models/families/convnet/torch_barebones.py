"""The network as bare tensors: every layer a function of x and of its weights, nothing that torch.nn keeps."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from duograd.models.families.convnet.architecture import Activation, Affine, Conv, Norm
from duograd.models.families.convnet.config import ConvNetConfig
from duograd.models.families.convnet.torch_classifier import Maps, TorchClassifier
from duograd.models.families.convnet.torch_layers import Masks, functional

EPS = 1e-5  # torch's own default in every normalisation


class Tensors(nn.Module):
    """The tensors of one layer, under their names: parameters, and running averages as buffers."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        for name, tensor in tensors.items():
            if name.startswith("running"):
                self.register_buffer(name, tensor.clone())
            else:
                self.register_parameter(name, nn.Parameter(tensor.clone()))


class Barebones(TorchClassifier):
    """style=barebones."""

    def build(self, config: ConvNetConfig, weights: Mapping[str, Tensor]) -> None:
        """One holder of tensors for each layer that has some."""
        self.momentum = config.norm_momentum
        for name in dict.fromkeys(key.split(".")[0] for key in weights):
            prefix = f"{name}."
            mine = {key.removeprefix(prefix): w for key, w in weights.items() if key.startswith(prefix)}
            self.add_module(name, Tensors(mine))

    def logits(self, x: Tensor, masks: Sequence[Tensor] = (), maps: Maps | None = None) -> Tensor:
        """See TorchClassifier."""
        given = Masks(masks)
        w = {**dict(self.named_parameters()), **dict(self.named_buffers())}
        for layer in self.plan:
            match layer:
                case Conv(name):
                    x = F.conv2d(x, w[f"{name}.weight"], w.get(f"{name}.bias"), layer.stride, layer.padding)
                case Affine(name):
                    x = F.linear(x, w[f"{name}.weight"], w.get(f"{name}.bias"))
                case Norm():
                    x = self._norm(layer, x, w)
                case _:
                    x = functional(layer, x, given)
            if maps is not None and isinstance(layer, Activation):
                maps[layer.name] = x
        return x

    def _norm(self, layer: Norm, x: Tensor, w: Mapping[str, Tensor]) -> Tensor:
        weight, bias = w[f"{layer.name}.weight"], w[f"{layer.name}.bias"]
        if layer.kind == "batch":
            mean, var = w[f"{layer.name}.running_mean"], w[f"{layer.name}.running_var"]
            return F.batch_norm(x, mean, var, weight, bias, self.training, self.momentum, EPS)
        if not layer.spatial:
            return F.layer_norm(x, (layer.features,), weight, bias, EPS)
        return F.group_norm(x, layer.groups, weight, bias, EPS)

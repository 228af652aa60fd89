"""The image classifier's torch twin at the report's three levels: bare tensors, nn.Module, nn.Sequential.

All three are one network, with the names, shapes and values of the by-hand one; `style` is how it is written.
"""

from collections.abc import Mapping

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from duograd.models.families.convnet.architecture import Shape, architecture
from duograd.models.families.convnet.config import ConvNetConfig
from duograd.models.families.convnet.torch_barebones import Barebones
from duograd.models.families.convnet.torch_classifier import TorchClassifier
from duograd.models.families.convnet.torch_module import Modules
from duograd.models.families.convnet.torch_sequential import Sequential
from duograd.models.families.convnet.weights import initial_buffers
from duograd.models.losses.config import ClassifierLossConfig
from duograd.models.losses.torch_losses import TorchClassifierLoss

STYLES: Mapping[str, type[TorchClassifier]] = {"barebones": Barebones, "module": Modules, "sequential": Sequential}


def torch_convnet(
    config: ConvNetConfig,
    loss: ClassifierLossConfig,
    image: Shape,
    classes: int,
    weights: Mapping[str, Tensor],
    seed: int = 0,
    class_weights: ArrayLike | None = None,
) -> TorchClassifier:
    """The network in its style, at the given parameters; image (C, H, W). Raises ArchitectureError."""
    layers = architecture(config, image, classes)
    dtype = weights["classifier.weight"].numpy().dtype
    buffers = {name: torch.from_numpy(value) for name, value in initial_buffers(layers, dtype).items()}
    error = TorchClassifierLoss(loss, classes, class_weights)
    return STYLES[config.style](config, layers, error, seed, {**weights, **buffers})

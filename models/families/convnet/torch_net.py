"""The image classifier's torch twin at the report's three levels: bare tensors, nn.Module, nn.Sequential.

All three are one network, with the names, shapes and values of the by-hand one; `style` is how it is written.
"""

from collections.abc import Mapping

import torch
from numpy.typing import DTypeLike

from duograd.models.families.convnet.architecture import Shape, architecture
from duograd.models.families.convnet.config import ConvNetConfig
from duograd.models.families.convnet.torch_barebones import Barebones
from duograd.models.families.convnet.torch_classifier import TorchClassifier
from duograd.models.families.convnet.torch_module import Modules
from duograd.models.families.convnet.torch_sequential import Sequential
from duograd.models.families.convnet.weights import initial_buffers, initial_weights
from duograd.models.loss import OutputLoss
from duograd.models.torch_loss import TorchLoss

STYLES: Mapping[str, type[TorchClassifier]] = {"barebones": Barebones, "module": Modules, "sequential": Sequential}


def convnet_twin(
    config: ConvNetConfig, loss: OutputLoss, shape: Shape, outputs: int, seed: int, dtype: DTypeLike
) -> TorchClassifier:
    """The twin of `ConvNet` in its style, at the same initial weights. Raises ArchitectureError."""
    layers = architecture(config, shape, outputs)
    arrays = {**initial_weights(config, shape, outputs, seed, dtype), **initial_buffers(layers, dtype)}
    weights = {name: torch.from_numpy(array) for name, array in arrays.items()}
    return STYLES[config.style](config, layers, TorchLoss(loss), seed, weights)

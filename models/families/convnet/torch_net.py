"""The image classifier's torch twin at the report's three levels: bare tensors, nn.Module, nn.Sequential.

All three are one network, with the names, shapes and values of the by-hand one; `style` is how it is written.
"""

from collections.abc import Mapping
from typing import Any

from duograd.models.families.convnet.config import ConvNetConfig
from duograd.models.families.convnet.torch_barebones import Barebones
from duograd.models.families.convnet.torch_classifier import TorchClassifier
from duograd.models.families.convnet.torch_module import Modules
from duograd.models.families.convnet.torch_sequential import Sequential

STYLES: Mapping[str, type[TorchClassifier]] = {"barebones": Barebones, "module": Modules, "sequential": Sequential}


def torch_convnet(config: ConvNetConfig, *arguments: Any) -> TorchClassifier:
    """The network in its style, of what `TorchClassifier` takes."""
    return STYLES[config.style](config, *arguments)

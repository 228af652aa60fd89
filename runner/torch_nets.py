"""The autograd network of a configuration, and what it needs of torch: one branch a family."""

from collections.abc import Mapping
from typing import Any, assert_never

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from duograd.data.dataset import DataSet
from duograd.models.families.autoencoder.config import AutoencoderConfig, SparseLossConfig
from duograd.models.families.convnet.config import ConvNetConfig
from duograd.models.families.recurrent.config import RecurrentConfig
from duograd.runner.config import RunConfig, TorchBackend
from duograd.runner.engines.torch_engine import TorchEngine
from duograd.runner.errors import UserError
from duograd.runner.nets import class_weights


def torch_engine(config: RunConfig, data: DataSet) -> TorchEngine:
    """The autograd network with its optimizer. Raises UserError where the device is not there."""
    if config.device == "cuda" and not torch.cuda.is_available():
        raise UserError("device=cuda: torch sees no CUDA device here; use device=cpu")
    if config.backend.threads:
        torch.set_num_threads(config.backend.threads)
    backend = config.backend
    options: dict[str, Any] = (
        {"compiled": backend.compile, "channels_last": backend.channels_last, "autocast": backend.autocast}
        if isinstance(backend, TorchBackend)
        else {}
    )
    return TorchEngine(torch_net(config, data), config.optimizer, config.device, **options)


def torch_net(config: RunConfig, data: DataSet) -> nn.Module:
    """The twin of `nets.numpy_net`, at the same initial weights."""
    shape, model, loss = data.train.inputs.shape[1:], config.model, config.loss
    match model:
        case AutoencoderConfig():
            from duograd.models.families.autoencoder import numpy_net as autoencoder
            from duograd.models.families.autoencoder.torch_net import TorchAutoencoder

            assert isinstance(loss, SparseLossConfig)
            weights = autoencoder.initial_weights(model, shape[-1], config.seed, config.dtype)
            return TorchAutoencoder(model, loss, tensors(weights))
        case RecurrentConfig():
            from duograd.models.families.recurrent import weights as recurrent
            from duograd.models.families.recurrent.torch_net import TorchRecurrent

            assert not isinstance(loss, SparseLossConfig)
            weights = recurrent.initial_weights(model, shape[-1], len(data.classes), config.seed, config.dtype)
            return TorchRecurrent(model, loss, tensors(weights), config.seed, class_weights(loss, data))
        case ConvNetConfig():
            from duograd.models.families.convnet.torch_net import torch_convnet
            from duograd.models.families.convnet.weights import initial_weights

            assert not isinstance(loss, SparseLossConfig)
            classes = len(data.classes)
            weights = initial_weights(model, shape, classes, config.seed, config.dtype)
            return torch_convnet(model, loss, shape, classes, tensors(weights), config.seed, class_weights(loss, data))
        case _:
            assert_never(model)


def tensors(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Tensor]:
    """The arrays as tensors."""
    return {name: torch.from_numpy(array) for name, array in arrays.items()}

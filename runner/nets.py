"""The by-hand network of a configuration: one branch a family. Its autograd twin is made in `torch_nets`."""

from typing import Any, assert_never

from numpy.typing import NDArray

from data.dataset import DataSet
from models.autoencoder.config import AutoencoderConfig, SparseLossConfig
from models.layers.losses import balanced
from models.recurrent.config import CrossEntropyConfig, RecurrentConfig
from runner.config import RunConfig
from runner.engines.numpy_engine import NumpyNet


def numpy_net(config: RunConfig, data: DataSet) -> NumpyNet:
    """The by-hand network, at its initial weights."""
    inputs, model, loss = data.train.inputs.shape[-1], config.model, config.loss
    match model:
        case AutoencoderConfig():
            from models.autoencoder.numpy_net import AutoencoderNet

            assert isinstance(loss, SparseLossConfig)
            return AutoencoderNet(model, loss, inputs, config.seed, config.dtype, config.backend.threads)
        case RecurrentConfig():
            from models.recurrent.numpy_net import RecurrentNet

            assert isinstance(loss, CrossEntropyConfig)
            classes, weights, threads = len(data.classes), class_weights(loss, data), config.backend.threads
            return RecurrentNet(model, loss, inputs, classes, config.seed, config.dtype, weights, threads)
        case _:
            assert_never(model)


def class_weights(loss: CrossEntropyConfig, data: DataSet) -> NDArray[Any] | None:
    """For loss.class_weights=balanced, those of the training split, (C,); else None, and the loss has its own."""
    if loss.class_weights != "balanced":
        return None
    assert data.train.targets is not None
    return balanced(data.train.targets, len(data.classes))

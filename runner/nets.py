"""The by-hand network of a configuration: one branch a family. Its autograd twin is made in `torch_nets`."""

from typing import Any, assert_never

from numpy.typing import NDArray

from duograd.data.dataset import DataSet
from duograd.models.families.autoencoder.config import AutoencoderConfig, SparseLossConfig
from duograd.models.families.convnet.config import ConvNetConfig
from duograd.models.families.recurrent.config import RecurrentConfig
from duograd.models.layers.losses import balanced
from duograd.models.losses.config import ClassifierLossConfig, CrossEntropyConfig
from duograd.runner.config import RunConfig
from duograd.runner.engines.numpy_engine import NumpyNet


def numpy_net(config: RunConfig, data: DataSet) -> NumpyNet:
    """The by-hand network, at its initial weights."""
    shape, model, loss, threads = data.train.inputs.shape[1:], config.model, config.loss, config.backend.threads
    match model:
        case AutoencoderConfig():
            from duograd.models.families.autoencoder.numpy_net import AutoencoderNet

            assert isinstance(loss, SparseLossConfig)
            return AutoencoderNet(model, loss, shape[-1], config.seed, config.dtype, threads)
        case RecurrentConfig():
            from duograd.models.families.recurrent.numpy_net import RecurrentNet

            assert not isinstance(loss, SparseLossConfig)
            classes, weights = len(data.classes), class_weights(loss, data)
            return RecurrentNet(model, loss, shape[-1], classes, config.seed, config.dtype, weights, threads)
        case ConvNetConfig():
            from duograd.models.families.convnet.numpy_net import ConvNet

            assert not isinstance(loss, SparseLossConfig)
            classes, weights = len(data.classes), class_weights(loss, data)
            return ConvNet(model, loss, shape, classes, config.seed, config.dtype, weights, threads)
        case _:
            assert_never(model)


def class_weights(loss: ClassifierLossConfig, data: DataSet) -> NDArray[Any] | None:
    """For loss.class_weights=balanced, those of the training split, (C,); else None, and the loss has its own."""
    if not isinstance(loss, CrossEntropyConfig) or loss.class_weights != "balanced":
        return None
    assert data.train.targets is not None
    return balanced(data.train.targets, len(data.classes))

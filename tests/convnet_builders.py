"""Small image classifiers, their twins and their images, for tests."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig, OmegaConf

from duograd.data.dataset import Batch
from duograd.models.families.convnet.config import ConvNetConfig
from duograd.models.families.convnet.numpy_net import ConvNet
from duograd.models.families.convnet.torch_classifier import TorchClassifier
from duograd.models.families.convnet.torch_net import torch_convnet
from duograd.models.loss import LossConfig, OutputLoss, Targets
from duograd.models.losses.cross_entropy import CrossEntropyConfig
from duograd.models.losses.svm import SvmConfig
from duograd.models.optimizers.sgd import SgdConfig
from duograd.runner.engines.numpy_engine import NumpyEngine
from duograd.runner.engines.torch_engine import TorchEngine
from duograd.runner.registry import LOSSES

MODEL = Path(__file__).parents[1] / "conf" / "model"
STYLES = ("barebones", "module", "sequential")
IMAGE, CLASSES = (3, 9, 11), 5
SGD = SgdConfig(
    name="sgd", rule="sgd", lr=0.1, weight_decay=0.0, clip_value=None, clip_norm=None, momentum=0.0, nesterov=False
)
ENTROPY = CrossEntropyConfig(name="cross_entropy", lambda_=0.1, label_smoothing=0.1, class_weights=None)
SVM = SvmConfig(name="svm", lambda_=0.1, margin=1.0)

# What a network can be made of, each far from the defaults.
NETWORKS: dict[str, dict[str, Any]] = {
    "batch norm": {},
    "strides and padding": {"kernels": [3, 2], "strides": [2, 1], "padding": [2, 0], "pool": None},
    "layer norm": {"norm": "layer", "activation": "tanh", "dense": [7], "dense_norm": "layer"},
    "group norm": {"norm": "group", "groups": 2, "activation": "leaky_relu", "pool": "average"},
    "no norm, dropout": {"norm": None, "dropout": 0.3, "dense": [7, 6], "dense_dropout": 0.4},
    "overlapping pools": {"norm": None, "pool_size": 3, "pool_stride": 2, "activation": "sigmoid"},
    "preactivation": {"preactivation": True, "global_pool": True, "dropout": 0.2},
    "activation first": {"preactivation": True, "norm": None, "pool_every": 2},
    "dense alone": {"channels": [], "norm": None, "pool": None, "dense": [8], "dense_norm": "batch"},
    "no biases": {"bias": False, "norm": None, "kernels": [1, 4]},
    "softmax alone": {"channels": [], "norm": None, "pool": None},
}


def model_tree(name: str) -> DictConfig:
    """A model's YAML with those it starts from."""
    tree = OmegaConf.load(MODEL / f"{name}.yaml")
    assert isinstance(tree, DictConfig)
    bases = [model_tree(parent) for parent in tree.pop("defaults", [])]
    merged = OmegaConf.merge(*bases, tree)
    assert isinstance(merged, DictConfig)
    return merged


def convnet_config(name: str = "convnet", **changes: Any) -> ConvNetConfig:
    """The model of a YAML with changes; small where these say nothing."""
    tree: dict[str, Any] = {str(key): value for key, value in dict(OmegaConf.to_object(model_tree(name))).items()}  # type: ignore[call-overload]
    small = (
        {"channels": [4, 6], "kernels": [3, 2], "padding": None}
        if name == "convnet" and "channels" not in changes
        else {}
    )
    return ConvNetConfig(**{**tree, **small, **changes})


def bound(loss: LossConfig, classes: int = CLASSES) -> OutputLoss:
    """The loss as networks take it."""
    return LOSSES.find(loss.name).bind(loss, Targets(classes))


def convnet(loss: LossConfig = ENTROPY, dtype: str = "float64", threads: int = 1, **changes: Any) -> ConvNet:
    """A small network by hand; biases away from 0, where what dropout has emptied would stand at ReLU's kink."""
    net = ConvNet(convnet_config(**changes), bound(loss), IMAGE, CLASSES, 3, dtype, threads)
    rng = np.random.default_rng(1)
    for w in net.params.values():
        if w.ndim == 1:
            w += rng.normal(0, 0.1, w.shape)
    return net


def convnet_twin(net: ConvNet, style: str = "sequential") -> TorchClassifier:
    """Its torch twin, at the same parameters."""
    config = net.config.model_copy(update={"style": style})
    module = torch_convnet(config, net.loss, IMAGE, CLASSES, net.seed, net.dtype)
    with torch.no_grad():
        for name, w in module.state_dict().items():
            w.copy_(torch.tensor((net.params | net.buffers)[name]))
    return module


def convnet_engines(net: ConvNet, style: str = "sequential") -> tuple[NumpyEngine, TorchEngine]:
    """Both, as engines."""
    return NumpyEngine(net, SGD), TorchEngine(convnet_twin(net, style), SGD, channels_last=True)


def images(B: int = 6, seed: int = 0, dtype: str = "float64") -> Batch:
    """Noise, and classes for it."""
    rng = np.random.default_rng(seed)
    return Batch(rng.standard_normal((B, *IMAGE)).astype(dtype), rng.integers(CLASSES, size=B))

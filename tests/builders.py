"""Small networks and configurations, shared by the tests."""

import signal
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray

from duograd.models.families.autoencoder.config import AutoencoderConfig
from duograd.models.families.autoencoder.numpy_net import AutoencoderNet
from duograd.models.families.autoencoder.torch_net import TorchAutoencoder
from duograd.models.losses.sparse import SparseLossConfig
from duograd.runner.compose import compose
from duograd.runner.config import RunConfig
from duograd.runner.hooks.interruption import Interruption

Array = NDArray[Any]
INPUTS, HIDDEN = 12, 7
CONF = Path(__file__).parents[1] / "conf"


def task_of(model: str) -> str:
    """The task whose table of rates has a row for the model, or for the one that its YAML starts from."""
    for table in sorted((CONF / "rates").glob("*.yaml")):
        if model in yaml.safe_load(table.read_text()):
            return table.stem
    return task_of(yaml.safe_load((CONF / "model" / f"{model}.yaml").read_text())["defaults"][0])


def autoencoder_config(**changes: Any) -> AutoencoderConfig:
    keys = {"name": "autoencoder", "family": "autoencoder", "hidden_size": HIDDEN, "init": "report"}
    return AutoencoderConfig(**{**keys, "hidden_activation": "sigmoid", "output_activation": "sigmoid", **changes})


def sparse_loss(lambda_: float = 5e-4, beta: float = 0.1, rho: float = 0.05) -> SparseLossConfig:
    return SparseLossConfig(name="sparse", lambda_=lambda_, beta=beta, rho=rho)


def numpy_net(
    loss: SparseLossConfig | None = None,
    seed: int = 3,
    dtype: str = "float64",
    threads: int | None = None,
    **changes: Any,
) -> AutoencoderNet:
    shape = (INPUTS,)
    return AutoencoderNet(autoencoder_config(**changes), loss or sparse_loss(), shape, INPUTS, seed, dtype, threads)


def torch_net(twin: AutoencoderNet, **changes: Any) -> TorchAutoencoder:
    module = TorchAutoencoder(autoencoder_config(**changes), twin.loss, (INPUTS,), INPUTS, 0, twin.dtype)
    module.load_state_dict({name: torch.tensor(w) for name, w in twin.params.items()})
    return module


def samples(n: int, seed: int = 0, width: int = INPUTS) -> Array:
    return np.random.default_rng(seed).uniform(0.1, 0.9, (n, width))


def tiny(*overrides: str) -> RunConfig:
    """A run of a second: few small patches, few epochs, no tracking."""
    small = ["tracking=none", "data.count=60", "data.size=4", "model.hidden_size=5", "epochs=4", "dtype=float64"]
    return compose([*small, *overrides])


class After(Interruption):
    """SIGINT after so many steps."""

    def __init__(self, steps):
        self.steps, self.asked = steps, False

    @property
    def caught(self):
        return signal.SIGINT if self.asked else None

    def step(self, training):
        self.asked = training.step >= self.steps
        super().step(training)

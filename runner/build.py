"""Where configuration meets objects: from a checked RunConfig to data, engine, plan and hooks."""

import importlib.util
import math
from typing import TYPE_CHECKING

import numpy as np

from data.dataset import DataSet
from data.load import load
from models.autoencoder.numpy_net import AutoencoderNet, initial_weights
from models.optimizers.config import LbfgsConfig
from runner.config import RunConfig, TorchBackend
from runner.engines import Engine
from runner.engines.numpy_engine import NumpyEngine
from runner.errors import UserError
from runner.hooks import Hook
from runner.hooks.early_stopping import Gap, Patience
from runner.schedule import factor
from runner.training import Plan

if TYPE_CHECKING:
    from runner.engines.torch_engine import TorchEngine


def data_set(config: RunConfig) -> DataSet:
    """The samples. Raises DataError."""
    return load(config.data, config.dtype)


def engine(config: RunConfig, data: DataSet) -> Engine:
    """The network and its optimizer on the chosen backend. A NumPy engine imports no torch."""
    return torch_engine(config, data) if isinstance(config.backend, TorchBackend) else numpy_engine(config, data)


def numpy_engine(config: RunConfig, data: DataSet) -> NumpyEngine:
    """The by-hand network."""
    input_size = data.train.inputs.shape[1]
    net = AutoencoderNet(config.model, config.loss, input_size, config.seed, config.dtype, config.backend.threads)
    return NumpyEngine(net, config.optimizer)


def torch_engine(config: RunConfig, data: DataSet) -> "TorchEngine":
    """The autograd network. Raises UserError where torch or the device is not there."""
    if importlib.util.find_spec("torch") is None:
        raise UserError("backend=torch needs torch, which is not installed: pip install torch")
    import torch

    from models.autoencoder.torch_net import TorchAutoencoder
    from runner.engines.torch_engine import TorchEngine

    if config.device == "cuda" and not torch.cuda.is_available():
        raise UserError("device=cuda: torch sees no CUDA device here; use device=cpu")
    if config.backend.threads:
        torch.set_num_threads(config.backend.threads)
    weights = initial_weights(config.model, data.train.inputs.shape[1], config.seed, config.dtype)
    net = TorchAutoencoder(config.model, config.loss, {name: torch.from_numpy(w) for name, w in weights.items()})
    compiled = isinstance(config.backend, TorchBackend) and config.backend.compile
    return TorchEngine(net, config.optimizer, config.device, compiled)


def plan(config: RunConfig, data: DataSet) -> Plan:
    """What the loop is to do."""
    solver = isinstance(config.optimizer, LbfgsConfig)
    base_lr = 1.0 if isinstance(config.optimizer, LbfgsConfig) else config.optimizer.lr
    samples = len(data.train)
    steps = config.epochs * math.ceil(samples / (config.batch_size or samples))
    return Plan(
        epochs=config.epochs,
        batch_size=config.batch_size,
        seed=config.seed,
        lr=lambda step, epoch: base_lr * factor(config.schedule, step, epoch, steps),
        monitor=config.monitor or ("train/loss" if data.validation is None else "val/loss"),
        solver=solver,
        eval_batch_size=config.eval_batch_size,
        watch_test=config.evaluate_test_each_epoch,
    )


def early_stopping(config: RunConfig) -> list[Hook]:
    """The hooks that end a run which no longer gains anything."""
    early = config.early_stopping
    patience = [] if early.patience is None else [Patience(early.patience, early.min_delta)]
    gap = [] if early.gap is None else [Gap(early.gap)]
    return [*patience, *gap]


def parameter_count(engine: Engine) -> int:
    """The number of trained values."""
    return int(sum(np.size(w) for w in engine.params().values()))

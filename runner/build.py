"""Where configuration meets objects: from a checked RunConfig to data, engine, plan and hooks."""

import importlib.util
import math

import numpy as np

from data.dataset import DataSet
from data.load import load
from models.optimizers.config import LbfgsConfig
from runner.config import RunConfig, TorchBackend
from runner.engines import Engine
from runner.engines.numpy_engine import NumpyEngine
from runner.errors import UserError
from runner.hooks import Hook
from runner.hooks.early_stopping import Gap, Patience
from runner.nets import numpy_net
from runner.schedule import factor
from runner.training import Plan


def data_set(config: RunConfig) -> DataSet:
    """The samples. Raises DataError."""
    return load(config.data, config.dtype)


def engine(config: RunConfig, data: DataSet) -> Engine:
    """The network and its optimizer on the chosen backend. A NumPy engine imports no torch. Raises UserError."""
    return torch_engine(config, data) if isinstance(config.backend, TorchBackend) else numpy_engine(config, data)


def numpy_engine(config: RunConfig, data: DataSet) -> NumpyEngine:
    """The by-hand network with its optimizer."""
    return NumpyEngine(numpy_net(config, data), config.optimizer)


def torch_engine(config: RunConfig, data: DataSet) -> Engine:
    """The autograd network with its optimizer. Raises UserError where torch or the device is not there."""
    if importlib.util.find_spec("torch") is None:
        raise UserError("backend=torch needs torch, which is not installed: pip install torch")
    from runner import torch_nets

    return torch_nets.torch_engine(config, data)


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

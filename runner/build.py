"""Where configuration meets objects: from a checked RunConfig to data, engine, plan and hooks."""

import importlib.util
import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from duograd.data.dataset import DataSet
from duograd.data.load import load
from duograd.models.errors import ArchitectureError
from duograd.models.families.convnet.config import ConvNetConfig
from duograd.models.optimizers.config import LbfgsConfig
from duograd.runner.config import RunConfig, TorchBackend
from duograd.runner.engines import Engine
from duograd.runner.engines.numpy_engine import NumpyEngine
from duograd.runner.errors import UserError
from duograd.runner.hooks import Hook
from duograd.runner.hooks.stopping import Gap, Patience
from duograd.runner.nets import numpy_net
from duograd.runner.schedule import factor
from duograd.runner.training import Plan


def data_set(config: RunConfig) -> DataSet:
    """The samples. Raises DataError."""
    return load(config.data, config.dtype)


def engine(config: RunConfig, data: DataSet) -> Engine:
    """The network and its optimizer on the chosen backend. A NumPy engine imports no torch. Raises UserError."""
    return torch_engine(config, data) if isinstance(config.backend, TorchBackend) else numpy_engine(config, data)


def numpy_engine(config: RunConfig, data: DataSet) -> NumpyEngine:
    """The by-hand network with its optimizer. Raises UserError."""
    with _told():
        return NumpyEngine(numpy_net(config, data), config.optimizer)


def torch_engine(config: RunConfig, data: DataSet) -> Engine:
    """The autograd network with its optimizer. Raises UserError where torch or the device is not there."""
    if importlib.util.find_spec("torch") is None:
        raise UserError("backend=torch needs torch, which is not installed: pip install torch")
    from duograd.runner import torch_nets

    with _told():
        return torch_nets.torch_engine(config, data)


@contextmanager
def _told() -> Iterator[None]:
    """A network that cannot be built for this data is the user's to change."""
    try:
        yield
    except ArchitectureError as error:
        raise UserError(str(error)) from None


def plan(config: RunConfig, data: DataSet) -> Plan:
    """What the loop is to do. Raises UserError."""
    solver = isinstance(config.optimizer, LbfgsConfig)
    base_lr = 1.0 if isinstance(config.optimizer, LbfgsConfig) else config.optimizer.lr
    samples = len(data.train)
    steps = config.epochs * math.ceil(samples / (config.batch_size or samples))
    _require_batches_with_a_variance(config, samples)
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


def _require_batches_with_a_variance(config: RunConfig, samples: int) -> None:
    """Raises UserError where the last batch of an epoch is a single sample, and batch norm has nothing to divide by."""
    size = config.batch_size or samples
    alone = size == 1 or samples % size == 1
    if alone and isinstance(config.model, ConvNetConfig) and config.model.dense_norm == "batch":
        raise UserError(
            f"batch_size={size} leaves a batch of one of {samples} samples, but model.dense_norm=batch needs a "
            "variance: choose another batch_size"
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

"""Where configuration meets objects: from a checked RunConfig to data, engine, plan and hooks."""

import importlib.util
import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from duograd.data.dataset import DataSet
from duograd.data.errors import DataError
from duograd.data.load import load
from duograd.data.report_patches import swapped
from duograd.models.errata.optimizers import report_descent
from duograd.models.errata.table import NETS, SWAPPED
from duograd.models.errors import ArchitectureError
from duograd.models.guest import require_outputs
from duograd.models.loss import Targets
from duograd.models.optimizer import FirstOrderConfig
from duograd.runner.config import RunConfig, TorchBackend
from duograd.runner.engines import Engine
from duograd.runner.engines.numpy_engine import NumpyEngine
from duograd.runner.errors import UserError
from duograd.runner.hooks import Hook
from duograd.runner.hooks.stopping import Gap, Patience
from duograd.runner.own import trial
from duograd.runner.own.modules import guarded, refusal
from duograd.runner.registry import FAMILIES, LOSSES, SOURCES, higher_is_better, resolve
from duograd.runner.schedule import factor
from duograd.runner.training import Plan


def data_set(config: RunConfig) -> DataSet:
    """The samples. Raises DataError."""
    with guarded():
        data = load(config.data, config.dtype)
    if SWAPPED in config.mistakes:
        data = swapped(data)
    declared = SOURCES.of(config.data).targets_of(config.data)
    if declared not in (data.targets, "either"):
        raise DataError(f"data={config.data.name} declares {declared} as targets, but gives {data.targets}")
    return data


def data_key(config: RunConfig) -> str:
    """The same for configurations that have the same samples."""
    return json.dumps([config.data.model_dump(), config.dtype, SWAPPED in config.mistakes], sort_keys=True)


def engine(config: RunConfig, data: DataSet) -> Engine:
    """The network and its optimizer on the chosen backend. A NumPy engine imports no torch. Raises UserError."""
    return torch_engine(config, data) if isinstance(config.backend, TorchBackend) else numpy_engine(config, data)


def numpy_engine(config: RunConfig, data: DataSet) -> NumpyEngine:
    """The by-hand network with its optimizer. Raises UserError."""
    network = _network("net", config, data, config.backend.threads)
    if not config.mistakes:
        return NumpyEngine(network, config.optimizer)
    return NumpyEngine(network, config.optimizer, partial(report_descent, config.mistakes, _step_size(config, data)))


def torch_engine(config: RunConfig, data: DataSet, make: Callable[..., Engine] | None = None) -> Engine:
    """The autograd network with its optimizer. Raises UserError where torch or the device is not there.

    make: the engine of what a TorchEngine takes, where it is to be another.
    """
    if importlib.util.find_spec("torch") is None:
        raise UserError("backend=torch needs torch, which is not installed: pip install torch")
    from duograd.runner.engines.torch_engine import TorchEngine, use_device

    use_device(config.device, config.backend.threads)
    backend = config.backend
    options: dict[str, Any] = (
        {"compiled": backend.compile, "channels_last": backend.channels_last, "autocast": backend.autocast}
        if isinstance(backend, TorchBackend)
        else {}
    )
    network = _network("twin", config, data)
    try:
        return (make or TorchEngine)(network, config.optimizer, config.device, **options)
    except ArchitectureError as error:
        raise refusal(error) from None


def _refuse_other_inputs(config: RunConfig, data: DataSet) -> None:
    """Raises UserError where only the samples say what they are, and the network does not take such."""
    inputs, shape = FAMILIES.of(config.model).inputs, data.train.inputs.shape[1:]
    kind = {1: "vectors", 2: "sequences", 3: "images"}.get(len(shape), f"of {len(shape)} axes")
    if SOURCES.of(config.data).inputs is None and inputs is not None and kind not in inputs:
        raise UserError(
            f"model={config.model.name} takes {' or '.join(inputs)}, but the samples of data={config.data.name} are "
            f"{kind}, of shape {shape}"
        )


def _tried(network: Any, half: Literal["net", "twin"], config: RunConfig, data: DataSet) -> Any:
    """The network, once a few samples went through it, where the user wrote it or its loss."""
    own = [file for part in (config.model, config.loss) if (file := getattr(part, "file", None))]
    if not own:
        return network
    batch = data.train.batch(slice(trial.SAMPLES))
    if half == "net":
        trial.try_by_hand(network, batch)
    else:
        from duograd.models.torch_guest import output_shape

        outputs = None if batch.targets is None else data.outputs
        require_outputs(output_shape(network, batch.inputs), batch.inputs.shape, outputs, Path(own[0]).name)
    return network


def _network(half: Literal["net", "twin"], config: RunConfig, data: DataSet, *more: Any) -> Any:
    """One half of the family's pair, at its initial weights. Raises UserError where it cannot be built for the data."""
    family = FAMILIES.of(config.model)
    if fault := config.fault_with_targets(data.targets):
        learned = LOSSES.of(config.loss).targets  # only the data said that it is something else
        raise UserError(f"{fault}, or set data.target_kind={learned}")
    _refuse_other_inputs(config, data)
    if half == "twin" and (fault := LOSSES.of(config.loss).no_twin):
        raise UserError(f"{fault}; backend=numpy learns by the loss by hand")
    try:
        loss = LOSSES.of(config.loss).bind(
            config.loss, Targets(data.outputs, data.train.targets, data.classes or data.values)
        )
        shape = data.train.inputs.shape[1:]
        network = resolve(getattr(family, half))
        if config.mistakes:
            network = partial(resolve(NETS[config.model.family]), config.mistakes, _step_size(config, data))
        with guarded():
            made = network(config.model, loss, shape, data.outputs, config.seed, config.dtype, *more)
            return _tried(made, half, config, data)
    except ArchitectureError as error:
        raise refusal(error) from None


def _step_size(config: RunConfig, data: DataSet) -> int:
    """How many samples a step sees."""
    return config.batch_size or len(data.train)


def plan(config: RunConfig, data: DataSet) -> Plan:
    """What the loop is to do. Raises UserError."""
    base_lr = config.optimizer.lr if isinstance(config.optimizer, FirstOrderConfig) else 1.0
    samples = len(data.train)
    steps = config.epochs * math.ceil(samples / (config.batch_size or samples))
    _refuse_lone_samples(config, data)
    monitor = config.monitor or ("train/loss" if data.validation is None else "val/loss")
    return Plan(
        epochs=config.epochs,
        batch_size=config.batch_size,
        seed=config.seed,
        lr=lambda step, epoch: base_lr * factor(config.schedule, step, epoch, steps),
        monitor=monitor,
        rising=higher_is_better(monitor, LOSSES.of(config.loss)),
        finish=LOSSES.of(config.loss).finish,
        solver=not isinstance(config.optimizer, FirstOrderConfig),
        eval_batch_size=config.eval_batch_size,
        watch_test=config.evaluate_test_each_epoch,
    )


def _refuse_lone_samples(config: RunConfig, data: DataSet) -> None:
    """Raises UserError where the last batch of an epoch is a single sample, and the network needs more."""
    samples = len(data.train)
    size = config.batch_size or samples
    alone = size == 1 or samples % size == 1
    judge = FAMILIES.of(config.model).alone
    if alone and judge and (fault := resolve(judge)(config.model, data.train.inputs.shape[1:])):
        raise UserError(
            f"batch_size={size} leaves a batch of one of {samples} samples, but {fault}: choose another batch_size"
        )


def leading_metrics(config: RunConfig) -> list[str]:
    """Metrics by how much they tell a person, the most first; a run may lack some.

    What the user watches; what is to rise, of validation where there is any; the loss of validation; the rest.
    """
    metrics = LOSSES.of(config.loss).metrics
    rising = [f"{split}/{m.name}" for split in ("val", "train") for m in metrics if m.higher_is_better]
    others = [f"train/{m.name}" for m in metrics if not m.higher_is_better]
    return [*filter(None, [config.monitor]), *rising, "val/loss", *others]


def early_stopping(config: RunConfig) -> list[Hook]:
    """The hooks that end a run which no longer gains anything."""
    early = config.early_stopping
    patience = [] if early.patience is None else [Patience(early.patience, early.min_delta)]
    gap = [] if early.gap is None else [Gap(early.gap)]
    return [*patience, *gap]


def parameter_count(engine: Engine) -> int:
    """The number of trained values."""
    return int(sum(np.size(w) for w in engine.params().values()))

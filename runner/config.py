"""A run as one checked object: types, bounds and combinations, before anything starts.

Hydra composes plain YAML; the composed tree is validated here, once. Below this, code takes plain typed arguments.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from duograd.data.source import SourceConfig
from duograd.models.errata.table import EXACT, Gradient, in_order, rows_of
from duograd.models.family import ModelConfig
from duograd.models.loss import LossConfig
from duograd.models.optimizer import FirstOrderConfig, OptimizerConfig
from duograd.runner.errors import UserError, suggestion
from duograd.runner.registry import FAMILIES, GROUPS, LOSSES, SOURCES, modules
from duograd.runner.schedule import ScheduleConfig


def part_class(part: str, tree: Any) -> type[BaseModel] | None:
    """The class that checks a part of a run, found by the name in it; None where it has none. Raises UserError."""
    group = GROUPS.get(part)
    if group is None or not isinstance(tree, Mapping):
        return None
    if "file" in tree:
        own: type[BaseModel] = group.in_file(str(tree["file"]), tree.get("hash")).config
        return own
    name = tree.get(group.key.rpartition(".")[2])
    if name is None:
        raise UserError(f"{group.key} is not set: choose {part}=NAME")
    if not isinstance(name, str):
        raise UserError(f"{group.key}={name}: expected a string")
    config: type[BaseModel] = group.find(name).config
    return config


def named(part: str) -> WrapValidator:
    """Checks a part by the class that its name finds; the annotated one says what all such classes share."""

    def check(value: Any, otherwise: ValidatorFunctionWrapHandler) -> Any:
        try:
            config = part_class(part, value)
        except UserError as error:
            raise ValueError(str(error)) from None
        return otherwise(value) if config is None else config.model_validate(value)

    return WrapValidator(check)


class Strict(BaseModel):
    """Knows its keys, converts nothing, and never changes."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


def known_figure(name: str) -> str:
    """The name, where a figure is called so. Raises ValueError: before training, not after it."""
    known = modules("duograd.runner.plots.figures")
    if name not in known:
        raise ValueError(f"unknown figure '{name}'{suggestion(name, known)}")
    return name


FigureName = Annotated[str, AfterValidator(known_figure)]


class TaskConfig(Strict):
    """What a task is beyond its data, model and loss: what is measured and drawn."""

    name: str
    figures: list[FigureName]
    frames: list[FigureName]


class NumpyBackend(Strict):
    """threads: null takes the machine's cores. The result does not depend on it."""

    name: Literal["numpy"]
    threads: int | None = Field(ge=1, le=1024)


class TorchBackend(Strict):
    """threads: null leaves torch's own choice. compile: torch.compile the forward and backward pass.

    channels_last: the memory layout of images and filters. autocast: the precision of products and convolutions.
    """

    name: Literal["torch"]
    threads: int | None = Field(ge=1, le=1024)
    compile: bool
    channels_last: bool
    autocast: Literal["bfloat16"] | None


class NoTracking(Strict):
    name: Literal["none"]


class MlflowTracking(Strict):
    """uri: null is the SQLite database outputs/mlflow.db; experiment: null is the task's name."""

    name: Literal["mlflow"]
    uri: str | None
    experiment: str | None


class EarlyStoppingConfig(Strict):
    """patience: epochs without an improvement by min_delta. gap: how far validation may drift above training loss."""

    patience: int | None = Field(ge=1)
    min_delta: float = Field(ge=0)
    gap: float | None = Field(gt=0)


class CheckpointConfig(Strict):
    """every_seconds: how much work a killed run may lose; 0 saves after every epoch."""

    every_seconds: float = Field(ge=0)


class RunConfig(Strict):
    """Everything that a run is."""

    task: TaskConfig
    data: Annotated[SerializeAsAny[SourceConfig], named("data")]
    model: Annotated[SerializeAsAny[ModelConfig], named("model")]
    loss: Annotated[SerializeAsAny[LossConfig], named("loss")]
    optimizer: Annotated[SerializeAsAny[OptimizerConfig], named("optimizer")]
    schedule: ScheduleConfig
    backend: Annotated[NumpyBackend | TorchBackend, Field(discriminator="name")]
    tracking: Annotated[NoTracking | MlflowTracking, Field(discriminator="name")]
    early_stopping: EarlyStoppingConfig
    checkpoint: CheckpointConfig
    seed: int = Field(ge=0, lt=2**32)
    epochs: int = Field(ge=1)
    batch_size: int | None = Field(ge=1)
    eval_batch_size: int | None = Field(ge=1)
    monitor: str | None
    evaluate_test_each_epoch: bool
    check_gradient: bool = True
    gradient: Annotated[Gradient, AfterValidator(in_order)] = EXACT
    dtype: Literal["float32", "float64"]
    device: Literal["cpu", "cuda"]

    @model_validator(mode="after")
    def _network_loss_and_data_belong_together(self) -> "RunConfig":
        model, loss, data = f"model={self.model.name}", f"loss={self.loss.name}", f"data={self.data.name}"
        family, source = FAMILIES.of(self.model), SOURCES.of(self.data)
        targets = source.targets_of(self.data)
        learned = LOSSES.of(self.loss).targets
        if learned not in family.targets:
            fitting = LOSSES.where(lambda other: other.targets in family.targets and other.learns(targets))
            use = f"use {_any_of('loss', fitting)}" if fitting else "name another task, such as task=table"
            raise ValueError(f"{loss} does not go with {model} in task={self.task.name}: {use}")
        if family.inputs is not None and source.inputs is not None and source.inputs not in family.inputs:
            fitting = SOURCES.where(lambda other: other.inputs in (family.inputs or ()))
            raise ValueError(f"{data} does not go with {model}: use one of {', '.join(fitting)}")
        if fault := self.fault_with_targets(targets):
            raise ValueError(fault)
        if fault := self.model.fault_with(self.loss):
            raise ValueError(fault)
        return self

    def fault_with_targets(self, targets: str) -> str | None:
        """Why the loss cannot learn such targets, and one that can, in one line; None where it can, or may."""
        loss = LOSSES.of(self.loss)
        if loss.learns(targets):
            return None
        use = _any_of("loss", LOSSES.where(lambda other: other.targets == targets))
        other = f", or {key}" if (key := self.data.key_for(loss.targets)) else ""
        typed = f"loss={self.loss.name}", f"data={self.data.name}"
        return f"{typed[0]} is for {loss.targets}, but the targets of {typed[1]} are {targets}: use {use}{other}"

    @model_validator(mode="after")
    def _monitor_is_measured(self) -> "RunConfig":
        terms = ("loss", *(metric.name for metric in LOSSES.of(self.loss).metrics))
        known = [f"{split}/{term}" for split in ("train", "val") for term in terms]
        if self.monitor is not None and self.monitor not in known:
            raise ValueError(f"unknown monitor '{self.monitor}'{suggestion(self.monitor, known)}")
        return self

    @model_validator(mode="after")
    def _backend_and_solver(self) -> "RunConfig":
        if self.backend.name == "numpy" and self.device != "cpu":
            raise ValueError(f"device={self.device} needs backend=torch: NumPy runs on the cpu")
        if self.batch_size is not None and not isinstance(self.optimizer, FirstOrderConfig):
            name = self.optimizer.name
            raise ValueError(f"batch_size={self.batch_size} does not go with optimizer={name}: use batch_size=null")
        if isinstance(self.backend, TorchBackend) and self.backend.autocast and self.dtype == "float64":
            raise ValueError(
                f"backend.autocast={self.backend.autocast} does not go with dtype=float64: use dtype=float32"
            )
        return self

    @model_validator(mode="after")
    def _mistakes_are_made_by_hand(self) -> "RunConfig":
        if self.mistakes and self.backend.name != "numpy":
            raise ValueError(f"gradient={self.gradient} is by hand: use backend=numpy, or gradient={EXACT}")
        return self

    @property
    def mistakes(self) -> frozenset[int]:
        """The rows of the report's errors that the run is to have. Raises ValueError where it cannot."""
        return rows_of(self.gradient, self.model, self.optimizer)

    @model_validator(mode="after")
    def _what_needs_validation(self) -> "RunConfig":
        remedy = "needs a validation split, such as data.validation_fraction=0.1"
        if not self.data.validates:
            if self.early_stopping.gap is not None:
                raise ValueError(f"early_stopping.gap {remedy}")
            if self.monitor and self.monitor.startswith("val/"):
                raise ValueError(f"monitor={self.monitor} {remedy}")
        return self


def _any_of(group: str, names: Sequence[str]) -> str:
    return " or ".join(f"{group}={name}" for name in names) or f"another {group}"


def dump(config: RunConfig) -> dict[str, Any]:
    """The configuration as plain data, under the keys that the user types."""
    return config.model_dump(by_alias=True)

"""A run as one checked object: types, bounds and combinations, before anything starts.

Hydra composes plain YAML; the composed tree is validated here, once. Below this, code takes plain typed arguments.
"""

from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from duograd.data.config import Cifar10, ImageFolder, MovementConfig, PatchConfig
from duograd.data.sources.shapes import Shapes
from duograd.models.families.autoencoder.config import AutoencoderConfig, SparseLossConfig
from duograd.models.families.convnet.config import ConvNetConfig
from duograd.models.families.recurrent.config import RecurrentConfig
from duograd.models.losses.config import ClassifierLossConfig
from duograd.models.optimizers.config import LbfgsConfig, OptimizerConfig
from duograd.runner.errors import suggestion
from duograd.runner.schedule import ScheduleConfig


class Strict(BaseModel):
    """Knows its keys, converts nothing, and never changes."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class TaskConfig(Strict):
    """What a task is beyond its data, model and loss: what is measured and drawn."""

    name: str
    figures: list[str]
    frames: list[str]


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
    data: Annotated[PatchConfig | MovementConfig | Cifar10 | ImageFolder | Shapes, Field(discriminator="name")]
    model: Annotated[AutoencoderConfig | RecurrentConfig | ConvNetConfig, Field(discriminator="family")]
    loss: Annotated[SparseLossConfig | ClassifierLossConfig, Field(discriminator="name")]
    optimizer: OptimizerConfig
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
    dtype: Literal["float32", "float64"]
    device: Literal["cpu", "cuda"]

    @model_validator(mode="after")
    def _network_loss_and_data_belong_together(self) -> "RunConfig":
        losses, data = FAMILIES[self.model.family]
        if self.loss.name not in losses:
            fitting = " or ".join(f"loss={name}" for name in losses)
            raise ValueError(f"loss={self.loss.name} does not go with model={self.model.name}: use {fitting}")
        if not isinstance(self.data, data):
            sources = ", ".join(source.model_fields["name"].default for source in data)
            raise ValueError(f"data={self.data.name} does not go with model={self.model.name}: use one of {sources}")
        known = [f"{split}/{term}" for split in ("train", "val") for term in LOSSES[self.loss.name]]
        if self.monitor is not None and self.monitor not in known:
            raise ValueError(f"unknown monitor '{self.monitor}'{suggestion(self.monitor, known)}")
        return self

    @model_validator(mode="after")
    def _backend_and_solver(self) -> "RunConfig":
        if self.backend.name == "numpy" and self.device != "cpu":
            raise ValueError(f"device={self.device} needs backend=torch: NumPy runs on the cpu")
        if isinstance(self.optimizer, LbfgsConfig) and self.batch_size is not None:
            raise ValueError(f"batch_size={self.batch_size} does not go with optimizer=lbfgs: use batch_size=null")
        if isinstance(self.backend, TorchBackend) and self.backend.autocast and self.dtype == "float64":
            raise ValueError(f"backend.autocast={self.backend.autocast} does not go with dtype=float64: use float32")
        return self

    @model_validator(mode="after")
    def _what_needs_validation(self) -> "RunConfig":
        remedy = "needs a validation split: set data.validation_fraction, such as 0.1"
        if not self.data.validates:
            if self.early_stopping.gap is not None:
                raise ValueError(f"early_stopping.gap {remedy}")
            if self.monitor and self.monitor.startswith("val/"):
                raise ValueError(f"monitor={self.monitor} {remedy}")
        return self

    @model_validator(mode="after")
    def _sparsity_needs_activations_in_0_1(self) -> "RunConfig":
        if not isinstance(self.model, AutoencoderConfig) or not isinstance(self.loss, SparseLossConfig):
            return self
        if self.loss.beta and self.model.hidden_activation != "sigmoid":
            raise ValueError(
                f"model.hidden_activation={self.model.hidden_activation} does not go with loss.beta={self.loss.beta}: "
                "the KL term needs mean activations in (0, 1); use sigmoid or loss.beta=0"
            )
        return self


class Family(NamedTuple):
    """What goes with a family of networks: its losses, and the sources it can learn from."""

    losses: tuple[str, ...]
    data: tuple[type[BaseModel], ...]


FAMILIES = {
    "autoencoder": Family(("sparse",), get_args(PatchConfig)),
    "recurrent": Family(("cross_entropy", "svm"), get_args(MovementConfig)),
    "convnet": Family(("cross_entropy", "svm"), (Cifar10, ImageFolder, Shapes)),
}

# The terms that each loss measures, beside penalties that may be off.
LOSSES = {
    "sparse": ("loss", "mse", "l2", "kl"),
    "cross_entropy": ("loss", "cross_entropy", "accuracy"),
    "svm": ("loss", "svm", "accuracy"),
}


def dump(config: RunConfig) -> dict[str, Any]:
    """The configuration as plain data, under the keys that the user types."""
    return config.model_dump(by_alias=True)

"""What a loss is, and how one is declared.

A loss is one module of `models/losses` and one YAML of `conf/loss`, both called by its name. The module holds

- a subclass of `LossConfig` (or `PenalisedConfig`) with the loss's own settings and `name: Literal["NAME"]`;
- a subclass of `OutputLoss`: value, gradient and metrics of a network's outputs by hand, and the same in torch, whose
  functions it is handed (the module itself imports no torch, which a NumPy run does without);
- `LOSS = Loss(config=…, targets=…, metrics=…, bind=…)`.

Nothing else names it: `runner/registry.py` finds the module.

Legend: B batch, K outputs of a sample (C classes, or V values).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from duograd.models.arrays import Array
from duograd.models.layers.losses import l2

Means = dict[str, float]


class LossConfig(BaseModel):
    """What every loss has."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True, populate_by_name=True)
    name: str


class PenalisedConfig(LossConfig):
    """+ lambda/2 Σ‖W‖² over what `decayed` names."""

    lambda_: float = Field(alias="lambda", ge=0)


class Metric(NamedTuple):
    """A number that a loss measures, which way is up, and from where to where it can go."""

    name: str
    higher_is_better: bool = False
    least: float = 0.0
    most: float = math.inf


ACCURACY = Metric("accuracy", higher_is_better=True, most=1.0)
R2 = Metric("r2", higher_is_better=True, least=-math.inf, most=1.0)


class Targets(NamedTuple):
    """size: K, how many outputs a sample has. train: the targets of the training split, (N,) or (N, V).

    names: of the classes or values.
    """

    size: int
    train: Array | None = None
    names: tuple[str, ...] = ()


def unchanged(means: Means) -> Means:
    """The means as they are."""
    return means


@dataclass(frozen=True)
class Loss:
    """One choice of `loss`.

    targets: what it compares outputs with: `classes`, indices (N,); `values` (N, V); or `inputs`, the samples.
    metrics: what it always measures, beside `loss` itself.
    bind(config, targets): the loss as networks use it. Raises ArchitectureError where it does not fit these targets.
    finish(means of a split's batches, weighted by samples): the metrics, for those that are no such mean.
    no_twin: why torch cannot learn by it, and the remedy; None where it can.
    stacks: whether `vmap` can batch it in torch, so that several networks can be trained as one.
    """

    config: type[LossConfig]
    targets: str
    metrics: tuple[Metric, ...]
    bind: Callable[[Any, Targets], Any]
    finish: Callable[[Means], Means] = unchanged
    no_twin: str | None = None
    stacks: bool = False

    def learns(self, targets: str) -> bool:
        """Whether it can compare outputs with such targets; of `either` classes or values, with some of them."""
        return self.targets in (targets, "inputs") or (targets == "either" and self.targets in ("classes", "values"))


class OutputLoss:
    """A loss of outputs (B, K), and the L2 penalty of the parameters that gave them.

    constants: arrays that the loss is made of, such as class weights; in torch they come as tensors.
    """

    def __init__(self, config: Any, targets: Targets) -> None:
        self.config = config
        self.constants: dict[str, Array] = {}

    def error(self, outputs: Array, targets: Array) -> tuple[float, Callable[[], Array]]:
        """The loss itself, and backward() -> doutputs (B, K)."""
        raise NotImplementedError

    def measure(self, outputs: Array, targets: Array) -> dict[str, float]:
        """Metrics, as means over the batch."""
        raise NotImplementedError

    def torch_error(self, F: Any, outputs: Any, targets: Any, constants: Mapping[str, Any]) -> Any:
        """The loss itself in torch, to be differentiated; F is torch.nn.functional."""
        raise NotImplementedError

    def torch_measure(self, outputs: Any, targets: Any, constants: Mapping[str, Any]) -> dict[str, Any]:
        """Metrics in torch."""
        raise NotImplementedError

    def penalty(self, params: Mapping[str, Array]) -> tuple[float, dict[str, Array]]:
        """lambda/2 Σ‖W‖², and its gradient by parameter; nothing where lambda is 0."""
        if not self.config.lambda_:
            return 0.0, {}
        return l2({name: W for name, W in params.items() if decayed(name)}, self.config.lambda_)

    def penalised(
        self, outputs: Array, targets: Array, error: float, params: Mapping[str, Array], grads: dict[str, Array]
    ) -> dict[str, float]:
        """All terms of a step; the penalty's gradient is added to the error's."""
        penalty, decay = self.penalty(params)
        for name, dW in decay.items():
            grads[name] = grads[name] + dW  # not in place: a layer may keep its own
        return self.terms(outputs, targets, error, penalty)

    def evaluate(self, outputs: Array, targets: Array, params: Mapping[str, Array]) -> dict[str, float]:
        """All terms, where no gradient is asked for."""
        return self.terms(outputs, targets, self.error(outputs, targets)[0], self.penalty(params)[0])

    def terms(self, outputs: Array, targets: Array, error: float, penalty: float) -> dict[str, float]:
        """What is minimised, the parts of it, and the metrics."""
        parts = {self.config.name: error} | ({"l2": penalty} if self.config.lambda_ else {})
        return {"loss": sum(parts.values()), **parts, **self.measure(outputs, targets)}


class ClassLoss(OutputLoss):
    """A loss of logits (B, C) and class indices (B,), which measures the share of right classes."""

    def measure(self, outputs: Array, targets: Array) -> dict[str, float]:
        return {"accuracy": float((outputs.argmax(axis=1) == targets).mean())}

    def torch_measure(self, outputs: Any, targets: Any, constants: Mapping[str, Any]) -> dict[str, Any]:
        return {"accuracy": (outputs.argmax(dim=1) == targets).to(outputs.dtype).mean()}


def decayed(name: str) -> bool:
    """Whether the L2 penalty counts a parameter: weights; neither biases nor the scales of normalisation layers."""
    layer, _, key = name.rpartition(".")
    return key.startswith(("weight", "W")) and "norm" not in layer

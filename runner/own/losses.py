"""What a user's file defines as a loss becomes a Loss: a function of (outputs, targets, …) that returns its value and
the gradient of the outputs, and its twin in torch, `torch_NAME`, which returns the value.

TARGETS in the file says what it compares with: classes (where nothing is said) or values.
"""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np
from pydantic import Field

from duograd.models.arrays import Array
from duograd.models.errors import ArchitectureError
from duograd.models.loss import (
    ACCURACY,
    R2,
    ClassLoss,
    Loss,
    Means,
    Metric,
    OutputLoss,
    PenalisedConfig,
    Targets,
    unchanged,
)
from duograd.models.losses.squared_error import SquaredError, finish
from duograd.runner.errors import UserError
from duograd.runner.own.finding import named, only
from duograd.runner.own.keys import arguments, config_class, keys_of

GIVEN = ("outputs", "targets")
REMEDY = "write a function of (outputs, targets, …) that returns (value, gradient of the outputs)"


class OwnLossConfig(PenalisedConfig):
    """lambda: of the penalty, as every loss has it."""

    lambda_: float = Field(default=0.0, alias="lambda", ge=0)


def loss(module: ModuleType, name: str | None, where: str) -> Loss:
    """The loss that a file declares or defines. Raises UserError."""
    thing = named(module, name, where) if name else getattr(module, "LOSS", None)
    thing = thing or only(module, is_loss, where, "loss", REMEDY)
    return thing if isinstance(thing, Loss) else of_thing(thing, vars(module), where)


def of_thing(thing: Any, space: Mapping[str, Any], where: str) -> Loss:
    """The loss that a function is; space: what stands beside it. Raises UserError."""
    if not callable(thing):
        raise UserError(f"{where} is a {type(thing).__name__}: {REMEDY}")
    keys = keys_of(thing, GIVEN, taken=("name", "lambda", "file", "hash"))
    targets = space.get("TARGETS", "classes")
    if targets not in BASES:
        raise UserError(f"{where}: TARGETS={targets!r}: expected {' or '.join(map(repr, BASES))}")
    base, metrics, finished = BASES[targets]
    twin = space.get(f"torch_{thing.__name__}")

    def bind(config: Any, known: Targets) -> OutputLoss:
        return _bound(base, thing, twin, where)(config, known)

    config = config_class(thing.__name__, OwnLossConfig, keys, name=(str, thing.__name__))
    lacking = f"{where} has no torch twin: write torch_{thing.__name__}(outputs, targets, …), which returns the value"
    no_twin = None if twin else lacking
    return Loss(config, targets, (Metric(thing.__name__), *metrics), bind, finished, no_twin)


class ValueLoss(SquaredError):
    """A loss of values, which measures the squared error, the absolute error and R²."""

    def measure(self, outputs: Array, targets: Array) -> dict[str, float]:
        squared = SquaredError.error(self, outputs, targets)[0]
        return {"squared_error": squared, **super().measure(outputs, targets)}

    def torch_measure(self, outputs: Any, targets: Any, constants: Mapping[str, Any]) -> dict[str, Any]:
        squared = ((outputs - targets) ** 2).sum() / (2 * len(outputs))
        return {"squared_error": squared, **super().torch_measure(outputs, targets, constants)}


BASES: dict[str, tuple[type[OutputLoss], tuple[Metric, ...], Callable[[Means], Means]]] = {
    "classes": (ClassLoss, (ACCURACY,), unchanged),
    "values": (ValueLoss, (Metric("squared_error"), Metric("mae"), R2), finish),
}


def _bound(base: type[OutputLoss], function: Any, twin: Any, where: str) -> type[OutputLoss]:
    """The class of losses that call the function, and its twin in torch."""

    class OwnLoss(base):  # type: ignore[misc, valid-type]
        def error(self, outputs: Array, targets: Array) -> tuple[float, Callable[[], Array]]:
            given = {"outputs": outputs, "targets": targets}
            value, gradient = _returned(function(**arguments(function, self.config, **given)), where)

            def backward() -> Array:
                d = np.asarray(gradient() if callable(gradient) else gradient, outputs.dtype)
                if d.shape != outputs.shape:
                    raise ArchitectureError(
                        f"{where}: the gradient has shape {d.shape}, the outputs {outputs.shape}: both must be the same"
                    )
                return d

            return float(value), backward

        def torch_error(self, F: Any, outputs: Any, targets: Any, constants: Mapping[str, Any]) -> Any:
            return twin(**arguments(twin, self.config, outputs=outputs, targets=targets))

    return OwnLoss


def _returned(result: Any, where: str) -> tuple[Any, Any]:
    what = type(result).__name__
    if isinstance(result, tuple) and len(result) == 2:
        if np.ndim(result[0]) == 0 and np.asarray(result[0]).dtype.kind in "fiub":
            return result
        what = f"({type(result[0]).__name__}, {type(result[1]).__name__})"
    raise ArchitectureError(f"{where} returns {what}: give (value, gradient of the outputs)")


def is_loss(name: str, value: Any) -> bool:
    """A function of outputs and targets; but none of torch's."""
    code = getattr(value, "__code__", None)
    return code is not None and not name.startswith("torch_") and code.co_varnames[: code.co_argcount][:2] == GIVEN

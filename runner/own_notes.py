"""What is said of the user's own code at the start of a run: whose rate it has, and whether its gradient is roughly
right, by a few directions on a few samples."""

import math
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.data.dataset import Batch, DataSet
from duograd.data.pasting import override
from duograd.models.optimizer import OptimizerConfig
from duograd.runner import build
from duograd.runner.config import RunConfig
from duograd.runner.engines import Engine
from duograd.runner.groups import CONF
from duograd.runner.own.modules import guarded, module
from duograd.runner.store import files
from duograd.runner.store.overrides import by_key, key_of

Arrays = Mapping[str, NDArray[np.float64]]
DIRECTIONS, SAMPLES = 3, 4
CEILING = 1e-3  # of a relative error: a wrong term leaves more, differences in float64 far less
STEPS = (1e-5, 1e-7)  # the shorter, where the first leaves a doubt, rarely meets a kink
KEYS = ("experiment", "preset", "data.", "model.", "loss.", "seed")  # of what a gradient depends on
FLOOR = 1e-3  # of a parameter's slope, beside the steepest: what is nearly level moves no further than this allows


def own_notes(config: RunConfig, data: DataSet, overrides: Sequence[str]) -> list[str]:
    """What is to be said at the start of a run of the user's own code. overrides: what was typed."""
    with guarded():
        notes = (rate_note(config, by_key(overrides)), gradient_note(config, data, overrides))
    return [note for note in notes if note is not None]


def rate_note(config: RunConfig, typed: Mapping[str, str]) -> str | None:
    """That the rate is the optimizer's own; None where it was chosen, or nothing is the user's own."""
    own = next((part for part in (config.model, config.optimizer) if getattr(part, "file", None)), None)
    rate = getattr(config.optimizer, "lr", None)
    if own is None or rate is None or "optimizer.lr" in typed or rate != _own_rate(config.optimizer):
        return None
    if config.optimizer.name in rates_of(config.model):
        return None
    return (
        f"optimizer.lr={rate:g} is {config.optimizer.name}'s own: no table of rates has {config.model.name} with "
        f"{config.optimizer.name} in task={config.task.name}"
    )


def rates_of(model: Any) -> Mapping[str, Any]:
    """The rates that a user's file declares, by optimizer."""
    rates: Mapping[str, Any] = getattr(module(model.hash), "RATES", {}) if getattr(model, "file", None) else {}
    return rates


def _own_rate(optimizer: OptimizerConfig) -> float | None:
    """The rate that an optimizer has where no table gives one."""
    if getattr(optimizer, "file", None):
        rate: float | None = type(optimizer).model_fields["lr"].default
        return rate
    tree: dict[str, Any] = {"defaults": [optimizer.name]}
    while "lr" not in tree and (parents := tree.get("defaults")):
        path = CONF / "optimizer" / f"{parents[0]}.yaml"
        tree = files.read_yaml(path) if path.exists() else {}
    return tree.get("lr")


def gradient_note(config: RunConfig, data: DataSet, overrides: Sequence[str]) -> str | None:
    """What to say where the gradient by hand of the user's network or loss is wrong; None where it is not, or there is
    none, or nobody wants to know."""
    own = [part for part in (config.model, config.loss) if getattr(part, "file", None)]
    if not (own and config.check_gradient and config.backend.name == "numpy"):
        return None
    error = largest_error(build.numpy_engine(config.model_copy(update={"dtype": "float64"}), data), _batch(data))
    if error < CEILING:
        return None
    return (
        f"the gradient of {own[0].name} is off by {error:.1g} of its size (checked {DIRECTIONS} directions): run "
        f"duograd gradcheck task={config.task.name} {' '.join(_typed(config, overrides))}, or set check_gradient=false"
    )


def _typed(config: RunConfig, overrides: Sequence[str]) -> list[str]:
    """What is typed for the same network, loss and samples: by their names, and the keys of these that were typed."""
    parts: dict[str, Any] = {"data": config.data, "model": config.model, "loss": config.loss}
    names = [override(group, str(getattr(part, "file", None) or part.name)) for group, part in parts.items()]
    return [*names, *(shlex.quote(text) for text in overrides if key_of(text).startswith(KEYS))]


def _batch(data: DataSet) -> Batch:
    inputs, targets = data.train.batch(slice(SAMPLES))
    values = targets is not None and targets.dtype.kind == "f"
    return Batch(inputs.astype(np.float64), targets.astype(np.float64) if targets is not None and values else targets)


def largest_error(engine: Engine, batch: Batch) -> float:
    """How far slopes along random directions of all parameters together are from the gradient's, relatively, at most.

    Each parameter is moved the less the steeper the loss is along it, so that none hides behind another.
    """
    rng, start = np.random.default_rng(0), engine.weights()
    terms, grads = engine.loss_and_grad(batch)
    errors = [_error(engine, batch, start, grads, _direction(rng, grads)) for _ in range(DIRECTIONS)]
    engine.set_weights(start)
    return max(errors) if math.isfinite(float(terms["loss"])) else 0.0  # what diverges is said by the loop


def _direction(rng: np.random.Generator, grads: Arrays) -> Arrays:
    """v, with Σ g·v of each parameter about as large as another's, and all of it of length 1."""
    slopes = {name: float(np.linalg.norm(g)) for name, g in grads.items()}
    least = FLOOR * max(slopes.values(), default=0.0) or 1.0
    v = {name: _unit(rng, g) / max(slopes[name], least) for name, g in grads.items()}
    length = math.sqrt(sum(float(np.vdot(part, part)) for part in v.values()))
    return {name: part / length for name, part in v.items()}


def _unit(rng: np.random.Generator, g: NDArray[np.float64]) -> NDArray[np.float64]:
    """A random direction, half of it along g, so that what is right is not level by chance."""
    v = rng.standard_normal(g.shape)
    v = v / (np.linalg.norm(v) or 1)
    length = np.linalg.norm(g)
    return np.asarray(v + g / length if length else v)


def _error(engine: Engine, batch: Batch, start: Arrays, grads: Arrays, v: Arrays) -> float:
    by_hand = sum(float(np.vdot(g, v[name])) for name, g in grads.items())

    def loss(step: float) -> float:
        engine.set_weights(dict(start) | {name: start[name] + step * part for name, part in v.items()})
        return float(engine.loss_and_grad(batch)[0]["loss"])

    smallest = math.inf
    for step in STEPS:
        slope = (loss(step) - loss(-step)) / (2 * step)
        smallest = min(smallest, abs(slope - by_hand) / max(abs(slope) + abs(by_hand), 1e-8))
        if smallest < CEILING:
            break
    return smallest

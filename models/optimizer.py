"""What an optimizer is, and how one is declared.

An optimizer is one module of `models/optimizers`, called by its rule's name, and YAMLs of `conf/optimizer` that choose
the rule by `rule: NAME`. The module holds

- a subclass of `FirstOrderConfig` with the rule's own settings: its `slots` and its `update` by hand, in NumPy; and its
  `twin`, one of `torch.optim`'s, or, for what torch lacks, an update in the methods of torch's tensors (the module
  itself imports no torch, which a NumPy run does without);
- `OPTIMIZER = Optimizer(config=…)`.

Nothing else names it: `runner/registry.py` finds the module, and clipping, weight decay, state and blocks are shared.
State is a flat dict of arrays under torch's own names (`encoder.weight/exp_avg`), so a checkpoint is just saving a
value, and either backend can load it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from duograd.models.arrays import Array

Arrays = dict[str, Array]
Slots = dict[str, Array]
BLOCK = 2**15  # values that are updated at once


class OptimizerConfig(BaseModel):
    """name: of the YAML. rule: of the module. A solver, such as L-BFGS, shares no more than these."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)
    name: str
    rule: str


class Twin(NamedTuple):
    """A rule in torch: a class of torch.optim by name, with its options; or update(w, g, slots, lr, t) of tensors.

    The update has the slots of the rule, and works in place.
    """

    optimizer: str | Callable[[Any, Any, dict[str, Any], float, int], None]
    options: Mapping[str, Any] = MappingProxyType({})


class FirstOrderConfig(OptimizerConfig):
    """What every rule of one gradient a step shares. The gradient is clipped by value, then by norm, then decayed."""

    lr: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    clip_value: float | None = Field(gt=0)
    clip_norm: float | None = Field(gt=0)

    @property
    def slots(self) -> tuple[str, ...]:
        """What is remembered per parameter, under torch's names."""
        return ()

    def update(self, w: Array, g: Array, slots: Slots, lr: float, t: int) -> None:
        """One step of a parameter w by its gradient g: w and slots change in place; t counts steps from 1."""
        raise NotImplementedError

    def twin(self) -> Twin:
        """The same in torch."""
        raise NotImplementedError


@dataclass(frozen=True)
class Optimizer:
    """One choice of `optimizer.rule`. One that is not of first order is a solver, run on all samples.

    stacks: whether its steps are proportional to the rate, and look at the weights for the decay alone: then several
    networks can be trained as one.
    """

    config: type[OptimizerConfig]
    stacks: bool = False


class Descent(NamedTuple):
    """init(params) -> state; update(params, grads, state, lr) changes params and state in place."""

    init: Callable[[Arrays], Arrays]
    update: Callable[[Arrays, Arrays, Arrays, float], None]


def descent(config: FirstOrderConfig) -> Descent:
    """The optimizer of a configuration by hand: clip, decay, then the rule for every parameter.

    A rule works value by value, so it goes through large parameters in blocks that stay in cache with all that it
    makes of them: half the time of whole arrays. (Threads gain nothing: memory is the limit.) Parameters are
    C-contiguous.
    """

    def init(params: Arrays) -> Arrays:
        for name, w in params.items():
            if not w.flags.c_contiguous:  # its flat form would be a copy, and the update lost
                raise ValueError(f"parameter {name} is not C-contiguous: take np.ascontiguousarray of it")
        state = {f"{name}/{slot}": np.zeros_like(w) for name, w in params.items() for slot in config.slots}
        return {"step": np.zeros((), np.int64), **state}

    def update(params: Arrays, grads: Arrays, state: Arrays, lr: float) -> None:
        state["step"] += 1
        lr = float(lr)  # a schedule's np.float64 would make float64 of float32
        grads = clip(grads, config.clip_value, config.clip_norm)
        for name, w in params.items():
            slots = {slot: state[f"{name}/{slot}"].reshape(-1) for slot in config.slots}
            apply(w.reshape(-1), grads[name].reshape(-1), slots, lr, int(state["step"]))

    def apply(w: Array, g: Array, slots: Slots, lr: float, t: int) -> None:
        """The rule for one parameter, laid out flat."""
        for block in (slice(start, start + BLOCK) for start in range(0, len(w), BLOCK)):
            g_ = g[block] + config.weight_decay * w[block] if config.weight_decay else g[block]
            config.update(w[block], g_, {slot: s[block] for slot, s in slots.items()}, lr, t)

    return Descent(init, update)


def clip(grads: Arrays, value: float | None, norm: float | None) -> Arrays:
    """Gradients with each entry within ±value, then all together scaled down to a norm: torch's two clippings."""
    if value is not None:
        grads = {name: np.clip(g, -value, value) for name, g in grads.items()}
    if norm is not None:
        total = math.sqrt(sum(float(np.vdot(g, g)) for g in grads.values()))
        scale = norm / (total + 1e-6)  # torch's own 1e-6
        if not scale >= 1:  # NaN makes all NaN, as in torch
            grads = {name: g * scale for name, g in grads.items()}
    return grads

"""Update rules in NumPy, each equal to its torch twin step for step.

An optimizer is (init, update); its state is a flat dict of arrays under torch's own names
(`encoder.weight/exp_avg`), so a checkpoint is just saving a value, and either backend can load it.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from duograd.models.arrays import Array
from duograd.models.optimizers.config import AdagradConfig, AdamConfig, FirstOrderConfig, RmspropConfig, SgdConfig

Arrays = dict[str, Array]
Slots = dict[str, Array]
BLOCK = 2**15  # values that are updated at once


class Rule(NamedTuple):
    """slots: what is remembered per parameter. update(w, g, slots, lr, t): w and slots in place; t counts from 1."""

    slots: tuple[str, ...]
    update: Callable[[Array, Array, Slots, float, int], None]


class Optimizer(NamedTuple):
    """init(params) -> state; update(params, grads, state, lr) changes params and state in place."""

    init: Callable[[Arrays], Arrays]
    update: Callable[[Arrays, Arrays, Arrays, float], None]


def sgd(c: SgdConfig) -> Rule:
    def update(w: Array, g: Array, slots: Slots, lr: float, t: int) -> None:
        if c.momentum:
            v = slots["momentum_buffer"]
            v *= c.momentum
            v += g
            g = g + c.momentum * v if c.nesterov else v
        w -= lr * g

    return Rule(("momentum_buffer",) if c.momentum else (), update)


def adagrad(c: AdagradConfig) -> Rule:
    def update(w: Array, g: Array, slots: Slots, lr: float, t: int) -> None:
        s = slots["sum"]
        s += g * g
        w -= lr * g / (np.sqrt(s) + c.eps)

    return Rule(("sum",), update)


def rmsprop(c: RmspropConfig) -> Rule:
    def update(w: Array, g: Array, slots: Slots, lr: float, t: int) -> None:
        s = slots["square_avg"]
        s *= c.alpha
        s += (1 - c.alpha) * g * g
        w -= lr * g / (np.sqrt(s) + c.eps)

    return Rule(("square_avg",), update)


def adam(c: AdamConfig) -> Rule:
    def update(w: Array, g: Array, slots: Slots, lr: float, t: int) -> None:
        m, s = slots["exp_avg"], slots["exp_avg_sq"]
        m *= c.beta1
        m += (1 - c.beta1) * g
        s *= c.beta2
        s += (1 - c.beta2) * g * g
        if c.bias_correction:
            w -= lr / (1 - c.beta1**t) * m / (np.sqrt(s) / np.sqrt(1 - c.beta2**t) + c.eps)
        else:
            w -= lr * m / (np.sqrt(s) + c.eps)

    return Rule(("exp_avg", "exp_avg_sq"), update)


RULES: Mapping[str, Callable[[Any], Rule]] = {"sgd": sgd, "adagrad": adagrad, "rmsprop": rmsprop, "adam": adam}


def make(config: FirstOrderConfig) -> Optimizer:
    """The optimizer of a configuration: clip, decay, then its rule for every parameter.

    A rule works value by value, so it goes through large parameters in blocks that stay in cache with all that it
    makes of them: half the time of whole arrays. (Threads gain nothing: memory is the limit.) Parameters are
    C-contiguous.
    """
    rule = RULES[config.rule](config)

    def init(params: Arrays) -> Arrays:
        state = {f"{name}/{slot}": np.zeros_like(w) for name, w in params.items() for slot in rule.slots}
        return {"step": np.zeros((), np.int64), **state}

    def update(params: Arrays, grads: Arrays, state: Arrays, lr: float) -> None:
        state["step"] += 1
        grads = clip(grads, config.clip_value, config.clip_norm)
        for name, w in params.items():
            slots = {slot: state[f"{name}/{slot}"].reshape(-1) for slot in rule.slots}
            apply(w.reshape(-1), grads[name].reshape(-1), slots, lr, int(state["step"]))

    def apply(w: Array, g: Array, slots: Slots, lr: float, t: int) -> None:
        """The rule for one parameter, laid out flat."""
        for block in (slice(start, start + BLOCK) for start in range(0, len(w), BLOCK)):
            g_ = g[block] + config.weight_decay * w[block] if config.weight_decay else g[block]
            rule.update(w[block], g_, {slot: s[block] for slot, s in slots.items()}, lr, t)

    return Optimizer(init, update)


def clip(grads: Arrays, value: float | None, norm: float | None) -> Arrays:
    """Gradients with each entry within ±value, then all together scaled down to a norm: torch's two clippings."""
    if value is not None:
        grads = {name: np.clip(g, -value, value) for name, g in grads.items()}
    if norm is not None:
        total = np.sqrt(sum(float(np.vdot(g, g)) for g in grads.values()))
        scale = min(1.0, norm / (total + 1e-6))  # torch's own 1e-6
        grads = {name: g * scale for name, g in grads.items()}
    return grads

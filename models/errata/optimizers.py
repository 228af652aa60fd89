"""Updates as the report did them: momentum (row 9), Adam's counter (row 18), a gradient that is a sum (row 8)."""

from collections.abc import Collection

from duograd.models.arrays import Array
from duograd.models.errata.table import COUNTER, SIGN, SUM
from duograd.models.optimizer import Arrays, Descent, FirstOrderConfig, Slots, descent
from duograd.models.optimizers.sgd import SgdConfig


class FlippedMomentum(SgdConfig):
    """Row 9: v = −momentum v + g; w -= lr v. Every step takes back a part of the one before."""

    def update(self, w: Array, g: Array, slots: Slots, lr: float, t: int) -> None:
        v = slots["momentum_buffer"]
        v *= -self.momentum
        v += g
        w -= lr * v


def report_descent(rows: Collection[int], batch: int, config: FirstOrderConfig) -> Descent:
    """The optimizer of a configuration with the report's mistakes. batch: samples of a step."""
    if SIGN in rows:
        config = FlippedMomentum(**config.model_dump())
    scale = batch if SUM in rows else 1
    right = descent(_of_a_sum(config, scale))
    if config.rule != "sgd":
        scale = 1  # rates of the others do not depend on a gradient's size

    def update(params: Arrays, grads: Arrays, state: Arrays, lr: float) -> None:
        if COUNTER not in rows:
            right.update(params, grads, state, lr / scale)
            return
        for name, w in params.items():  # each of which is a step: the state's counter goes on
            right.update({name: w}, {name: grads[name]}, state, lr / scale)

    return Descent(right.init, update)


def _of_a_sum(config: FirstOrderConfig, batch: int) -> FirstOrderConfig:
    """Row 8: bounds and weight decay of a mean as those of a sum over the batch: 0.3125 becomes the report's 10."""
    keys = ("clip_value", "clip_norm", "weight_decay")
    return config.model_copy(update={key: value * batch for key in keys if (value := getattr(config, key))})

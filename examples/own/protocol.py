"""A network that is no chain, without a twin: any object with params, loss_and_grad and predict.

duograd gradcheck task=activity model=protocol.py                 # by differences alone
duograd task=activity preset=smoke model=protocol.py model.spread=0.1
"""

import numpy as np


class SoftmaxOfMeans:
    """p(class) from the mean of each channel. `spread` is model.spread; the other arguments are given by their names.

    Given are, as far as they are asked for: shape of a sample, outputs, loss, seed, rng, dtype, threads.
    """

    def __init__(self, shape, outputs, rng, spread: float = 0.01):
        self.params = {"weight": spread * rng.standard_normal((outputs, shape[-1])), "bias": np.zeros(outputs)}

    def predict(self, inputs):
        """Inputs (B, T, S) -> logits (B, C). `params` is read anew: training changes it in place."""
        return inputs.mean(axis=1) @ self.params["weight"].T + self.params["bias"]

    def loss_and_grad(self, inputs, targets):
        """The loss, and its gradient by every parameter."""
        n = np.arange(len(targets))
        p = np.exp(self.predict(inputs))
        p /= p.sum(axis=1, keepdims=True)
        loss = -np.log(p[n, targets]).mean()
        p[n, targets] -= 1
        p /= len(targets)
        return loss, {"weight": p.T @ inputs.mean(axis=1), "bias": p.sum(axis=0)}

"""An optimizer of your own, with a torch twin.

duograd task=activity preset=smoke optimizer=optimizer.py optimizer.beta1=0.8
duograd -m task=activity preset=smoke optimizer=adam,optimizer.py:Lion seed=1,2
"""

from dataclasses import dataclass

import numpy as np


@dataclass
class Lion:
    """Steps of one size, by the sign of an average (Chen et al. 2023). Its fields are optimizer.lr, optimizer.beta1, …

    Clipping, weight decay and the schedule are duograd's; parameters come flat, in blocks, so value by value.
    """

    lr: float = 3e-4  # where no table of rates has one
    beta1: float = 0.9
    beta2: float = 0.99
    slots = ("momentum",)  # what is remembered of each parameter, zeros at the start

    def update(self, w, g, slots, lr, t):
        """One step of a parameter w by its gradient g, in place; t counts steps from 1."""
        m = slots["momentum"]
        w -= lr * np.sign(self.beta1 * m + (1 - self.beta1) * g)
        m += (1 - self.beta2) * (g - m)

    def torch_update(self, w, g, slots, lr, t):
        """The same in the methods of tensors. Without it, backend=numpy alone."""
        m = slots["momentum"]
        w.sub_((self.beta1 * m + (1 - self.beta1) * g).sign(), alpha=lr)
        m.lerp_(g, 1 - self.beta2)

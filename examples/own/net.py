"""A network of your own, its gradient by hand, with a torch twin.

duograd gradcheck net.py                                          # the layer below, line by line
duograd gradcheck task=activity model=net.py                      # the whole network, against torch as well
duograd task=activity preset=smoke model=net.py model.width=64    # a run
duograd -m task=activity preset=smoke model=gru,net.py seed=1,2   # a sweep: ours beside yours
"""

import numpy as np

import duograd
from duograd.models.chain import flatten
from duograd.models.layers.dense import affine

RATES = {"rmsprop": 0.001, "adam": 0.001, "sgd": 0.03}  # optimizer.lr by optimizer, where the command line has none


def swish(x, gain):
    """y = gain x / (1 + exp(-x)). x (B, D), gain (D)."""
    s = 1 / (1 + np.exp(-x))
    y = gain * x * s

    def backward(dy):
        dx = dy * gain * (s + x * s * (1 - s))
        return dx, {"gain": (dy * x * s).sum(axis=0)}

    return y, backward


def net(shape, outputs, width: int = 32):
    """The network for samples of a shape, such as (150, 3), with so many outputs. `width` is model.width."""
    inputs = int(np.prod(shape))
    return duograd.Chain(
        [
            flatten,
            duograd.Layer(affine, weight=(width, inputs), bias=(width,)),  # drawn, as model.init says
            duograd.Layer(swish, gain=np.ones(width)),  # starts at 1
            duograd.Layer(affine, weight=(outputs, width), bias=(outputs,)),
        ]
    )


def torch_twin(shape, outputs, width):
    """The same in torch, with parameters of the same names and shapes. Without it, backend=numpy alone."""
    import torch
    from torch import nn

    class Swish(nn.Module):
        def __init__(self):
            super().__init__()
            self.gain = nn.Parameter(torch.ones(width))

        def forward(self, x):
            return self.gain * x * torch.sigmoid(x)

    inputs = int(np.prod(shape))
    return nn.Sequential(nn.Flatten(), nn.Linear(inputs, width), Swish(), nn.Linear(width, outputs))


def test_gradient():
    """By `pytest net.py`."""
    rng = np.random.default_rng(0)
    duograd.gradcheck(swish, rng.standard_normal((5, 3)), rng.standard_normal(3)).assert_right()

"""An nn.Module of anybody's, with nothing but a forward, as the torch engine asks for a network."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import DTypeLike
from torch import Tensor, nn

from duograd.models.arrays import Array
from duograd.models.errors import ArchitectureError
from duograd.models.guest import require_outputs
from duograd.models.loss import OutputLoss
from duograd.models.torch_loss import TorchLoss

NOISE = 2**32  # a step's random numbers: a function of seed and step, so that a killed run goes on exactly


class Guest:
    """Gives a module terms and probe, in place: its parameters keep their names."""

    def __init__(self, module: nn.Module, loss: OutputLoss, outputs: int | None, seed: int, where: str) -> None:
        self.module, self.loss, self.seed = module, TorchLoss(loss), seed
        self.expected, self.where = outputs, where

    def terms(self, inputs: Tensor, targets: Tensor, step: int = 0) -> dict[str, Tensor]:
        """The loss's terms of a batch. In training, what is random depends on (seed, step)."""
        if not self.module.training:
            return self._terms(inputs, targets)
        with torch.random.fork_rng(devices=[inputs.device] if inputs.is_cuda else []):
            torch.manual_seed(self.seed * NOISE + step)
            return self._terms(inputs, targets)

    def _terms(self, inputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        outputs = self.module(inputs)
        require_outputs(outputs.shape, inputs.shape, self.expected, self.where)
        return self.loss.terms(outputs, targets, self.module.named_parameters())

    def probe(self, inputs: Tensor, targets: Tensor | None = None) -> dict[str, Tensor]:
        """What figures ask for: nothing of this network."""
        return {}


def as_network(
    module: Any, loss: OutputLoss, outputs: int | None, seed: int, dtype: DTypeLike, where: str
) -> nn.Module:
    """The module as a network. outputs: how many it must say of a sample; None for any. where: the file, for people.

    Raises ArchitectureError where it is none.
    """
    if not isinstance(module, nn.Module):
        raise ArchitectureError(f"the torch half is a {type(module).__name__}: give a torch.nn.Module")
    module.to(torch.float64 if np.dtype(dtype) == np.float64 else torch.float32)
    guest = Guest(module, loss, outputs, seed, where)
    for name in ("terms", "probe"):
        if not hasattr(module, name):
            setattr(module, name, getattr(guest, name))
    return module


@torch.no_grad()
def output_shape(module: nn.Module, inputs: Array) -> tuple[int, ...]:
    """Of what it says of these inputs, outside of training."""
    module.eval()
    shape = tuple(module(torch.as_tensor(inputs)).shape)
    module.train()
    return shape


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Inside the block torch draws from the seed; its own generator stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@torch.no_grad()
def start_at(module: nn.Module, weights: Mapping[str, Array]) -> None:
    """Puts the by-hand network's weights into its twin. Raises ArchitectureError where they are not the same."""
    state = module.state_dict()
    shapes = {name: tuple(w.shape) for name, w in state.items()}
    by_hand = {name: w.shape for name, w in weights.items()}
    if shapes != by_hand:
        odd = sorted({*shapes.items()} ^ {*by_hand.items()})
        name = odd[0][0]
        raise ArchitectureError(
            f"the torch twin has other parameters than the network by hand: {name} is {shapes.get(name, 'not there')} "
            f"in torch, {by_hand.get(name, 'not there')} by hand"
        )
    for name, w in state.items():
        w.copy_(torch.as_tensor(weights[name]))

"""A network of the user's is tried on a few samples before anything is trained or written: what does not fit is said
with both shapes."""

from typing import Any

import numpy as np

from duograd.data.dataset import Batch
from duograd.models.chain import ChainNet
from duograd.models.errors import ArchitectureError

SAMPLES = 4


def try_by_hand(net: Any, batch: Batch, outputs: int, where: str) -> None:
    """A step without an update. Raises ArchitectureError: layers, outputs, or gradients that have another shape."""
    if isinstance(net, ChainNet):
        net.check(batch.inputs)
    require_outputs(np.shape(net.predict(batch.inputs)), batch, outputs, where)
    before = {name: value.copy() for name, value in net.buffers.items()}
    _, grads = net.loss_and_grad(*batch)
    for name, value in before.items():
        net.buffers[name][...] = value
    for name, w in net.params.items():
        if np.shape(grads[name]) != w.shape:
            raise ArchitectureError(
                f"{where}: the gradient of {name} has shape {np.shape(grads[name])}, the parameter {w.shape}"
            )


def require_outputs(shape: tuple[int, ...], batch: Batch, outputs: int, where: str) -> None:
    """Raises ArchitectureError where a network's outputs are not so many a sample."""
    expected = (len(batch), outputs)
    if batch.targets is not None and shape != expected:
        raise ArchitectureError(
            f"{where} gives outputs of shape {shape} for inputs of shape {batch.inputs.shape}: expected {expected}, "
            f"{outputs} a sample"
        )

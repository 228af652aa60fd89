"""A network of the user's is tried on a few samples before anything is trained or written: what does not fit is said
with both shapes."""

from typing import Any

from duograd.data.dataset import Batch
from duograd.models.chain import ChainNet

SAMPLES = 4


def try_by_hand(net: Any, batch: Batch) -> None:
    """A step without an update. Raises ArchitectureError: layers, outputs, or gradients that have another shape."""
    if isinstance(net, ChainNet):
        net.check(batch.inputs)
    net.predict(batch.inputs)
    before = {name: value.copy() for name, value in net.buffers.items()}
    net.loss_and_grad(*batch)
    for name, value in before.items():
        net.buffers[name][...] = value

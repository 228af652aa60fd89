"""A data set: splits of samples, and what people need to know about them.

Legend: N samples, B batch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Batch(NamedTuple):
    """What a network sees at once: inputs (B, …); targets (B,) class indices, or None where inputs are the target."""

    inputs: Array
    targets: Array | None

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class Split:
    """Samples held in memory: inputs (N, …); targets (N,) class indices, or None where the inputs are the target."""

    inputs: Array
    targets: Array | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    def batch(self, index: slice | NDArray[np.intp] = slice(None)) -> Batch:
        """The samples at `index`; a slice gives views, so a full batch costs no copy."""
        return Batch(self.inputs[index], None if self.targets is None else self.targets[index])


@dataclass(frozen=True)
class DataSet:
    """Splits of one source.

    source: one line for people, shown in every summary, run tag and figure.
    synthetic: the samples were simulated or drawn, not recorded.
    digest: a short hash of the training samples.
    gallery: sample pictures for figures, by name, such as colour (200, H, W, 3) in [0, 1].
    image_shape: (H, W) of a sample that is an image laid out flat, so that figures can fold it back.
    channels, units: of a sample that is a sequence (T, S): the names of its S channels, and such as `g, standardised`.
    """

    name: str
    source: str
    train: Split
    validation: Split | None = None
    test: Split | None = None
    classes: tuple[str, ...] = ()
    synthetic: bool = False
    digest: str = ""
    gallery: Mapping[str, Array] = field(default_factory=dict)
    image_shape: tuple[int, ...] = ()
    channels: tuple[str, ...] = ()
    units: str = ""

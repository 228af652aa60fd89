"""A data set: splits of samples, and what people need to know about them.

Legend: N samples, B batch, V values of a target.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from duograd.data.errors import DataError

Array = NDArray[Any]


class Batch(NamedTuple):
    """What a network sees at once: inputs (B, …); targets (B,) class indices, or (B, V) values, or None: the inputs."""

    inputs: Array
    targets: Array | None

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class Split:
    """Samples as kept in memory: inputs (N, …); targets (N,) class indices, or values (N, V), or None: the inputs.

    augment(inputs of a batch, generator): varies samples drawn for training; None leaves them as they are.
    normalise(inputs of a batch): what a network gets of them, so that images stay bytes; None: they are kept as it.
    """

    inputs: Array
    targets: Array | None = None
    augment: Callable[[Array, np.random.Generator], Array] | None = None
    normalise: Callable[[Array], Array] | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    def batch(self, index: slice | NDArray[np.intp] = slice(None)) -> Batch:
        """The samples at `index`; a slice of what needs no normalising is a view, so a full batch costs no copy."""
        return self._batch(self.inputs[index], index)

    def training_batch(self, index: slice | NDArray[np.intp], key: Sequence[int]) -> Batch:
        """The samples at `index` as training gets them: augmented, where asked, by a generator seeded with `key`."""
        inputs = self.inputs[index]
        return self._batch(inputs if self.augment is None else self.augment(inputs, np.random.default_rng(key)), index)

    def _batch(self, inputs: Array, index: slice | NDArray[np.intp]) -> Batch:
        targets = None if self.targets is None else self.targets[index]
        return Batch(inputs if self.normalise is None else self.normalise(inputs), targets)


@dataclass(frozen=True)
class DataSet:
    """Splits of one source.

    classes: the names of classes, where targets are their indices; values: the names of values, where targets are such.
    source: one line for people, shown in every summary, run tag and figure.
    synthetic: the samples were simulated or drawn, not recorded.
    digest: a short hash of the training samples.
    gallery: sample pictures for figures, by name, such as colour (200, H, W, 3) in [0, 1].
    image_shape: (H, W) of a sample that is an image laid out flat, so that figures can fold it back.
    columns: of a sample that is a row of a table: the column that each input is of; several where it held words.
    scales: of values that were standardised: mean and standard deviation of each, to have them in their own units.
    notes: what people should know of how it was read, such as what was skipped, each in a line.
    prepare: new samples in the source's own units, (N, …), as they stand in a split's inputs; None: they are the same.
    channels, units: of a sample that is a sequence (T, S): the names of its S channels, and such as `g, standardised`.
    """

    name: str
    source: str
    train: Split
    validation: Split | None = None
    test: Split | None = None
    classes: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    synthetic: bool = False
    digest: str = ""
    gallery: Mapping[str, Array] = field(default_factory=dict)
    image_shape: tuple[int, ...] = ()
    channels: tuple[str, ...] = ()
    units: str = ""
    columns: tuple[str, ...] = ()
    scales: tuple[tuple[float, float], ...] = ()
    notes: tuple[str, ...] = ()
    prepare: Callable[[Any], Array] | None = None

    @property
    def splits(self) -> dict[str, Split]:
        """The splits that there are, by the names that their metrics bear: train, val, test."""
        splits = {"train": self.train, "val": self.validation, "test": self.test}
        return {name: split for name, split in splits.items() if split is not None}

    @property
    def targets(self) -> str:
        """What the targets are: `classes`, `values`, or, where the inputs are their own target, `inputs`."""
        return "classes" if self.classes else "values" if self.values else "inputs"

    @property
    def outputs(self) -> int:
        """How many values a network says of a sample."""
        shape = self.train.inputs.shape[1:]
        return len(self.classes) or len(self.values) or math.prod(shape)

    @property
    def held_out(self) -> str:
        """The name of the split that tells most of new samples: test, else val, else train is all there is."""
        return list(self.splits)[-1]


def require_finite(samples: Array, what: str) -> None:
    """Raises DataError where `samples` hold NaN or infinity: how many, and where the first stands."""
    if samples.size == 0 or (np.isfinite(samples.min()) and np.isfinite(samples.max())):
        return  # NaN and infinity always reach the minimum or the maximum, which need no mask the size of the data
    bad = np.argwhere(~np.isfinite(samples))
    of_them = "values that are" if len(bad) > 1 else "value that is"
    first = ", ".join(map(str, bad[0]))
    raise DataError(
        f"{what} has {len(bad)} {of_them} NaN or infinite as {samples.dtype}, the first at [{first}]: "
        "repair such samples or leave them out"
    )

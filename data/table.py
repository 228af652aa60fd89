"""Samples of numbers, each with a target: apart in training, validation and test, and on one scale.

Legend: N samples, I inputs of a row, T time steps, S channels of a sequence, C channels of an image, V values of a
target.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from duograd.data.dataset import Array, DataSet, Split
from duograd.data.errors import DataError
from duograd.data.folds import FoldedConfig
from duograd.data.given import split_as_given
from duograd.data.splits import split_fairly, split_people
from duograd.data.targets import Kind, Targets

Index = NDArray[np.intp]
Scales = tuple[tuple[float, float], ...]
SHOWN = 5  # columns that a note names
IMAGES = 4  # axes of inputs that are images
WHITE = 255  # the largest byte


class TableConfig(FoldedConfig):
    """Fractions are of the samples, of each class alike, or of the people. target_kind: null recognises it.

    standardise: inputs, and targets that are values, to mean 0 and standard deviation 1 as on the training samples.
    """

    validation_fraction: float = Field(default=0.15, ge=0, lt=1)
    test_fraction: float = Field(default=0.2, ge=0, lt=1)
    standardise: bool = True
    target_kind: Kind | None = None

    @property
    def known_targets(self) -> str | None:
        """See SourceConfig."""
        return self.target_kind


class OwnTableConfig(TableConfig):
    """split: a column, or an array, that says of each sample whether it is to train, val or test; null draws them."""

    split: str | None = None

    @property
    def validates(self) -> bool:
        """See SourceConfig."""
        return super().validates or self.split is not None


@dataclass(frozen=True)
class Table:
    """inputs (N, I), (N, T, S) or (N, C, H, W); columns: of rows, the column that each input is of, one name for
    several inputs where it held words; channels: of sequences, the names of S.

    people: whose each sample is (N,), so that nobody is in two splits; given: 0, 1 or 2 (N,) for the samples that
    train, validate and test; None of either splits by samples. encode: new samples, as they stand in the source, as
    inputs; raises DataError. normalise: of images, `mean_image` takes away the mean image of the training samples,
    `scale` divides by 255; None leaves it to `standardise`.
    """

    source: str
    inputs: Array
    columns: tuple[str, ...]
    targets: Targets
    people: Array | None = None
    given: Array | None = None
    channels: tuple[str, ...] = ()
    normalise: str | None = None
    encode: Callable[[Any], Array] = np.asarray


@dataclass(frozen=True)
class Scaled:
    """New samples as a network gets them: encoded, and on the scale of the training samples.

    mean, std: of each column, channel of a sequence, or channel of an image, in a shape that broadcasts over samples.
    """

    encode: Callable[[Any], Array]
    shape: tuple[int, ...]
    mean: Array
    std: Array

    def __call__(self, samples: Any) -> Array:
        """(N, …). Raises DataError where they are no such samples."""
        inputs = self.encode(samples)
        if inputs.shape[1:] != self.shape or not inputs.ndim or inputs.dtype.kind not in "iufb":
            form = ", ".join(map(str, ("N", *self.shape)))
            raise DataError(f"samples of {inputs.dtype} and shape {inputs.shape}: give numbers ({form})")
        return (inputs - self.mean) / self.std


def table_dataset(config: TableConfig, table: Table, dtype: np.dtype[Any]) -> DataSet:
    """The table in splits. Raises DataError where a split would be empty, or a class missing from training."""
    parts = _split(config, table)
    _require_all_classes(table.targets, parts[0])
    prepare = Scaled(table.encode, table.inputs.shape[1:], *_scale(config, table, parts[0]))
    note = _note_on_still_columns(table, parts[0])
    targets, scales = _scaled_targets(config, table.targets, parts[0])
    targets = targets.astype(dtype) if table.targets.values else targets
    train, validation, test = (Split(_scaled(table.inputs[i], prepare, dtype), targets[i]) for i in parts)
    return DataSet(
        config.name,
        f"{table.source}: {len(table.inputs)} samples of {_form(table)}, {table.targets}",
        train,
        validation if len(validation) else None,
        test if len(test) else None,
        classes=table.targets.classes,
        values=table.targets.values,
        columns=table.columns,
        channels=table.channels,
        units="standardised" if table.channels and config.standardise else "",
        image_shape=table.inputs.shape[2:] if table.inputs.ndim == IMAGES else (),
        scales=scales,
        notes=(note,) if note else (),
        prepare=prepare,
    )


def _scaled(inputs: Array, prepare: Scaled, dtype: np.dtype[Any]) -> Array:
    return np.ascontiguousarray((inputs - prepare.mean) / prepare.std, dtype)


def _form(table: Table) -> str:
    """Such as `13 columns`, or `50 × 3`."""
    columns = len(dict.fromkeys(table.columns))
    return f"{columns} columns" if columns else " × ".join(map(str, table.inputs.shape[1:]))


def _split(config: TableConfig, table: Table) -> tuple[Index, Index, Index]:
    """The samples that train, validate and test. Test samples do not change with the validation fraction."""
    rng = np.random.default_rng(config.seed)
    strata = table.targets.array if table.targets.classes else np.zeros(len(table.inputs), np.int64)
    if table.given is not None:
        return split_as_given(table.given, strata, config.held_out, rng)
    if table.people is None:
        return split_fairly(strata, config.held_out, config.test_fraction, rng)
    who, index = np.unique(table.people, return_inverse=True)
    people = split_people(range(len(who)), config.held_out, config.test_fraction, rng)
    train, validation, test = (np.flatnonzero(np.isin(index, part)) for part in people)
    return train, validation, test


def _require_all_classes(targets: Targets, train: Index) -> None:
    counts = np.bincount(targets.array[train], minlength=len(targets.classes)) if targets.classes else np.ones(1)
    if not counts.all():
        name = targets.classes[int(counts.argmin())]
        raise DataError(
            f"class '{name}' has no sample to train on: give more of it, another data.seed, or smaller "
            "data.test_fraction and data.validation_fraction"
        )


def _scale(config: TableConfig, table: Table, train: Index) -> tuple[Array, Array]:
    """What is taken away from inputs, and what they are divided by then, in shapes that broadcast over samples."""
    inputs, images = table.inputs, table.inputs.ndim == IMAGES
    if images and table.normalise == "mean_image":
        return inputs[train].mean(axis=0), np.ones(1)
    if images and table.normalise == "scale":
        return np.zeros(1), np.full(1, WHITE)
    mean, std = _of_channels(inputs, train) if config.standardise else (np.zeros(1), np.ones(1))
    return (mean[:, None, None], std[:, None, None]) if images else (mean, std)


def _of_channels(inputs: Array, train: Index) -> tuple[Array, Array]:
    """Mean and standard deviation of each column (I,), channel of sequences (S,) or channel of images (C,).

    0 and 1 leave those of 0 and 1 alone, such as words.
    """
    last = inputs if inputs.ndim != IMAGES else inputs.transpose(0, 2, 3, 1)
    flags = ((last == 0) | (last == 1)).all(axis=tuple(range(last.ndim - 1)))
    mean, std = mean_and_deviation(last[train].reshape(-1, last.shape[-1]).astype(np.float64))
    return np.where(flags, 0.0, mean), np.where(flags, 1.0, std)


def mean_and_deviation(x: Array) -> tuple[Array, Array]:
    """Of each column of x (N, K); a deviation of 1 where a column never varies, which becomes 0 by it.

    Raises DataError for values so large that they have none: all would become 0.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = x.mean(axis=0), x.std(axis=0)
    if not np.isfinite(std).all():
        raise DataError(f"a value is as large as {np.abs(x).max():.1e}, too large to be put on one scale: repair it")
    std[std <= 1e-12 * np.abs(mean)] = 1  # float64: a constant's deviation is rounding
    return mean, std


def _note_on_still_columns(table: Table, train: Index) -> str:
    """A line on columns that never vary among the training samples; empty where all do, or there are none."""
    if not table.columns:
        return ""
    still = table.inputs[train].min(axis=0) == table.inputs[train].max(axis=0)
    names = list(dict.fromkeys(name for name, same in zip(table.columns, still, strict=True) if same))
    more = f", … ({len(names)} in all)" if len(names) > SHOWN else ""
    return f"the same in all training samples, nothing to learn from: {', '.join(names[:SHOWN])}{more}" if names else ""


def _scaled_targets(config: TableConfig, targets: Targets, train: Index) -> tuple[Array, Scales]:
    """Values (N, V) on one scale, with the mean and standard deviation of each; classes as they are."""
    if not (config.standardise and targets.values):
        return targets.array, ()
    mean, std = mean_and_deviation(targets.array[train])
    return (targets.array - mean) / std, tuple(zip(mean.tolist(), std.tolist(), strict=True))

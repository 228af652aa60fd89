"""Rows of numbers, each with a target: apart in training, validation and test, and on one scale.

Legend: N samples, I inputs, V values of a target.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from duograd.data.dataset import Array, DataSet, Split
from duograd.data.errors import DataError
from duograd.data.folds import FoldedConfig
from duograd.data.splits import split_fairly, split_people
from duograd.data.targets import Kind, Targets

Index = NDArray[np.intp]
Scales = tuple[tuple[float, float], ...]
SHOWN = 5  # columns that a note names


class TableConfig(FoldedConfig):
    """Fractions are of the samples, of each class alike, or of the people. target_kind: null recognises it.

    standardise: inputs, and targets that are values, to mean 0 and standard deviation 1 as on the training samples.
    """

    fewer: ClassVar[str] = "give fewer samples"

    validation_fraction: float = Field(default=0.15, ge=0, lt=1)
    test_fraction: float = Field(default=0.2, ge=0, lt=1)
    standardise: bool = True
    target_kind: Kind | None = None

    @property
    def known_targets(self) -> str | None:
        """See SourceConfig."""
        return self.target_kind


@dataclass(frozen=True)
class Table:
    """inputs (N, I); columns: the column that each input is of, one name for several inputs where it held words.

    people: whose each sample is (N,), so that nobody is in two splits; None splits by samples.
    encode: new samples, as they stand in the source, as inputs (N, I); raises DataError.
    """

    source: str
    inputs: Array
    columns: tuple[str, ...]
    targets: Targets
    people: Array | None = None
    encode: Callable[[Any], Array] = np.asarray


@dataclass(frozen=True)
class Scaled:
    """New samples as a network gets them: encoded, and on the scale, mean and std (I,), of the training samples."""

    encode: Callable[[Any], Array]
    mean: Array
    std: Array

    def __call__(self, samples: Any) -> Array:
        """(N, I). Raises DataError where they are no such samples."""
        inputs = self.encode(samples)
        if inputs.ndim != 2 or inputs.shape[1] != len(self.mean) or inputs.dtype.kind not in "iufb":
            raise DataError(f"samples of {inputs.dtype} and shape {inputs.shape}: give numbers (N, {len(self.mean)})")
        return (inputs - self.mean) / self.std


def table_dataset(config: TableConfig, table: Table, dtype: np.dtype[Any]) -> DataSet:
    """The table in splits. Raises DataError where a split would be empty, or a class missing from training."""
    parts = _split(config, table)
    _require_all_classes(table.targets, parts[0])
    prepare = Scaled(table.encode, *_scale(config, table.inputs, parts[0]))
    inputs, note = (table.inputs - prepare.mean) / prepare.std, _note_on_still_columns(table, parts[0])
    targets, scales = _scaled_targets(config, table.targets, parts[0])
    targets = targets.astype(dtype) if table.targets.values else targets
    train, validation, test = (Split(np.ascontiguousarray(inputs[i], dtype), targets[i]) for i in parts)
    columns = len(dict.fromkeys(table.columns))
    return DataSet(
        config.name,
        f"{table.source}: {len(inputs)} samples of {columns} columns, {table.targets}",
        train,
        validation if len(validation) else None,
        test if len(test) else None,
        classes=table.targets.classes,
        values=table.targets.values,
        columns=table.columns,
        scales=scales,
        notes=(note,) if note else (),
        prepare=prepare,
    )


def _split(config: TableConfig, table: Table) -> tuple[Index, Index, Index]:
    """The samples that train, validate and test. Test samples do not change with the validation fraction."""
    rng = np.random.default_rng(config.seed)
    if table.people is None:
        strata = table.targets.array if table.targets.classes else np.zeros(len(table.inputs), np.int64)
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


def _scale(config: TableConfig, inputs: Array, train: Index) -> tuple[Array, Array]:
    """Mean and standard deviation (I,) by which inputs are scaled: 0 and 1 leave those of 0 and 1 alone, as words."""
    flags = ((inputs == 0) | (inputs == 1)).all(axis=0)
    if not config.standardise:
        flags[:] = True
    mean, std = mean_and_deviation(inputs[train].astype(np.float64))
    return np.where(flags, 0.0, mean), np.where(flags, 1.0, std)


def mean_and_deviation(x: Array) -> tuple[Array, Array]:
    """Of each column of x (N, K); a deviation of 1 where a column never varies, which becomes 0 by it."""
    mean, std = x.mean(axis=0), x.std(axis=0)
    std[std <= 1e-12 * np.abs(mean)] = 1  # float64: a constant's deviation is rounding
    return mean, std


def _note_on_still_columns(table: Table, train: Index) -> str:
    """A line on columns that never vary among the training samples; empty where all do."""
    still = np.ptp(table.inputs[train], axis=0) == 0
    names = list(dict.fromkeys(name for name, same in zip(table.columns, still, strict=True) if same))
    more = f", … ({len(names)} in all)" if len(names) > SHOWN else ""
    return f"the same in all training samples, nothing to learn from: {', '.join(names[:SHOWN])}{more}" if names else ""


def _scaled_targets(config: TableConfig, targets: Targets, train: Index) -> tuple[Array, Scales]:
    """Values (N, V) on one scale, with the mean and standard deviation of each; classes as they are."""
    if not (config.standardise and targets.values):
        return targets.array, ()
    mean, std = mean_and_deviation(targets.array[train])
    return (targets.array - mean) / std, tuple(zip(mean.tolist(), std.tolist(), strict=True))

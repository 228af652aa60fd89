"""Splits as they are given: which samples train, which validate and which test, by words."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.data.errors import DataError
from duograd.data.folds import Fold
from duograd.data.splits import split_fairly

SPLITS = {
    "train": ("train", "training", "tr"),
    "validation": ("val", "validation", "valid", "dev"),
    "test": ("test", "testing", "tst"),
}


def given_splits(words: NDArray[Any], what: str) -> NDArray[np.int64]:
    """0 for samples that train, 1 that validate, 2 that test, by words (N,) such as train, val and test.

    what: names the words where one is none of these. Raises DataError, also where none trains.
    """
    lower = np.char.strip(np.char.lower(words.astype(np.str_)))
    part = np.full(len(words), -1, np.int64)
    for number, names in enumerate(SPLITS.values()):
        part[np.isin(lower, names)] = number
    if (part < 0).any():
        row = int(np.argmin(part))
        raise DataError(f"{what} says '{words[row]}' of sample {row + 1}: write train, val or test")
    if not (part == 0).any():
        raise DataError(f"{what} has no sample to train on: write train for some")
    return part


def split_as_given(
    part: NDArray[np.int64], strata: NDArray[np.int64], validation: float | Fold, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Indices, ascending, of the samples that train, validate and test, as `given_splits` has them.

    Where none validates, that fraction of the training samples does, of each stratum; what else is not given is not
    there. Raises DataError where that fraction gets nothing, or a fold would validate beside what is given.
    """
    train, validates, tests = (np.flatnonzero(part == number) for number in range(3))
    if len(validates) and isinstance(validation, Fold):
        raise DataError("data.fold draws the samples that validate, but some are given: leave it out")
    if not len(validates) and validation:
        kept, drawn, _ = split_fairly(strata[train], validation, 0.0, rng)
        train, validates = train[kept], train[drawn]
    return train, validates, tests

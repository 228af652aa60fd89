"""Class labels as files bear them - one-hot rows, or whole numbers counted from 0 or from 1 - as class indices.

Legend: N samples, C classes.
"""

from typing import NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from duograd.data.dataset import Array
from duograd.data.errors import DataError
from duograd.data.formats.hdf5 import label, require_form


class Labels(NamedTuple):
    """Class indices (N,) int64 in 0 … C-1 of training and test samples, C, and a word on the form they had."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    classes: int
    form: str


def read_labels(train: h5py.Dataset, test: h5py.Dataset) -> Labels:
    """Both sets of labels: (N, C) one-hot, or whole numbers (N,) or (N, 1), from 0 or from 1 by the smallest found.

    Raises DataError for other shapes, rows that are not one-hot, and numbers outside the classes of the training set.
    """
    one_hot = [_is_one_hot(dataset) for dataset in (train, test)]
    if one_hot[0] != one_hot[1]:
        raise DataError(
            f"{label(train)} has shape {train.shape} and {label(test)} {test.shape}: "
            "give both as one-hot rows, or both as whole numbers"
        )
    return _from_rows(train, test) if one_hot[0] else _from_numbers(train, test)


def _is_one_hot(dataset: h5py.Dataset) -> bool:
    """Whether labels are rows (N, C), not numbers (N,) or (N, 1)."""
    numbers = len(dataset.shape or ()) == 1
    require_form(dataset, ("N",) if numbers else ("N", "C"))
    return not numbers and dataset.shape[1] > 1


def _from_rows(train: h5py.Dataset, test: h5py.Dataset) -> Labels:
    classes = train.shape[1]
    if test.shape[1] != classes:
        widths = f"{label(train)} has {classes} columns and {label(test)} {test.shape[1]}"
        raise DataError(f"{widths}: give both one column per class")
    return Labels(_argmax(train), _argmax(test), classes, "one-hot labels")


def _argmax(dataset: h5py.Dataset) -> NDArray[np.int64]:
    rows: Array = dataset[:]
    wrong = (rows != 0).sum(axis=1) != 1
    wrong |= rows.max(axis=1) != 1
    if wrong.any():
        n = int(np.flatnonzero(wrong)[0])
        row = ", ".join(f"{value:g}" for value in rows[n])
        raise DataError(f"{label(dataset)} row {n} is [{row}], not one-hot: give each row a single 1, else 0")
    found: NDArray[np.int64] = rows.argmax(axis=1).astype(np.int64)
    return found


def _from_numbers(train: h5py.Dataset, test: h5py.Dataset) -> Labels:
    numbers, test_numbers = _whole(train), _whole(test)
    base = min(int(numbers.min()), int(test_numbers.min()))
    if base not in (0, 1):
        raise DataError(f"{label(train)} has labels from {base}: count the classes from 0 or from 1")
    top = int(numbers.max())
    if test_numbers.max() > top:
        raise DataError(
            f"{label(test)} has label {test_numbers.max()}, outside the classes {base} to {top} of {label(train)}: "
            "give training samples of every class"
        )
    return Labels(numbers - base, test_numbers - base, top - base + 1, f"labels from {base}")


def _whole(dataset: h5py.Dataset) -> NDArray[np.int64]:
    values: Array = dataset[:].reshape(-1)
    with np.errstate(invalid="ignore"):  # NaN and infinity become something else, as they should here
        whole = values.astype(np.int64)
    wrong = whole != values
    if wrong.any():
        n = int(np.flatnonzero(wrong)[0])
        raise DataError(f"{label(dataset)} row {n} is {values[n]:g}, not a whole number: give class numbers")
    return whole

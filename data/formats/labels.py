"""Class labels as HDF5 files bear them - one-hot rows, or whole numbers counted from 0 or from 1 - as class indices.

Legend: N samples, C classes.
"""

from typing import NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from duograd.data.dataset import Array
from duograd.data.errors import DataError
from duograd.data.formats.hdf5 import label, read_array, require_form, shape_of

KINDS = "fiub"  # of NumPy's types: one-hot rows may be truth values


class Labels(NamedTuple):
    """Class indices (N,) int64 in 0 … C-1 of training and test samples, C, and a word on the form they had."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    classes: int
    form: str


def read_labels(train: h5py.Dataset, test: h5py.Dataset, backwards: bool = False) -> Labels:
    """Both sets of labels: (N, C) one-hot, or whole numbers (N,), (N, 1) or (1, N), from 0 or 1 by the smallest found.

    Raises DataError for other shapes, rows that are not one-hot, and numbers outside the classes of the training set.
    """
    one_hot = [_is_one_hot(dataset, backwards) for dataset in (train, test)]
    if one_hot[0] != one_hot[1]:
        raise DataError(
            f"{label(train)} has shape {train.shape} and {label(test)} {test.shape}: "
            "give both as one-hot rows, or both as whole numbers"
        )
    return _from_rows(train, test, backwards) if one_hot[0] else _from_numbers(train, test)


def count_labels(dataset: h5py.Dataset, backwards: bool = False) -> int:
    """For how many samples there are labels."""
    shape = shape_of(dataset, backwards)
    return int(dataset.size or 0) if len(shape) < 2 or 1 in shape[:2] else shape[0]


def _is_one_hot(dataset: h5py.Dataset, backwards: bool) -> bool:
    """Whether labels are rows (N, C), not numbers (N,), (N, 1) or (1, N)."""
    numbers = len(dataset.shape or ()) == 1
    require_form(dataset, ("N",) if numbers else ("N", "C"), backwards, KINDS)
    return not numbers and 1 not in dataset.shape


def _from_rows(train: h5py.Dataset, test: h5py.Dataset, backwards: bool) -> Labels:
    (_, classes), (_, tested) = shape_of(train, backwards), shape_of(test, backwards)
    if tested != classes:
        widths = f"{label(train)} has {classes} columns and {label(test)} {tested}"
        raise DataError(f"{widths}: give both one column per class")
    return Labels(_argmax(train, backwards), _argmax(test, backwards), classes, "one-hot labels")


def _argmax(dataset: h5py.Dataset, backwards: bool) -> NDArray[np.int64]:
    rows = read_array(dataset, backwards)
    wrong = (rows != 0).sum(axis=1) != 1
    wrong |= rows.max(axis=1) != 1
    if wrong.any():
        n = int(np.flatnonzero(wrong)[0])
        row = ", ".join(f"{float(value):g}" for value in rows[n])
        raise DataError(f"{label(dataset)} row {n} is [{row}], not one-hot: give each row a single 1, else 0")
    indices: NDArray[np.int64] = rows.argmax(axis=1).astype(np.int64)
    return indices


def _from_numbers(train: h5py.Dataset, test: h5py.Dataset) -> Labels:
    numbers, test_numbers = _whole(train), _whole(test)
    base = min(int(numbers.min()), int(test_numbers.min()))
    if base not in (0, 1):
        raise DataError(f"{label(train)} has labels from {base}: count the classes from 0 or from 1")
    top = int(numbers.max())
    if top - base >= len(numbers):  # each class needs a sample, and the classes between are named one by one
        different = len(np.unique(numbers))
        raise DataError(
            f"{label(train)} has label {top}, but {len(numbers)} samples of {different} different labels: "
            f"count the classes from {base} without gaps"
        )
    if test_numbers.max() > top:
        raise DataError(
            f"{label(test)} has label {test_numbers.max()}, outside the classes {base} to {top} of {label(train)}: "
            "give training samples of every class"
        )
    return Labels(numbers - base, test_numbers - base, top - base + 1, f"labels from {base}")


def _whole(dataset: h5py.Dataset) -> NDArray[np.int64]:
    values: Array = read_array(dataset).reshape(-1)
    with np.errstate(invalid="ignore"):  # NaN and infinity become something else, as they should here
        whole = values.astype(np.int64)
    wrong = whole != values
    if wrong.any():
        n = int(np.flatnonzero(wrong)[0])
        raise DataError(f"{label(dataset)} row {n} is {values[n]:g}, not a whole number: give class numbers")
    return whole

"""The course's file of activity windows: trX (N, T, S), trY (N, C) one-hot or (N,) numbers, tstX and tstY alike.

The file does not say whose windows they are, so validation windows, drawn at random, are of the very people who train:
accuracy on them flatters by 5 to 11 points against the test people. data=motionsense splits by person.

Legend: N windows, T time steps, S channels, C classes.
"""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from duograd.data.dataset import Array, DataSet, Split
from duograd.data.errors import DataError
from duograd.data.formats.files import user_path
from duograd.data.source import Source, required
from duograd.data.splits import Splits, stratified_indices
from duograd.data.windows import WindowsConfig, class_names, window_dataset

if TYPE_CHECKING:
    import h5py

    from duograd.data.formats.labels import Labels

KEYS = ("trX", "trY", "tstX", "tstY")


class ActivityH5(WindowsConfig):
    """Windows from an HDF5 file in the course's form; validation_fraction: of the training windows."""

    fewer: ClassVar[str] = "give a file with fewer windows"

    name: Literal["activity_h5"] = "activity_h5"
    path: Annotated[str, required("data=activity_h5 needs data.path=FILE, an HDF5 file of windows")] = Field(
        default=None, validate_default=True
    )

    def read(self, dtype: np.dtype[Any]) -> DataSet:
        """The file's windows: a part of trX, drawn class by class, validates; tstX tests."""
        from duograd.data.formats.hdf5 import open_hdf5

        path = user_path(self.path)
        with open_hdf5(path) as file:
            windows, labels, test = _read(file)
        classes = class_names(labels.classes)
        rng = np.random.default_rng(self.seed)
        train, validation = stratified_indices(labels.train, classes, self.validation_fraction, rng)
        splits = Splits(
            Split(windows[train], labels.train[train]),
            Split(windows[validation], labels.train[validation]) if len(validation) else None,
            Split(test, labels.test),
        )
        channels = tuple(f"channel_{s + 1}" for s in range(windows.shape[2]))
        source = f"{path.name}, {labels.form}" + ("; validation windows drawn at random" if len(validation) else "")
        return window_dataset(self, source, splits, dtype, classes=classes, channels=channels, units="")


def _read(file: "h5py.File") -> tuple[Array, "Labels", Array]:
    """trX (N, T, S), the labels of both sets, and tstX. Raises DataError where keys, shapes or labels do not fit."""
    from duograd.data.formats.hdf5 import find_dataset, label, read_samples, require_form
    from duograd.data.formats.labels import read_labels

    train, train_labels, test, test_labels = (find_dataset(file, key) for key in KEYS)
    for dataset in (train, test):
        require_form(dataset, ("N", "T", "S"))
    for axis, what in ((1, "time steps"), (2, "channels")):
        if train.shape[axis] != test.shape[axis]:
            raise DataError(
                f"{label(train)} has {train.shape[axis]} {what} and {label(test)} {test.shape[axis]}: "
                "give both in one form (N, T, S)"
            )
    labels = read_labels(train_labels, test_labels)
    for samples, found in ((train, train_labels), (test, test_labels)):
        if len(samples) != len(found):
            counts = f"{label(samples)} has {len(samples)} windows and {label(found)} {len(found)} labels"
            raise DataError(f"{counts}: give each window one label")
    return read_samples(train), labels, read_samples(test)


SOURCE = Source(config=ActivityH5, inputs="sequences", targets="classes")

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
from duograd.data.source import UNSET, Source, required
from duograd.data.splits import Splits, stratified_indices
from duograd.data.windows import ACTIVITIES, WindowsConfig, window_dataset

if TYPE_CHECKING:
    import h5py

    from duograd.data.formats.labels import Labels

KEYS = ("trX", "trY", "tstX", "tstY")
COURSE = ((3000, 150, 3), (600, 150, 3), 6, "one-hot labels")  # windows of both sets, classes and labels of its file


class ActivityH5(WindowsConfig):
    """Windows from an HDF5 file in the course's form; validation_fraction: of the training windows.

    classes: their names, in order; null names those of the course's own file, and numbers others.
    """

    fewer: ClassVar[str] = "give a file with fewer windows"

    name: Literal["activity_h5"] = "activity_h5"
    path: Annotated[str, required("data=activity_h5 needs data.path=FILE, an HDF5 file of windows")] = UNSET
    classes: list[str] | None = Field(default=None, min_length=2)

    def read(self, dtype: np.dtype[Any]) -> DataSet:
        """The file's windows: a part of trX, drawn class by class, validates; tstX tests."""
        from duograd.data.formats.hdf5 import open_hdf5

        path = user_path(self.path)
        with open_hdf5(path) as file:
            windows, labels, test, order = _read(file)
        classes = self._class_names(windows, labels, test)
        rng = np.random.default_rng(self.seed)
        train, validation = stratified_indices(labels.train, classes, self.held_out, rng)
        splits = Splits(
            Split(windows[train], labels.train[train]),
            Split(windows[validation], labels.train[validation]) if len(validation) else None,
            Split(test, labels.test),
        )
        channels = tuple(f"channel_{s + 1}" for s in range(windows.shape[2]))
        drawn = "; validation windows drawn at random" if len(validation) else ""
        source = f"{path.name}, {labels.form}{order}{drawn}"
        return window_dataset(self, source, splits, dtype, classes=classes, channels=channels, units="")

    def _class_names(self, windows: Array, labels: "Labels", test: Array) -> tuple[str, ...]:
        """The names asked for, the six activities where the file is the course's, else class_1, class_2, …"""
        if self.classes is None:
            course = (windows.shape, test.shape, labels.classes, labels.form) == COURSE
            return ACTIVITIES if course else tuple(f"class_{index + 1}" for index in range(labels.classes))
        if len({*self.classes}) != labels.classes or len(self.classes) != labels.classes:
            raise DataError(
                f"data.classes=[{','.join(self.classes)}] does not name the {labels.classes} classes of {self.path}: "
                "give each one name of its own, in order"
            )
        return tuple(self.classes)


def _read(file: "h5py.File") -> tuple[Array, "Labels", Array, str]:
    """trX (N, T, S), the labels of both sets, tstX, and a word on the order of axes where it is MATLAB's.

    Raises DataError where keys, shapes or labels do not fit.
    """
    from duograd.data.formats.hdf5 import MATLAB_ORDER, find_dataset, label, read_samples, require_form, shape_of
    from duograd.data.formats.labels import count_labels, read_labels

    train, train_labels, test, test_labels = (find_dataset(file, key) for key in KEYS)
    backwards = _is_backwards(train, train_labels)
    for dataset in (train, test):
        require_form(dataset, ("N", "T", "S"), backwards)
    (_, *form), (_, *other) = shape_of(train, backwards), shape_of(test, backwards)
    for mine, others, what in zip(form, other, ("time steps", "channels"), strict=True):
        if mine != others:
            raise DataError(
                f"{label(train)} has {mine} {what} and {label(test)} {others}: give both in one form (N, T, S)"
            )
    for samples, its in ((train, train_labels), (test, test_labels)):
        n, there = shape_of(samples, backwards)[0], count_labels(its, backwards)
        if n != there:
            raise DataError(
                f"{label(samples)} has {n} windows and {label(its)} {there} labels: give each window one label"
            )
    labels = read_labels(train_labels, test_labels, backwards)
    order = MATLAB_ORDER if backwards else ""
    return read_samples(train, None, backwards), labels, read_samples(test, None, backwards), order


def _is_backwards(windows: "h5py.Dataset", labels: "h5py.Dataset") -> bool:
    """Whether samples lie along the last axis, as MATLAB writes them: only it has as many labels, or MATLAB says so."""
    from duograd.data.formats.hdf5 import is_marked_by_matlab, shape_of

    shape, there = shape_of(windows), shape_of(labels)
    if len(shape) != 3:  # of another form, which is told as it stands
        return False
    return shape[-1] in there and (shape[0] not in there or is_marked_by_matlab(windows))


SOURCE = Source(config=ActivityH5, inputs="sequences", targets="classes")

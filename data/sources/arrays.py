"""Arrays of one's own: rows (N, I), sequences (N, T, S) or images (N, H, W, C), and targets (N,) or (N, V).

Legend: N samples, I inputs of a row, T time steps, S channels of a sequence, C channels of an image, V values of a
target.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

from duograd.data.dataset import Array, DataSet
from duograd.data.errors import DataError
from duograd.data.formats.arrays import array_names, read_array
from duograd.data.formats.files import user_path
from duograd.data.given import given_splits
from duograd.data.source import UNSET, Source, required
from duograd.data.table import IMAGES, OwnTableConfig, Table, table_dataset
from duograd.data.targets import read_targets

PARTS = ("train", "val", "test")
AXES = {2: "rows (N, inputs)", 3: "sequences (N, time, channels)", 4: "images (N, height, width, channels)"}


class Arrays(OwnTableConfig):
    """inputs, targets, groups, split: the keys of arrays in an .npz or HDF5 file, or names of .npy files beside it.

    A file with x_train, x_val, x_test and y_train, … for `inputs: x` and `targets: y` has its splits as given.
    groups: whose each sample is (N,), so that nobody is in two splits; null splits by samples. normalise: of images,
    in place of standardise: x minus the mean image, or x / 255.
    """

    name: Literal["arrays"] = "arrays"
    path: Annotated[str, required("data=arrays needs data.path=FILE, an .npz, .npy or .h5 file")] = UNSET
    inputs: str = "x"
    targets: str = "y"
    groups: str | None = None
    normalise: Literal["mean_image", "scale"] | None = None

    def read(self, dtype: np.dtype[Any]) -> DataSet:
        """The arrays. Raises DataError where shapes or lengths do not fit, or a value is missing."""
        path = user_path(self.path)
        if path.suffix.lower() == ".npy" and not self.targets.endswith(".npy"):
            raise DataError(f"{path} holds one array alone: name the targets' file beside it, data.targets=y.npy")
        parts = self._parts(path)
        x, y, given = self._joined(path, parts) if parts else self._whole(path)
        if x.ndim not in AXES or x.dtype.kind not in "iufb" or not x.size:
            forms = ", ".join(AXES.values())
            raise DataError(f"data.inputs of {path} are {x.dtype} of shape {x.shape}: give numbers, as {forms}")
        people = None if self.groups is None else self._array(path, self.groups, "groups").reshape(-1)
        for key, array in (("targets", y), ("groups", people), ("split", given)):
            if array is not None and array.shape[:1] != x.shape[:1]:
                n = array.shape[0] if array.ndim else "no"
                raise DataError(f"{path} has {len(x)} inputs but {n} data.{key}: give each sample one")
        if people is not None and given is not None:
            raise DataError(f"data.groups={self.groups} draws the splits of {path}, which has its own: leave it out")
        _require_finite(x, path)
        if self.normalise is not None and x.ndim != IMAGES:
            raise DataError(f"{path} has {AXES[x.ndim]}, but data.normalise={self.normalise} is for {AXES[IMAGES]}")
        targets = read_targets(y, names(self.targets, y), self.target_kind)
        given = None if given is None else given_splits(given, f"data.split={self.split}" if self.split else str(path))
        columns = tuple(f"input_{i + 1}" for i in range(x.shape[1])) if x.ndim == 2 else ()
        channels = tuple(f"channel_{s + 1}" for s in range(x.shape[2])) if x.ndim == 3 else ()
        table = Table(path.name, as_inputs(x), columns, targets, people, given, channels, self.normalise, as_inputs)
        return table_dataset(self, table, dtype)

    def _parts(self, path: Path) -> Mapping[str, str]:
        """By part the ending of its arrays, `_train`, where a file has no whole ones: it has its splits as given."""
        known = array_names(path)
        if self.inputs in known or f"{self.inputs}_train" not in known:
            return {}
        return {part: f"_{part}" for part in PARTS if f"{self.inputs}_{part}" in known}

    def _joined(self, path: Path, parts: Mapping[str, str]) -> tuple[Array, Array, Array]:
        """Inputs and targets one after the other, and the part of each sample."""
        x = [self._array(path, self.inputs + end, "inputs") for end in parts.values()]
        y = [self._array(path, self.targets + end, "targets") for end in parts.values()]
        for one, its, end in zip(x, y, parts.values(), strict=True):
            if one.shape[:1] != its.shape[:1]:
                raise DataError(f"{path}: {self.inputs}{end} has {len(one)} samples, {self.targets}{end} {len(its)}")
            if one.shape[1:] != x[0].shape[1:]:
                raise DataError(f"{path}: {self.inputs}{end} has samples {one.shape[1:]}, others {x[0].shape[1:]}")
        return np.concatenate(x), np.concatenate(y), np.repeat([*parts], [len(one) for one in x])

    def _whole(self, path: Path) -> tuple[Array, Array, Array | None]:
        x, y = self._array(path, self.inputs, "inputs"), self._array(path, self.targets, "targets")
        return x, y, None if self.split is None else self._array(path, self.split, "split").reshape(-1)

    def _array(self, path: Path, key: str, what: str) -> Array:
        """The array of a key: in the file, or a file beside it."""
        if key.endswith(".npy"):
            return read_array(path.parent / user_path(key), key, f"data.{what}={key}")
        return read_array(path, key, f"data.{what}")


def as_inputs(samples: Any) -> Array:
    """Images (N, H, W, C) as networks have them, (N, C, H, W); others as they are."""
    array = np.asarray(samples)
    return array.transpose(0, 3, 1, 2) if array.ndim == 4 else array


def names(key: str, targets: Array) -> list[str]:
    """What each value of a target is called: as the key, numbered where there are several."""
    stem = Path(key).stem
    several = targets.ndim == 2 and targets.shape[1] > 1
    return [f"{stem}_{v + 1}" for v in range(targets.shape[1])] if several else [stem]


def _require_finite(x: Array, path: Path) -> None:
    bad = np.argwhere(~np.isfinite(x)) if x.dtype.kind == "f" else np.empty((0, x.ndim), int)
    if len(bad):
        row, *place = (bad[0] + 1).tolist()
        where = f"row {row}, column {place[0]}" if x.ndim == 2 else f"sample {row} at {place}"
        more = f", one of {len(bad)}" if len(bad) > 1 else ""
        what = "NaN" if np.isnan(x[tuple(bad[0])]) else "infinite"
        raise DataError(f"{path}: {where} of the inputs is {what}{more}: fill it or leave it out")


SOURCE = Source(config=Arrays, inputs=None, targets="either")

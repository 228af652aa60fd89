"""Arrays of one's own: inputs (N, I), and targets (N,) or (N, V), classes or values.

Legend: N samples, I inputs, V values of a target.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

from duograd.data.dataset import Array, DataSet
from duograd.data.errors import DataError
from duograd.data.formats.arrays import read_array
from duograd.data.formats.files import user_path
from duograd.data.source import UNSET, Source, required
from duograd.data.table import Table, TableConfig, table_dataset
from duograd.data.targets import read_targets


class Arrays(TableConfig):
    """inputs, targets, groups: the keys of arrays in an .npz or HDF5 file, or names of .npy files beside it.

    groups: whose each sample is (N,), so that nobody is in two splits; null splits by samples.
    """

    name: Literal["arrays"] = "arrays"
    path: Annotated[str, required("data=arrays needs data.path=FILE, an .npz, .npy or .h5 file")] = UNSET
    inputs: str = "x"
    targets: str = "y"
    groups: str | None = None

    def read(self, dtype: np.dtype[Any]) -> DataSet:
        """The arrays. Raises DataError where shapes or lengths do not fit, or a value is missing."""
        path = user_path(self.path)
        if path.suffix.lower() == ".npy" and not self.targets.endswith(".npy"):
            raise DataError(f"{path} holds one array alone: name the targets' file beside it, data.targets=y.npy")
        x, y = self._array(path, "inputs"), self._array(path, "targets")
        people = None if self.groups is None else self._array(path, "groups").reshape(-1)
        if x.ndim != 2 or x.dtype.kind not in "iufb" or not x.size:
            raise DataError(f"data.inputs of {path} are {x.dtype} of shape {x.shape}: give numbers (samples, inputs)")
        for key, array in (("targets", y), ("groups", people)):
            if array is not None and array.shape[:1] != x.shape[:1]:
                n = array.shape[0] if array.ndim else "no"
                raise DataError(f"{path} has {len(x)} inputs but {n} data.{key}: give each sample one")
        _require_finite(x, path)
        targets = read_targets(y, names(self.targets, y), self.target_kind)
        columns = tuple(f"input_{i + 1}" for i in range(x.shape[1]))
        return table_dataset(self, Table(path.name, x, columns, targets, people), dtype)

    def _array(self, path: Path, what: Literal["inputs", "targets", "groups"]) -> Array:
        """The array that a key names: in the file, or a file beside it."""
        key: str = getattr(self, what)
        if key.endswith(".npy"):
            return read_array(path.parent / user_path(key), key, f"data.{what}={key}")
        return read_array(path, key, f"data.{what}")


def names(key: str, targets: Array) -> list[str]:
    """What each value of a target is called: as the key, numbered where there are several."""
    stem = Path(key).stem
    several = targets.ndim == 2 and targets.shape[1] > 1
    return [f"{stem}_{v + 1}" for v in range(targets.shape[1])] if several else [stem]


def _require_finite(x: Array, path: Path) -> None:
    bad = np.argwhere(~np.isfinite(x)) if x.dtype.kind == "f" else np.empty((0, 2), int)
    if len(bad):
        row, column = bad[0] + 1
        more = f", one of {len(bad)}" if len(bad) > 1 else ""
        what = "NaN" if np.isnan(x[row - 1, column - 1]) else "infinite"
        raise DataError(f"{path}: row {row}, column {column} of the inputs is {what}{more}: fill it or leave it out")


SOURCE = Source(config=Arrays, inputs="vectors", targets="either")

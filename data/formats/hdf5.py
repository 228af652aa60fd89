"""Reading HDF5 files that users bring: each fault of the file becomes one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from duograd.data.dataset import Array, require_finite
from duograd.data.errors import DataError, did_you_mean, reason

KEYS_SHOWN = 10

# What h5py raises on damaged files: OSError mostly; the others where damage hits names, types or the tree of links.
DAMAGE = (OSError, RuntimeError, KeyError, TypeError, ValueError, OverflowError)


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """The file at `path`, open for reading. Raises DataError where it is missing, not HDF5, or damaged."""
    if not path.exists():
        raise DataError(f"data.path={path} does not exist: give an HDF5 file")
    if not path.is_file():
        raise DataError(f"data.path={path} is a folder: give an HDF5 file")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except DataError:
        raise
    except DAMAGE as error:
        raise DataError(f"{path} cannot be read as HDF5 ({reason(error)}): download or copy it again") from error


def find_dataset(file: h5py.File, key: str) -> h5py.Dataset:
    """The data set `key`. Raises DataError where there is none, and says what is there."""
    found = file.get(key)
    if not isinstance(found, h5py.Dataset):
        raise DataError(f"{file.filename} has no data set '{key}': {_hint(key, list(file))}")
    return found


def _hint(key: str, keys: list[str]) -> str:
    if not keys:
        return "the file is empty, give another"
    if key in keys:
        return f"its '{key}' is a group, a broken link or damaged, give a file with an array there"
    more = ", …" if len(keys) > KEYS_SHOWN else ""
    return f"{did_you_mean(key, keys)}it has {', '.join(keys[:KEYS_SHOWN])}{more}"


def label(dataset: h5py.Dataset) -> str:
    """How errors name a data set: `file.h5: 'data'`."""
    return f"{dataset.file.filename}: '{dataset.name.lstrip('/')}'"


def require_form(dataset: h5py.Dataset, form: tuple[str | int, ...]) -> None:
    """Raises DataError unless the data set holds numbers in `form`, such as ("N", 3, "H", "W"): letters are free."""
    shape = dataset.shape or ()  # None for a data set without any extent
    fits = len(shape) == len(form) and all(
        isinstance(want, str) or want == have for want, have in zip(form, shape, strict=True)
    )
    if not fits:
        raise DataError(f"{label(dataset)} has shape {_show(shape)}, expected {_show(form)}: give a file in that form")
    if dataset.dtype.kind not in "fiu":
        raise DataError(f"{label(dataset)} has type {dataset.dtype}, expected numbers: store it as float32")
    if dataset.size == 0:
        raise DataError(f"{label(dataset)} is empty, shape {_show(shape)}: give a file with samples")


def _show(shape: tuple[str | int, ...]) -> str:
    return f"({', '.join(map(str, shape))})"


def read_samples(dataset: h5py.Dataset, count: int | None = None) -> Array:
    """The first `count` samples (all where None) as float32, converted by HDF5 while it reads: no second copy.

    Raises DataError where there are fewer, or where one holds NaN or infinity.
    """
    available = dataset.shape[0]
    if count is not None and count > available:
        raise DataError(
            f"{label(dataset)} holds {available} samples, fewer than data.count={count}: "
            f"set data.count={available} or less, or null for all"
        )
    n = available if count is None else count
    samples = np.empty((n, *dataset.shape[1:]), np.float32)
    dataset.read_direct(samples, np.s_[:n])
    require_finite(samples, label(dataset))
    return samples

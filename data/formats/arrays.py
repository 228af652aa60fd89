"""Arrays that users bring, in .npz, .npy and HDF5 files: each fault becomes one line, and nothing is ever unpickled."""

import zipfile
from pathlib import Path
from tokenize import TokenError

import numpy as np

from duograd.data.dataset import Array
from duograd.data.errors import DataError, did_you_mean, reason
from duograd.data.formats import files
from duograd.data.formats.files import RATIO, UNPACKED

HDF5 = (".h5", ".hdf5", ".mat")
# What NumPy raises on damaged files: the latter where damage hits the text that says what an array is.
DAMAGE = (*files.DAMAGE, KeyError, TypeError, OverflowError, SyntaxError, TokenError)


def read_array(path: Path, key: str, what: str) -> Array:
    """The array `key` of an .npz or HDF5 file, or all of an .npy; `what` is the key of the configuration that asks.

    Raises DataError where the file is missing, damaged, of another kind or without that key, or holds objects.
    """
    if not path.is_file():
        raise DataError(f"{what}: {path} {'is no file' if path.exists() else 'does not exist'}: give .npz, .npy or .h5")
    if path.suffix.lower() in HDF5:
        return _hdf5(path, key)
    if path.suffix.lower() not in (".npz", ".npy"):
        raise DataError(f"{what}: {path} is of no kind that is read here: give .npz, .npy or .h5, or use data=table")
    try:
        return _numpy(path, key, what)
    except DataError:
        raise
    except DAMAGE as error:
        if "Object arrays" in str(error):
            remedy = "save numbers, words (dtype=str) or truth values"
            raise DataError(f"{path}: '{key}' holds Python objects, which are never unpickled: {remedy}") from error
        said = "damaged, or of another kind" if "pickle" in str(error) else reason(error)
        raise DataError(f"{path} cannot be read ({said}): save it again by numpy.savez or numpy.save") from error


def array_names(path: Path) -> list[str]:
    """The names of a file's arrays; none where it has no names, or cannot be read, which is said when it is."""
    try:
        if path.suffix.lower() in HDF5:
            import h5py

            with h5py.File(path) as archive:
                return list(archive)
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            return [] if isinstance(loaded, np.ndarray) else list(loaded.files)
    except DAMAGE:
        return []


def _numpy(path: Path, key: str, what: str) -> Array:
    with path.open("rb") as file:  # which NumPy would leave open where it is damaged
        loaded = np.load(file, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        _require_modest(loaded.zip, path)
        if key not in loaded.files:
            there = ", ".join(loaded.files) or "nothing"
            raise DataError(f"{what}={key} is not in {path}: {did_you_mean(key, loaded.files)}it has {there}")
        return np.asarray(loaded[key])


def _require_modest(archive: zipfile.ZipFile, path: Path) -> None:
    size = sum(entry.file_size for entry in archive.infolist())
    if size > max(UNPACKED, RATIO * path.stat().st_size):
        raise DataError(f"{path} unpacks to {size} bytes: save it by numpy.savez, uncompressed")


def _hdf5(path: Path, key: str) -> Array:
    from duograd.data.formats.hdf5 import (
        find_dataset,
        is_marked_by_matlab,
        label,
        open_hdf5,
        read_array,
        require_written,
    )

    with open_hdf5(path) as file:
        dataset = find_dataset(file, key)
        if dataset.dtype.metadata == {"vlen": str}:
            return np.asarray(dataset.asstr()[:])
        if dataset.dtype.kind == "O":
            raise DataError(f"{label(dataset)} holds objects: save numbers or words")
        require_written(dataset)
        return read_array(dataset, is_marked_by_matlab(dataset))

"""Reading HDF5 files that users bring: each fault of the file becomes one line."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import ceil, prod
from pathlib import Path

import h5py
import numpy as np

from duograd.data.dataset import Array, require_finite
from duograd.data.errors import DataError, did_you_mean, reason
from duograd.data.formats.files import RATIO, UNPACKED

KEYS_SHOWN = 10
MATLAB_ORDER = ", axes in MATLAB's order"  # how a source says that it was read so
Form = tuple[str | int, ...]  # such as ("N", 3, "H", "W"): letters are free

# What h5py raises on damaged files: OSError mostly; the others where damage hits names, types or the tree of links.
DAMAGE = (OSError, RuntimeError, KeyError, TypeError, ValueError, OverflowError)


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """The file at `path`, open for reading. Raises DataError where it is missing, not HDF5, damaged, or in use."""
    if not path.exists():
        raise DataError(f"data.path={path} does not exist: give an HDF5 file")
    if not path.is_file():
        raise DataError(f"data.path={path} is {'a folder' if path.is_dir() else 'no file'}: give an HDF5 file")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except DataError:
        raise
    except BlockingIOError as error:
        raise DataError(f"{path} is being written by another program: close it there, then try again") from error
    except DAMAGE as error:
        if _is_old_matlab(path):
            raise DataError(f"{path} is a MATLAB file before version 7.3: save it with save(…, '-v7.3')") from error
        raise DataError(f"{path} cannot be read as HDF5 ({reason(error)}): download or copy it again") from error


def _is_old_matlab(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(10) == b"MATLAB 5.0"


def find_dataset(file: h5py.File, key: str) -> h5py.Dataset:
    """The data set `key`. Raises DataError where there is none, and says what is there."""
    dataset = file.get(key)
    if not isinstance(dataset, h5py.Dataset):
        raise DataError(f"{file.filename} has no data set '{key}': {_hint(key, list(file))}")
    return dataset


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


def shape_of(dataset: h5py.Dataset, backwards: bool = False) -> tuple[int, ...]:
    """The shape, () without any extent; `backwards` where MATLAB wrote it, which counts axes from the other end."""
    shape: tuple[int, ...] = dataset.shape or ()
    return shape[::-1] if backwards else shape


def is_marked_by_matlab(dataset: h5py.Dataset) -> bool:
    """Whether MATLAB's own `save` wrote it."""
    return "MATLAB_class" in dataset.attrs


def is_backwards(dataset: h5py.Dataset, form: Form) -> bool:
    """Whether the axes are in MATLAB's order: only so do they fit the form, or MATLAB says that it wrote them."""
    plain, reversed_ = (fits(shape_of(dataset, backwards), form) for backwards in (False, True))
    return reversed_ and (not plain or is_marked_by_matlab(dataset))


def fits(shape: tuple[int, ...], form: Form) -> bool:
    """Whether a shape is of a form."""
    return len(shape) == len(form) and all(
        isinstance(want, str) or want == have for want, have in zip(form, shape, strict=True)
    )


def require_form(dataset: h5py.Dataset, form: Form, backwards: bool = False, kinds: str = "fiu") -> None:
    """Raises DataError unless the data set holds numbers, of these `kinds` of NumPy types, in that form, written."""
    shape = shape_of(dataset, backwards)
    if not fits(shape, form):
        raise DataError(f"{label(dataset)} has shape {_show(shape)}, expected {_show(form)}: give a file in that form")
    if dataset.dtype.kind not in kinds:
        raise DataError(f"{label(dataset)} has type {dataset.dtype}, expected numbers: store it as float32")
    if dataset.size == 0:
        raise DataError(f"{label(dataset)} is empty, shape {_show(shape)}: give a file with samples")
    require_written(dataset)


def _show(shape: Form) -> str:
    return f"({', '.join(map(str, shape))})"


def require_written(dataset: h5py.Dataset) -> None:
    """Raises DataError where HDF5 would make up zeros for what is in no file, or make much out of little."""
    if dataset.external:
        raise DataError(f"{label(dataset)} lies in {dataset.external[0][0]}, outside of the file: store it in the file")
    for source in dataset.virtual_sources() if dataset.is_virtual else ():
        if source.file_name != "." and not (Path(dataset.file.filename).parent / source.file_name).exists():
            raise DataError(f"{label(dataset)} is put together from {source.file_name}, which is missing: copy it too")
    if dataset.chunks:
        parts = prod(ceil(length / chunk) for length, chunk in zip(dataset.shape, dataset.chunks, strict=True))
        written = dataset.id.get_num_chunks()
    else:
        parts, written = 1, int(dataset.is_virtual or dataset.id.get_storage_size() > 0)
    if written < parts:
        raise DataError(f"{label(dataset)} was never written, or not to its end: give a file that is whole")
    if dataset.nbytes > max(UNPACKED, RATIO * dataset.id.get_storage_size()) and not dataset.is_virtual:
        raise DataError(f"{label(dataset)} unpacks to {dataset.nbytes} bytes: store it with less compression")


def read_array(dataset: h5py.Dataset, backwards: bool = False, count: int | None = None, type_: str = "") -> Array:
    """The first `count` samples, all where None, converted by HDF5 while it reads: no second copy.

    Raises DataError where a filter that it is compressed with is not installed.
    """
    shape = shape_of(dataset, backwards)
    n = shape[0] if count is None else count
    stored = (*shape[:0:-1], n) if backwards else (n, *shape[1:])
    array = np.empty(stored, type_ or dataset.dtype)
    if _missing_filters(dataset):
        with suppress(ImportError):
            import hdf5plugin  # type: ignore[import-not-found] # noqa: F401 - to import it is to make them known
    try:
        dataset.read_direct(array, np.s_[..., :n] if backwards else np.s_[:n])
    except OSError as error:
        if missing := _missing_filters(dataset):
            what = f"{label(dataset)} is compressed with {', '.join(missing)}, which is not installed"
            raise DataError(f"{what}: pip install hdf5plugin, or store it with gzip") from error
        raise
    return np.ascontiguousarray(array.transpose()) if backwards else array


def _missing_filters(dataset: h5py.Dataset) -> list[str]:
    """The filters that HDF5 has not got, by name where the file tells it, else by number."""
    used = dataset.id.get_create_plist()
    filters = [used.get_filter(place) for place in range(used.get_nfilters())]
    return [
        name.decode("latin1") or f"filter {code}" for code, _, _, name in filters if not h5py.h5z.filter_avail(code)
    ]


def read_samples(dataset: h5py.Dataset, count: int | None = None, backwards: bool = False) -> Array:
    """The first `count` samples (all where None) as float32.

    Raises DataError where there are fewer, where one holds NaN or infinity, or where all are zero.
    """
    available = shape_of(dataset, backwards)[0]
    if count is not None and count > available:
        raise DataError(
            f"{label(dataset)} holds {available} samples, fewer than data.count={count}: "
            f"set data.count={available} or less, or null for all"
        )
    samples = read_array(dataset, backwards, count, "f4")
    require_finite(samples, label(dataset))
    if not samples.any():
        raise DataError(f"{label(dataset)} holds nothing but zeros: give a file that was filled")
    return samples

"""From a config to a data set in memory."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import DTypeLike

from duograd.data.dataset import Array, DataSet, Split, require_finite
from duograd.data.errors import DataError, printable
from duograd.data.source import SourceConfig

DIGEST_LENGTH = 16  # hex digits


def load(config: SourceConfig, dtype: DTypeLike = "float32") -> DataSet:
    """The data set that `config` describes; the same config, the same bytes. Its batches are C-contiguous, of `dtype`.

    Raises DataError for every fault of the data: missing or damaged files, wrong shapes, NaN, too little memory.
    """
    try:
        with np.errstate(over="ignore"):  # what no float32 holds is infinite then, and refused
            dataset = config.read(np.dtype(dtype))
    except MemoryError as error:
        raise DataError(f"data={config.name} does not fit in memory: {_fewer(config)}") from error
    for name, split in {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}.items():
        if split is not None:
            _require_finite(split, f"data={config.name}: its {name} split")
    train = replace(dataset.train, augment=config.augmentation())
    source, notes = printable(dataset.source), tuple(map(printable, (*dataset.notes, *_case_notes(dataset.classes))))
    return replace(dataset, train=train, digest=digest(train.inputs), source=source, notes=notes)


def _fewer(config: SourceConfig) -> str:
    """The remedy where memory is too small."""
    by_count = "ask for fewer samples, data.count=N" if "count" in type(config).model_fields else "give fewer samples"
    return config.fewer or by_count


def _require_finite(split: Split, what: str) -> None:
    for array in (split.inputs, split.targets):
        if array is not None and array.dtype.kind == "f":  # bytes of images are always finite
            require_finite(array, what if array is split.inputs else f"{what}, in its targets,")


def _case_notes(classes: Sequence[str]) -> Iterator[str]:
    """A line on each two classes that may be one to who named them, and are on a disk that ignores case."""
    first: dict[str, str] = {}
    for name in classes:
        if (other := first.setdefault(name.casefold(), name)) != name:
            yield f"classes {other} and {name} differ by case alone, and are two: rename one if they are the same"


def digest(inputs: Array) -> str:
    """The first 16 hex digits of SHA-256 over the bytes of `inputs`."""
    return hashlib.sha256(np.ascontiguousarray(inputs).data).hexdigest()[:DIGEST_LENGTH]

"""From a config to a data set in memory."""

import hashlib
from dataclasses import replace

import numpy as np
from numpy.typing import DTypeLike

from duograd.data.dataset import Array, DataSet, require_finite
from duograd.data.errors import DataError, printable
from duograd.data.source import SourceConfig

DIGEST_LENGTH = 16  # hex digits


def load(config: SourceConfig, dtype: DTypeLike = "float32") -> DataSet:
    """The data set that `config` describes; the same config, the same bytes. Its batches are C-contiguous, of `dtype`.

    Raises DataError for every fault of the data: missing or damaged files, wrong shapes, NaN, too little memory.
    """
    try:
        dataset = config.read(np.dtype(dtype))
    except MemoryError as error:
        raise DataError(f"data={config.name} does not fit in memory: {config.fewer}") from error
    for split in (dataset.train, dataset.validation, dataset.test):
        if split is not None and split.inputs.dtype.kind == "f":  # bytes of images are always finite
            require_finite(split.inputs, f"data={config.name}")
    train = replace(dataset.train, augment=config.augmentation())
    source, notes = printable(dataset.source), tuple(map(printable, dataset.notes))
    return replace(dataset, train=train, digest=digest(train.inputs), source=source, notes=notes)


def digest(inputs: Array) -> str:
    """The first 16 hex digits of SHA-256 over the bytes of `inputs`."""
    return hashlib.sha256(np.ascontiguousarray(inputs).data).hexdigest()[:DIGEST_LENGTH]

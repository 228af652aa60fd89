"""From a config to a data set in memory."""

import hashlib
from dataclasses import replace
from functools import partial
from typing import Any, assert_never

import numpy as np
from numpy.typing import DTypeLike

from data.augment import vary
from data.config import ActivityH5, DataConfig, Gait, MotionSense, PatchesH5, Photos, PhotosSample
from data.dataset import Array, DataSet
from data.errors import DataError
from data.preprocess import require_finite

DIGEST_LENGTH = 16  # hex digits


def load(config: DataConfig, dtype: DTypeLike = "float32") -> DataSet:
    """The data set that `config` describes, its inputs C-contiguous and of `dtype`; the same config, the same bytes.

    Raises DataError for every fault of the data: missing or damaged files, wrong shapes, NaN, too little memory.
    """
    try:
        dataset = _read(config, np.dtype(dtype))
    except MemoryError as error:
        raise DataError(f"data={config.name} does not fit in memory: {config.fewer}") from error
    for split in (dataset.train, dataset.validation, dataset.test):
        if split is not None:
            require_finite(split.inputs, f"data={config.name}")
    augment = getattr(config, "augment", None)
    if augment is not None and augment.varies:
        dataset = replace(dataset, train=replace(dataset.train, augment=partial(vary, augment)))
    return replace(dataset, digest=digest(dataset.train.inputs))


def _read(config: DataConfig, dtype: np.dtype[Any]) -> DataSet:
    """One branch per source; each imports what it alone needs."""
    match config:
        case PhotosSample() | Photos():
            from data.sources.photos import photos_dataset

            return photos_dataset(config, dtype)
        case PatchesH5():
            from data.sources.patches_h5 import patches_h5_dataset

            return patches_h5_dataset(config, dtype)
        case ActivityH5():
            from data.sources.activity_h5 import activity_h5_dataset

            return activity_h5_dataset(config, dtype)
        case MotionSense():
            from data.sources.motionsense import motionsense_dataset

            return motionsense_dataset(config, dtype)
        case Gait():
            from data.sources.gait import gait_dataset

            return gait_dataset(config, dtype)
        case _:
            assert_never(config)


def digest(inputs: Array) -> str:
    """The first 16 hex digits of SHA-256 over the bytes of `inputs`."""
    return hashlib.sha256(np.ascontiguousarray(inputs).data).hexdigest()[:DIGEST_LENGTH]

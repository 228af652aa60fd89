"""From a config to a data set in memory."""

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from duograd.data.config import (
    ActivityH5,
    Cifar10,
    Gait,
    ImageFolder,
    MotionSense,
    PatchesH5,
    Photos,
    PhotosSample,
    SourceConfig,
)
from duograd.data.dataset import Array, DataSet
from duograd.data.errors import DataError
from duograd.data.preprocess import require_finite

DIGEST_LENGTH = 16  # hex digits


def load(config: SourceConfig, dtype: DTypeLike = "float32") -> DataSet:
    """The data set that `config` describes; the same config, the same bytes. Its batches are C-contiguous, of `dtype`.

    Raises DataError for every fault of the data: missing or damaged files, wrong shapes, NaN, too little memory.
    """
    try:
        dataset = _read(config, np.dtype(dtype))
    except MemoryError as error:
        raise DataError(f"data={config.name} does not fit in memory: {config.fewer}") from error
    for split in (dataset.train, dataset.validation, dataset.test):
        if split is not None and split.inputs.dtype.kind == "f":  # bytes of images are always finite
            require_finite(split.inputs, f"data={config.name}")
    train = replace(dataset.train, augment=config.augmentation())
    return replace(dataset, train=train, digest=digest(train.inputs))


def _read(config: SourceConfig, dtype: np.dtype[Any]) -> DataSet:
    """One branch per source that does not read itself yet; each imports what it alone needs."""
    match config:
        case PhotosSample() | Photos():
            from duograd.data.sources.photos import photos_dataset

            return photos_dataset(config, dtype)
        case PatchesH5():
            from duograd.data.sources.patches_h5 import patches_h5_dataset

            return patches_h5_dataset(config, dtype)
        case ActivityH5():
            from duograd.data.sources.activity_h5 import activity_h5_dataset

            return activity_h5_dataset(config, dtype)
        case MotionSense():
            from duograd.data.sources.motionsense import motionsense_dataset

            return motionsense_dataset(config, dtype)
        case Gait():
            from duograd.data.sources.gait import gait_dataset

            return gait_dataset(config, dtype)
        case Cifar10():
            from duograd.data.sources.cifar10 import cifar10_dataset

            return cifar10_dataset(config, dtype)
        case ImageFolder():
            from duograd.data.sources.image_folder import image_folder_dataset

            return image_folder_dataset(config, dtype)
        case _:
            return config.read(dtype)


def digest(inputs: Array) -> str:
    """The first 16 hex digits of SHA-256 over the bytes of `inputs`."""
    return hashlib.sha256(np.ascontiguousarray(inputs).data).hexdigest()[:DIGEST_LENGTH]

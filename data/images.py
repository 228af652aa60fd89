"""Images of several classes, made into a data set whatever their source.

Legend: N images, C channels, H height, W width, K images shown.
"""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from duograd.data.augment import CropFlipConfig, crop_flip
from duograd.data.dataset import Array, DataSet, Split
from duograd.data.errors import DataError
from duograd.data.normalise import WHITE, NormaliseConfig, fit_normaliser
from duograd.data.source import Augmentation
from duograd.data.splits import Splits

SHOWN = 10  # images of each class


class ImagesConfig(NormaliseConfig):
    """Images (3, H, W) of bytes, normalised batch by batch.

    count, test_count: the first so many training and test images, once the data is split; null for all.
    augment: how training images are varied each time they are drawn.
    """

    count: int | None = Field(default=None, ge=1)
    test_count: int | None = Field(default=None, ge=1)
    augment: CropFlipConfig = CropFlipConfig()

    def augmentation(self) -> Augmentation | None:
        return partial(crop_flip, self.augment) if self.augment.varies else None


def image_dataset(
    config: ImagesConfig,
    source: str,
    splits: Splits,
    dtype: np.dtype[Any],
    *,
    classes: tuple[str, ...],
    synthetic: bool = False,
) -> DataSet:
    """The images as bytes, to be normalised batch by batch as `config` says, by what the training images are like.

    Raises DataError where images are too small to be cropped so, or a channel to divide by its deviation is constant.
    """
    train = splits.train.inputs
    _require_room(train, config.augment.crop)
    normalise = fit_normaliser(config, train, dtype)
    return DataSet(
        name=config.name,
        source=f"{source}, {_counts(splits)}",
        **splits.map(lambda split: replace(split, normalise=normalise))._asdict(),
        classes=classes,
        synthetic=synthetic,
        gallery={"images": pictures(train[one_after_another(splits.train, len(classes))])},
        image_shape=train.shape[2:],
    )


def one_after_another(split: Split, classes: int) -> NDArray[np.intp]:
    """Indices of the first images of each class that occurs, class by class, as many of each, ten at most."""
    assert split.targets is not None
    members = [np.flatnonzero(split.targets == index) for index in range(classes)]
    there = [mine for mine in members if len(mine)]
    number = min(SHOWN, *map(len, there))
    return np.concatenate([mine[:number] for mine in there])


def pictures(images: Array) -> Array:
    """Images (K, 3, H, W) of bytes as pictures (K, H, W, 3) in [0, 1]."""
    values: Array = images.transpose(0, 2, 3, 1) / np.float32(WHITE)
    return values


def _counts(splits: Splits) -> str:
    """Such as `60000 images: 49000 train, 1000 validation, 10000 test`."""
    number = {name: len(split) for name, split in splits._asdict().items() if split is not None}
    return f"{sum(number.values())} images: " + ", ".join(f"{n} {name}" for name, n in number.items())


def _require_room(images: Array, crop: int) -> None:
    height, width = images.shape[2:]
    if crop >= min(height, width):
        raise DataError(
            f"data.augment.crop={crop} can leave nothing of images of {width}×{height} pixels: "
            f"set it to {min(height, width) - 1} or less"
        )

"""Images of bytes become what a network gets, a batch at a time, so that memory never holds them all as floats.

Legend: N images of the training split, B batch, C channels, H height, W width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from duograd.data.dataset import Array
from duograd.data.errors import DataError
from duograd.data.source import SourceConfig

LEVELS = 256  # of a byte
WHITE = 255.0
CHANNELS = ("red", "green", "blue")
CHUNK = 256  # images counted at once; NumPy counts integers of eight bytes
Means = Annotated[list[Annotated[float, Field(ge=0, le=1)]], Field(min_length=3, max_length=3)]
Deviations = Annotated[list[Annotated[float, Field(gt=0, le=1)]], Field(min_length=3, max_length=3)]


class NormaliseConfig(SourceConfig):
    """How images are normalised: channels, (x / 255 - mean) / std; mean_image, x minus the mean training image; or
    scale, x / 255.

    mean, std: of each channel, of x / 255; null measures them on the training images.
    """

    normalise: Literal["channels", "mean_image", "scale"] = "channels"
    mean: Means | None = None
    std: Deviations | None = None


@dataclass(frozen=True)
class Normaliser:
    """images · scale + shift, each (), (C, 1, 1) or (C, H, W), and of the result's dtype."""

    scale: Array
    shift: Array

    def __call__(self, images: Array) -> Array:
        """Images (B, C, H, W) of bytes as floats, C-contiguous."""
        normal = images.astype(self.scale.dtype, order="C")
        normal *= self.scale
        normal += self.shift
        return normal


def fit_normaliser(config: NormaliseConfig, images: Array, dtype: np.dtype[Any]) -> Normaliser:
    """The normaliser that `config` asks for, what it leaves open measured on the training images (N, C, H, W).

    Raises DataError where a channel to be divided by its standard deviation does not vary.
    """
    match config.normalise:
        case "scale":
            return Normaliser(np.array(1 / WHITE, dtype), np.array(0, dtype))
        case "mean_image":
            return Normaliser(np.array(1, dtype), (-mean_image(images)).astype(dtype))
        case "channels":
            mean, std = (of[:, None, None] for of in channel_statistics(images, config.mean, config.std))
            return Normaliser((1 / (WHITE * std)).astype(dtype), (-mean / std).astype(dtype))


def mean_image(images: Array) -> NDArray[np.float64]:
    """The mean (C, H, W) of images (N, C, H, W) of bytes."""
    total = np.zeros(images.shape[1:], np.int64)
    for start in range(0, len(images), CHUNK):
        total += images[start : start + CHUNK].sum(axis=0, dtype=np.int64)
    mean: NDArray[np.float64] = total / len(images)
    return mean


def channel_statistics(
    images: Array, mean: Sequence[float] | None, std: Sequence[float] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation (C,) of each channel's x / 255: those given, else measured on images (N, C, H, W).

    Raises DataError where a measured channel does not vary.
    """
    if mean is not None and std is not None:
        return np.array(mean), np.array(std)
    means, deviations = measured_statistics(images)
    flat = np.flatnonzero(deviations == 0)
    if len(flat) == len(CHANNELS):
        colour = ", ".join(f"{WHITE * level:.0f}" for level in means)
        raise DataError(f"every training image is one flat rgb({colour}): give images that differ")
    if std is None and len(flat):
        raise DataError(
            f"the {CHANNELS[flat[0]]} channel is one value in all training images, so it cannot be divided by its "
            "standard deviation: set data.std=[…], or data.normalise=scale"
        )
    return np.array(means if mean is None else mean), np.array(deviations if std is None else std)


def measured_statistics(images: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation (C,) of x / 255 by channel, exact to rounding: from how often each byte occurs."""
    counts = channel_counts(images)
    levels = np.arange(LEVELS) / WHITE
    shares = counts / counts.sum(axis=1, keepdims=True)
    mean = shares @ levels
    variance = (shares * (levels - mean[:, None]) ** 2).sum(axis=1)
    return mean, np.sqrt(variance)


def channel_counts(images: Array) -> NDArray[np.int64]:
    """How often each byte occurs in each channel of images (N, C, H, W): (C, 256)."""
    counts = np.zeros((images.shape[1], LEVELS), np.int64)
    for start in range(0, len(images), CHUNK):
        for c, channel in enumerate(images[start : start + CHUNK].swapaxes(0, 1)):
            counts[c] += np.bincount(channel.ravel(), minlength=LEVELS)
    return counts

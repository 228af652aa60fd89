"""Augmentation: a sample is varied a little each time it is drawn for training, so that none is seen twice.

Legend: B batch, T time steps, S sensor channels, C colour channels, H height, W width.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from pydantic import BaseModel, ConfigDict, Field

from duograd.data.dataset import Array


class AugmentConfig(BaseModel):
    """How samples are varied; not at all where every value is 0 or false."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)

    @property
    def varies(self) -> bool:
        """Whether anything is varied at all."""
        return any(dict(self).values())


class VariationConfig(AugmentConfig):
    """How far a window of sensor channels is varied, as standard deviations in the unit of the network's input.

    noise: added to each value. offset: added to a whole channel, as if the sensor sat a little differently.
    scale: a whole channel is multiplied by 1 + this, as if the person moved more or less strongly.
    """

    noise: float = Field(default=0.0, ge=0, le=10)
    offset: float = Field(default=0.0, ge=0, le=10)
    scale: float = Field(default=0.0, ge=0, le=1)


def vary(config: VariationConfig, windows: Array, rng: np.random.Generator) -> Array:
    """New windows (B, T, S) from the given ones, in their dtype."""
    B, _, S = windows.shape

    def normal(*shape: int) -> Array:
        return rng.standard_normal(shape, dtype=np.float64).astype(windows.dtype)

    varied = windows * (1 + config.scale * normal(B, 1, S)) + config.offset * normal(B, 1, S)
    return varied + config.noise * normal(*windows.shape) if config.noise else varied


class CropFlipConfig(AugmentConfig):
    """How training images are varied.

    crop: a window of the image's own size is cut at random from the image with so many black pixels on each side.
    flip: left and right change places in half of the images.
    """

    crop: int = Field(default=0, ge=0)
    flip: bool = False


def crop_flip(config: CropFlipConfig, images: Array, rng: np.random.Generator) -> Array:
    """New images (B, C, H, W), C-contiguous, from the given ones; the generator draws crops first, then flips."""
    if config.crop:
        rows, columns = rng.integers(2 * config.crop + 1, size=(2, len(images)))
        images = cropped(images, config.crop, rows, columns)
    if config.flip:
        images = flipped(images, rng.random(len(images)) < 0.5)
    return images


def cropped(images: Array, padding: int, rows: Array, columns: Array) -> Array:
    """The window (H, W) at rows (B,), columns (B,) of each image inside a black frame, `padding` pixels wide."""
    B, C, H, W = images.shape
    framed = np.zeros((B, C, H + 2 * padding, W + 2 * padding), images.dtype)
    framed[:, :, padding : padding + H, padding : padding + W] = images
    windows = sliding_window_view(framed, (H, W), axis=(2, 3))  # (B, C, 2p+1, 2p+1, H, W), a view
    return np.ascontiguousarray(windows[np.arange(B), :, rows, columns])


def flipped(images: Array, which: Array) -> Array:
    """A copy in which the images where `which` (B,) is true are their mirror images."""
    out = images.copy()
    out[which] = images[which, :, :, ::-1]
    return out

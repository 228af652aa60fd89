"""From colour patches to what the autoencoder learns: the steps of the report's question 1, in its order.

luminosity → remove_mean → clip at ±3 standard deviations → rescale to [0.1, 0.9] → flatten

The arithmetic is float64, whatever the input and the result: then the ends of the range are exactly 0.1 and 0.9, and
rounding differences between processors vanish when the result is cast to float32.

Legend: N patches, K patches shown, H height, W width.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.data.dataset import Array, DataSet, Split
from duograd.data.errors import DataError
from duograd.data.folds import FoldedConfig
from duograd.data.splits import split_indices

LUMINOSITY = np.array([0.2126, 0.7152, 0.0722])  # red, green, blue (ITU-R BT.709)
CLIP_STDS = 3.0
TARGET_LOW, TARGET_HIGH = 0.1, 0.9  # away from 0 and 1, where a sigmoid saturates
ROUNDING = 1e-12  # of a pixel's value; removing the mean of a flat float64 image leaves about 1e-16 of it
CHUNK = 1024  # patches at a time
SHOWN = 200  # as many as the report shows
DISPLAY_STDS = 3.0


def luminosity(colour: Array) -> Array:
    """Grey (N, H, W) = 0.2126 R + 0.7152 G + 0.0722 B, of colour (N, 3, H, W)."""
    grey: Array = np.einsum("c,nchw->nhw", LUMINOSITY, colour)
    return grey


def remove_mean(grey: Array) -> Array:
    """Each image of grey (N, H, W) minus its own mean."""
    centred: Array = grey - grey.mean(axis=(1, 2), dtype=np.float64, keepdims=True)
    return centred


def clip_to(grey: Array, limit: float) -> Array:
    """Grey with every pixel brought into [-limit, limit]."""
    return np.clip(grey, -limit, limit)


def rescale(grey: Array, low: float, high: float) -> Array:
    """The straight line that takes `low` to 0.1 and `high` to 0.9."""
    scaled: Array = grey - low
    scaled /= high - low
    scaled *= TARGET_HIGH - TARGET_LOW
    scaled += TARGET_LOW
    return scaled


def flatten(grey: Array) -> Array:
    """Grey (N, H, W) as rows (N, H·W), pixel (r, c) at r·W + c."""
    return grey.reshape(len(grey), -1)


def fit_range(grey: Array, magnitude: float = 1.0) -> tuple[float, float]:
    """The smallest and largest pixel once grey (N, H, W) is clipped at ±3 std, one std over all pixels of all images.

    magnitude: the largest pixel before means were removed, which tells contrast from rounding.
    Raises DataError where no image has any contrast.
    """
    std = float(grey.std(dtype=np.float64))
    if std <= ROUNDING * magnitude:
        raise DataError("every image is one flat grey (standard deviation 0): give images with some contrast")
    low, high = clip_to(np.array([grey.min(), grey.max()]), CLIP_STDS * std)
    return float(low), float(high)


def to_range(grey: Array, low: float, high: float) -> Array:
    """Grey clipped to [low, high], the range fitted on training images, and rescaled to [0.1, 0.9].

    On the training images this is the clip at ±3 std. Validation images take the training range as it is, so what they
    hold beyond it is cut, and both splits lie in [0.1, 0.9] on one scale.
    """
    return rescale(np.clip(grey, low, high), low, high)


def patch_dataset(
    colour: Array, source: str, config: FoldedConfig, rng: np.random.Generator, dtype: np.dtype[Any]
) -> DataSet:
    """Colour patches (N, 3, H, W), preprocessed and split: inputs (N, H·W) in [0.1, 0.9], which are their own target.

    The range is fitted on the training patches alone. Raises DataError where there is no contrast, or a split is empty.
    """
    train_index, validation_index = split_indices(len(colour), config.held_out, rng)
    sample = rng.choice(len(train_index), min(SHOWN, len(train_index)), replace=False)
    grey = luminosity(colour)
    magnitude = max(abs(grey.min()), abs(grey.max()))
    grey = remove_mean(grey)
    low, high = fit_range(grey[train_index] if len(validation_index) else grey, magnitude)

    def split(index: NDArray[np.intp]) -> Split:
        """A chunk of rows at a time: the float64 of a whole split would be the most memory that a run ever takes."""
        rows = np.empty((len(index), grey[0].size), dtype)
        for start in range(0, len(index), CHUNK):
            part = index[start : start + CHUNK]
            rows[start : start + CHUNK] = flatten(to_range(grey[part], low, high))
        return Split(rows)

    train = split(train_index)
    return DataSet(
        name=config.name,
        source=source,
        train=train,
        validation=split(validation_index) if len(validation_index) else None,
        gallery={
            "colour": displayable(colour[train_index[sample]]),
            "grey": train.inputs[sample].reshape(-1, *grey.shape[1:]),
        },
        image_shape=grey.shape[1:],
    )


def displayable(colour: Array) -> Array:
    """Colour (K, 3, H, W) as pictures (K, H, W, 3) in [0, 1].

    Values already there stay as they are; whitened ones, which have no natural scale, are clipped at three standard
    deviations around their mean, as the grey ones are, and rescaled.
    """
    pictures = colour.transpose(0, 2, 3, 1)
    if pictures.min() >= 0 and pictures.max() <= 1:
        return pictures.copy()
    mean, std = pictures.mean(dtype=np.float64), pictures.std(dtype=np.float64)
    limit = DISPLAY_STDS * std or 1.0  # one flat colour is shown as mid-grey
    shades: Array = 0.5 + np.clip(pictures - mean, -limit, limit) / (2 * limit)
    return shades.astype(colour.dtype)

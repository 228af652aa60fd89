"""From colour patches to a data set for the autoencoder.

Legend: N patches, K patches shown, H height, W width.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.data.config import PatchConfig
from duograd.data.dataset import Array, DataSet, Split
from duograd.data.preprocess import fit_range, flatten, luminosity, remove_mean, to_range
from duograd.data.splits import split_indices

SHOWN = 200  # as many as the report shows
DISPLAY_STDS = 3.0


def patch_dataset(
    colour: Array, source: str, config: PatchConfig, rng: np.random.Generator, dtype: np.dtype[Any]
) -> DataSet:
    """Colour patches (N, 3, H, W), preprocessed and split: inputs (N, H·W) in [0.1, 0.9], which are their own target.

    The range is fitted on the training patches alone. Raises DataError where there is no contrast, or a split is empty.
    """
    grey = luminosity(colour)
    magnitude = max(abs(grey.min()), abs(grey.max()))
    grey = remove_mean(grey)
    train_index, validation_index = split_indices(len(colour), config.validation_fraction, rng)
    low, high = fit_range(grey[train_index], magnitude)

    def split(index: NDArray[np.intp]) -> Split:
        return Split(flatten(to_range(grey[index], low, high)).astype(dtype, order="C"))

    train = split(train_index)
    shown = rng.choice(len(train), min(SHOWN, len(train)), replace=False)
    return DataSet(
        name=config.name,
        source=source,
        train=train,
        validation=split(validation_index) if len(validation_index) else None,
        gallery={
            "colour": displayable(colour[train_index[shown]]),
            "grey": train.inputs[shown].reshape(-1, *grey.shape[1:]),
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

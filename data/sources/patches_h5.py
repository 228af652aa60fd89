"""The course's file of colour patches: `data` (N, 3, H, W). Its whitening matrices xForm and invXForm are not used."""

from pathlib import Path
from typing import Any

import numpy as np

from duograd.data.config import PatchesH5
from duograd.data.dataset import Array, DataSet
from duograd.data.source import Source
from duograd.data.sources.hdf5 import find_dataset, open_hdf5, read_samples, require_form
from duograd.data.sources.patches import patch_dataset
from duograd.data.sources.paths import user_path

FORM = ("N", 3, "H", "W")


def patches_h5_dataset(config: PatchesH5, dtype: np.dtype[Any]) -> DataSet:
    """The file's patches, ready for the autoencoder."""
    path = user_path(config.path)
    colour = read_patches(path, config.count)
    return patch_dataset(colour, path.name, config, np.random.default_rng(config.seed), dtype)


def read_patches(path: Path, count: int | None = None) -> Array:
    """The first `count` patches (all where None), (N, 3, H, W) float32, on whatever scale the file has.

    Raises DataError where the file is missing, damaged, of another form, or holds NaN, infinity or too few patches.
    """
    with open_hdf5(path) as file:
        dataset = find_dataset(file, "data")
        require_form(dataset, FORM)
        return read_samples(dataset, count)


SOURCE = Source(config=PatchesH5, inputs="vectors", targets="inputs")

"""The course's file of colour patches: `data` (N, 3, H, W). Its whitening matrices xForm and invXForm are not used."""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from duograd.data.dataset import Array, DataSet
from duograd.data.folds import FoldedConfig
from duograd.data.formats.files import user_path
from duograd.data.patches import patch_dataset
from duograd.data.source import UNSET, Source, required

FORM = ("N", 3, "H", "W")


class PatchesH5(FoldedConfig):
    """Patches from an HDF5 file in the course's form; count: the first so many, or null for all."""

    name: Literal["patches_h5"] = "patches_h5"
    path: Annotated[str, required("data=patches_h5 needs data.path=FILE, an HDF5 file of patches")] = UNSET
    count: int | None = Field(default=None, ge=1)

    def read(self, dtype: np.dtype[Any]) -> DataSet:
        """The file's patches, ready for the autoencoder."""
        colour, source = read_patches(user_path(self.path), self.count)
        return patch_dataset(colour, source, self, np.random.default_rng(self.seed), dtype)


def read_patches(path: Path, count: int | None = None) -> tuple[Array, str]:
    """The first `count` patches, all where None: (N, 3, H, W) float32, on the file's own scale; and a line on the file.

    Raises DataError where the file is missing, damaged, of another form, or holds NaN, infinity or too few patches.
    """
    from duograd.data.formats.hdf5 import (
        MATLAB_ORDER,
        find_dataset,
        is_backwards,
        open_hdf5,
        read_samples,
        require_form,
    )

    with open_hdf5(path) as file:
        dataset = find_dataset(file, "data")
        backwards = is_backwards(dataset, FORM)
        require_form(dataset, FORM, backwards)
        return read_samples(dataset, count, backwards), path.name + (MATLAB_ORDER if backwards else "")


SOURCE = Source(config=PatchesH5, inputs="vectors", targets="inputs")

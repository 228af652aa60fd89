"""The course's file of colour patches: `data` (N, 3, H, W). Its whitening matrices xForm and invXForm are not used."""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from duograd.data.dataset import Array, DataSet
from duograd.data.formats.files import user_path
from duograd.data.patches import patch_dataset
from duograd.data.source import Source, SourceConfig, required

FORM = ("N", 3, "H", "W")


class PatchesH5(SourceConfig):
    """Patches from an HDF5 file in the course's form; count: the first so many, or null for all."""

    name: Literal["patches_h5"] = "patches_h5"
    path: Annotated[str, required("data=patches_h5 needs data.path=FILE, an HDF5 file of patches")] = Field(
        default=None, validate_default=True
    )
    count: int | None = Field(default=None, ge=1)

    def read(self, dtype: np.dtype[Any]) -> DataSet:
        """The file's patches, ready for the autoencoder."""
        path = user_path(self.path)
        colour = read_patches(path, self.count)
        return patch_dataset(colour, path.name, self, np.random.default_rng(self.seed), dtype)


def read_patches(path: Path, count: int | None = None) -> Array:
    """The first `count` patches (all where None), (N, 3, H, W) float32, on whatever scale the file has.

    Raises DataError where the file is missing, damaged, of another form, or holds NaN, infinity or too few patches.
    """
    from duograd.data.formats.hdf5 import find_dataset, open_hdf5, read_samples, require_form

    with open_hdf5(path) as file:
        dataset = find_dataset(file, "data")
        require_form(dataset, FORM)
        return read_samples(dataset, count)


SOURCE = Source(config=PatchesH5, inputs="vectors", targets="inputs")

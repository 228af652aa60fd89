"""Colour patches cut at random from the two photographs that scikit-learn ships: without network or files."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from duograd.data.dataset import DataSet
from duograd.data.errors import DataError
from duograd.data.source import Source
from duograd.data.sources.photos import CutPatchesConfig, cut_dataset

if TYPE_CHECKING:
    from duograd.data.formats.image_files import ImageFiles

SAMPLES = ("china.jpg", "flower.jpg")


class PhotosSample(CutPatchesConfig):
    """Patches from the two photographs that scikit-learn ships."""

    name: Literal["photos_sample"] = "photos_sample"

    def read(self, dtype: np.dtype[Any]) -> DataSet:
        """Patches of both photographs, ready for the autoencoder."""
        return cut_dataset(sample_photos(), "two photographs shipped with scikit-learn", self, dtype)


def sample_photos() -> "ImageFiles":
    """The two photographs that scikit-learn ships, found without importing it (2 s). Raises DataError without them."""
    from duograd.data.formats.files import FolderFiles
    from duograd.data.formats.image_files import ImageFiles

    spec = find_spec("sklearn")
    folders = [Path(folder, "datasets", "images") for folder in (spec and spec.submodule_search_locations) or ()]
    paths = [folder / name for folder in folders for name in SAMPLES]
    if not paths or not all(path.is_file() for path in paths):
        raise DataError(
            f"data=photos_sample needs {' and '.join(SAMPLES)} of scikit-learn, which are not installed: "
            "run `pip install --force-reinstall scikit-learn`, or use data=photos data.root=FOLDER"
        )
    return ImageFiles(FolderFiles(paths[0].parent), paths[0].parent, paths)


SOURCE = Source(config=PhotosSample, inputs="vectors", targets="inputs", offline=True)

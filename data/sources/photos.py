"""Colour patches cut at random from a folder or an archive of photographs.

Legend: N patches, s side of a patch, H height and W width of a photograph.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from pydantic import Field

from duograd.data.dataset import Array, DataSet
from duograd.data.errors import DataError
from duograd.data.folds import FoldedConfig
from duograd.data.formats.files import user_path
from duograd.data.patches import patch_dataset
from duograd.data.source import UNSET, Source, required

if TYPE_CHECKING:
    from duograd.data.formats.image_files import ImageFiles


class CutPatchesConfig(FoldedConfig):
    """Square patches cut at random from photographs: how many, and their side in pixels."""

    count: int = Field(default=10240, ge=1, le=1_000_000)  # at the upper bound 16 × 16 patches take 3 GB
    size: int = Field(default=16, ge=2, le=512)


class Photos(CutPatchesConfig):
    """Patches from a folder or an archive of images. background: the colour behind what is transparent."""

    name: Literal["photos"] = "photos"
    root: Annotated[str, required("data=photos needs data.root=FOLDER, a folder of images")] = UNSET
    background: Literal["white", "grey", "black"] = "white"

    def read(self, dtype: np.dtype[Any]) -> DataSet:
        """Patches of every photograph there, ready for the autoencoder."""
        from duograd.data.formats.image_files import open_images

        root = user_path(self.root)
        with open_images(root, self.background) as images:
            noun = "photograph" if len(images) == 1 else "photographs"
            where = f"{root.resolve().name}{'/' if root.is_dir() else ''}"
            return cut_dataset(images, f"{len(images)} {noun} in {where}", self, dtype)


def cut_dataset(images: "ImageFiles", source: str, config: CutPatchesConfig, dtype: np.dtype[Any]) -> DataSet:
    """Patches cut as `config` says, ready for the autoencoder; one generator, seeded by it, draws everything."""
    rng = np.random.default_rng(config.seed)
    colour = patches_from_images(images, config.count, config.size, rng)
    dataset = patch_dataset(colour, source, config, rng, dtype)
    return replace(dataset, notes=(*images.skip_notes, *images.reader.notes()))


def patches_from_images(images: "ImageFiles", count: int, size: int, rng: np.random.Generator) -> Array:
    """`count` patches (N, 3, s, s) float32 in [0, 1], uniform over photographs and over positions in each.

    Photographs and places are drawn first, so that each photograph is opened once at most, one after the other.
    Raises DataError where one drawn is smaller than a patch.
    """
    picked = rng.integers(len(images), size=count)
    places = rng.random((count, 2))  # fractions of the room in each photograph, whose size only its file knows
    patches = np.empty((count, 3, size, size), np.float32)
    by_image = np.argsort(picked, kind="stable")
    for mine in np.split(by_image, np.flatnonzero(np.diff(picked[by_image])) + 1):
        index = int(picked[mine[0]])
        patches[mine] = _cut(images[index], str(images.paths[index]), places[mine], size)
    return patches


def _cut(image: Array, name: str, places: Array, size: int) -> Array:
    """Patches (N, 3, s, s) in [0, 1] of image (H, W, 3) at places (N, 2): fractions down and across, in [0, 1)."""
    height, width = image.shape[:2]
    if min(height, width) < size:
        raise DataError(
            f"{name} is {width}×{height} pixels, smaller than a patch of {size}×{size}: "
            f"set data.size={min(height, width)} or less, or remove it"
        )
    windows = sliding_window_view(image, (size, size), axis=(0, 1))  # (H-s+1, W-s+1, 3, s, s), a view
    rows, columns = (places * windows.shape[:2]).astype(np.intp).T
    patches: Array = np.divide(windows[rows, columns], 255, dtype=np.float32)
    return patches


SOURCE = Source(config=Photos, inputs="vectors", targets="inputs")

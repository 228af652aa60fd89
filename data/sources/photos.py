"""Colour patches cut at random from photographs.

Legend: N patches, s side of a patch, H height and W width of a photograph.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from duograd.data.config import Photos, PhotosSample
from duograd.data.dataset import Array, DataSet
from duograd.data.errors import DataError
from duograd.data.source import Source
from duograd.data.sources.image_files import ImageFiles, find_images
from duograd.data.sources.patches import patch_dataset
from duograd.data.sources.paths import user_path

SAMPLES = ("china.jpg", "flower.jpg")


class Images(Protocol):
    """Photographs (H, W, 3) uint8 by number: a list of arrays, or files opened when asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Array: ...


def photos_dataset(config: PhotosSample | Photos, dtype: np.dtype[Any]) -> DataSet:
    """Patches cut as `config` says, ready for the autoencoder; one generator, seeded by it, draws everything."""
    images, source = _photographs(config)
    rng = np.random.default_rng(config.seed)
    colour = patches_from_images(images, config.count, config.size, rng)
    return patch_dataset(colour, source, config, rng, dtype)


def _photographs(config: PhotosSample | Photos) -> tuple[ImageFiles, str]:
    """The photographs, and the line that names them."""
    if isinstance(config, PhotosSample):
        return sample_photos(), "two photographs shipped with scikit-learn"
    root = user_path(config.root)
    images = find_images(root)
    noun = "photograph" if len(images) == 1 else "photographs"
    return images, f"{len(images)} {noun} in {root.resolve().name}/"


def sample_photos() -> ImageFiles:
    """The two photographs that scikit-learn ships, found without importing it (2 s). Raises DataError without them."""
    spec = find_spec("sklearn")
    folders = [Path(folder, "datasets", "images") for folder in (spec and spec.submodule_search_locations) or ()]
    paths = [folder / name for folder in folders for name in SAMPLES]
    if not paths or not all(path.is_file() for path in paths):
        raise DataError(
            f"data=photos_sample needs {' and '.join(SAMPLES)} of scikit-learn, which are not installed: "
            "run `pip install --force-reinstall scikit-learn`, or use data=photos data.root=FOLDER"
        )
    return ImageFiles(paths)


def patches_from_images(images: Images, count: int, size: int, rng: np.random.Generator) -> Array:
    """`count` patches (N, 3, s, s) float32 in [0, 1], uniform over photographs and over positions in each.

    Photographs and places are drawn first, so that each photograph is opened once at most, one after the other.
    Raises DataError where there is no photograph, or one drawn is smaller than a patch.
    """
    if len(images) == 0:
        raise DataError("there are no photographs to cut patches from: give one at least")
    picked = rng.integers(len(images), size=count)
    places = rng.random((count, 2))  # fractions of the room in each photograph, whose size only its file knows
    patches = np.empty((count, 3, size, size), np.float32)
    by_image = np.argsort(picked, kind="stable")
    for mine in np.split(by_image, np.flatnonzero(np.diff(picked[by_image])) + 1):
        index = int(picked[mine[0]])
        patches[mine] = _cut(images[index], _name(images, index), places[mine], size)
    return patches


def _cut(image: Array, name: str, places: Array, size: int) -> Array:
    """Patches (N, 3, s, s) in [0, 1] of image (H, W, 3) at places (N, 2): fractions down and across, in [0, 1)."""
    _require_room(image, name, size)
    windows = sliding_window_view(image, (size, size), axis=(0, 1))  # (H-s+1, W-s+1, 3, s, s), a view
    rows, columns = (places * windows.shape[:2]).astype(np.intp).T
    patches: Array = np.divide(windows[rows, columns], 255, dtype=np.float32)
    return patches


def _require_room(image: Array, name: str, size: int) -> None:
    height, width = image.shape[:2]
    if min(height, width) < size:
        raise DataError(
            f"{name} is {width}×{height} pixels, smaller than a patch of {size}×{size}: "
            f"set data.size={min(height, width)} or less, or remove it"
        )


def _name(images: Images, index: int) -> str:
    return str(images.paths[index]) if isinstance(images, ImageFiles) else f"photograph {index}"


SOURCE = Source(config=Photos, inputs="vectors", targets="inputs")

"""Images that users bring, in one folder per class.

Legend: N images, H height, W width.
"""

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from duograd.data.config import ImageFolder
from duograd.data.dataset import Array, DataSet, Split
from duograd.data.errors import DataError
from duograd.data.source import Source
from duograd.data.sources.archive import Files, read_file
from duograd.data.sources.image_files import open_image, quiet
from duograd.data.sources.image_folder_tree import Listing, Tree, open_tree, read_tree
from duograd.data.sources.images import Splits, image_dataset
from duograd.data.sources.paths import user_path
from duograd.data.splits import stratified_indices

WORKERS = 2  # threads; more get into each other's way where images are small
BLOCK = 64  # images a thread takes at a time


def image_folder_dataset(config: ImageFolder, dtype: np.dtype[Any]) -> DataSet:
    """Images of every class in each split, in random order; one generator, seeded by `config`, draws all of it.

    Raises DataError where the folders are not laid out so, a split lacks a class, or an image cannot be read.
    """
    root = user_path(config.root)
    with open_tree(root) as files:
        tree = read_tree(files.namelist(), root)
        listings = choose(tree, config)
        images = read_images(files, [name for one in listings for name in one.names], config.size)
    ends = np.cumsum([len(one.names) for one in listings])[:-1]
    parts = zip(np.split(images, ends), listings, strict=True)
    train, validation, test = (Split(part, one.targets) if one.names else None for part, one in parts)
    assert train is not None  # stratified_indices leaves some of each class
    splits = Splits(train, validation, test)
    return image_dataset(config, f"images in {root.resolve().name}", splits, dtype, classes=tree.classes)


def choose(tree: Tree, config: ImageFolder) -> tuple[Listing, Listing, Listing]:
    """What trains, validates and tests, each in random order, so that the first `count` are of all classes."""
    rng = np.random.default_rng(config.seed)
    train, test = tree.train, tree.test
    if test is None:
        train, test = split(train, tree.classes, config.test_fraction, rng, "test")
    train, validation = split(train, tree.classes, config.validation_fraction, rng)
    train, validation, test = (one.take(rng.permutation(len(one.names))) for one in (train, validation, test))
    return train.first(config.count, "train"), validation, test.first(config.test_count, "test")


def split(
    images: Listing, classes: Sequence[str], fraction: float, rng: np.random.Generator, held_out: str = "validation"
) -> tuple[Listing, Listing]:
    """The images that stay, and a part of each class, drawn at random, that is held out."""
    kept, others = stratified_indices(images.targets, classes, fraction, rng, held_out)
    return images.take(kept), images.take(others)


def read_images(files: Files, names: Sequence[str], size: int | None) -> NDArray[np.uint8]:
    """The images (N, 3, H, W), cut to the square in their middle and scaled to `size`; or as they are, all of one size.

    Raises DataError where one cannot be read, or, without a size, two differ.
    """
    with quiet():
        H, W = (size, size) if size else read_one(files, names[0], None).shape[:2]
        images = np.empty((len(names), 3, H, W), np.uint8)

        def read_block(start: int) -> None:
            for n, name in enumerate(names[start : start + BLOCK], start):
                pixels = read_one(files, name, size)
                _require_size(pixels, name, images, names[0])
                images[n] = pixels.transpose(2, 0, 1)

        with ThreadPoolExecutor(WORKERS) as pool:
            for _ in pool.map(read_block, range(0, len(names), BLOCK)):
                pass  # raises what a block raised, the first block first
    return images


def read_one(files: Files, name: str, size: int | None) -> Array:
    """One image (H, W, 3)."""
    image = open_image(io.BytesIO(read_file(files, name)), name)
    if size and image.size != (size, size):
        image = _square(image).resize((size, size), Image.Resampling.BICUBIC)  # averages where it makes smaller
    return np.asarray(image)


def _square(image: Image.Image) -> Image.Image:
    """The largest square in the middle; cut out before it is scaled, which else would blur in what lies beside it."""
    side = min(image.size)
    left, top = ((length - side) // 2 for length in image.size)
    return image.crop((left, top, left + side, top + side))


def _require_size(pixels: Array, name: str, images: Array, first: str) -> None:
    (height, width), (H, W) = pixels.shape[:2], images.shape[2:]
    if (height, width) != (H, W):
        raise DataError(
            f"{first} is {W}×{H} pixels and {name} {width}×{height}: give images of one size, or have all of them "
            f"scaled, data.size={min(H, W, height, width)}"
        )


SOURCE = Source(config=ImageFolder, inputs="images", targets="classes")

"""Images that users bring, in one folder per class.

Legend: N images, H height, W width.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from duograd.data.dataset import DataSet, Split
from duograd.data.errors import DataError
from duograd.data.folds import Fold, FoldedConfig
from duograd.data.formats.files import user_path
from duograd.data.images import ImagesConfig, image_dataset
from duograd.data.source import UNSET, Source, required
from duograd.data.splits import Splits, require_count, stratified_indices

if TYPE_CHECKING:
    from duograd.data.formats.image_tree import Listing, Tree


class ImageFolder(FoldedConfig, ImagesConfig):
    """A folder for each class, or an archive of such. size: of the side in pixels; null keeps images as they are.

    validation_fraction, test_fraction: of each class's images, where no folders `val` and `test` say which they are.
    background: the colour behind what is transparent.
    """

    fewer: ClassVar[str] = "ask for fewer images, data.count=N, or for smaller ones, data.size=N"

    name: Literal["image_folder"] = "image_folder"
    root: Annotated[str, required("data=image_folder needs data.root=DIR, a folder with one folder per class")] = UNSET
    size: int | None = Field(default=32, ge=2, le=1024)
    validation_fraction: float = Field(default=0.1, ge=0, lt=1)
    test_fraction: float = Field(default=0.2, ge=0, lt=1)
    background: Literal["white", "grey", "black"] = "white"

    def read(self, dtype: np.dtype[Any]) -> DataSet:
        """Images of every class in each split, in random order; one generator, seeded by `self`, draws all of it.

        Raises DataError where the folders are not laid out so, a split lacks a class, or an image cannot be read.
        """
        from duograd.data.formats.archives import open_files
        from duograd.data.formats.image_bytes import ImageReader
        from duograd.data.formats.image_files import read_images, skip_notes
        from duograd.data.formats.image_tree import read_tree

        root, reader = user_path(self.root), ImageReader(self.background)
        with open_files(root, "a folder, or a zip or tar archive, with one folder per class") as files:
            names = files.namelist()
            tree = read_tree(names, root)
            listings = choose(tree, self)
            images = read_images(files, [name for one in listings for name in one.names], self.size, reader)
        ends = np.cumsum([len(one.names) for one in listings])[:-1]
        parts = zip(np.split(images, ends), listings, strict=True)
        train, validation, test = (Split(part, one.targets) if one.names else None for part, one in parts)
        assert train is not None  # stratified_indices leaves some of each class
        splits = Splits(train, validation, test)
        dataset = image_dataset(self, f"images in {root.resolve().name}", splits, dtype, classes=tree.classes)
        return replace(dataset, notes=(*skip_notes(files, names), *reader.notes()))


def choose(tree: "Tree", config: ImageFolder) -> tuple["Listing", "Listing", "Listing"]:
    """What trains, validates and tests, each in random order, so that the first `count` are of all classes."""
    rng = np.random.default_rng(config.seed)
    train, validation, test = tree.train, tree.validation, tree.test
    if test is None:
        train, test = split(train, tree.classes, config.test_fraction, rng, "test")
    if validation is not None and config.folds is not None:
        raise DataError(
            f"data.folds={config.folds}: the folders of {config.root} say which images validate; leave folds out"
        )
    if validation is None:
        train, validation = split(train, tree.classes, config.held_out, rng)
    train, validation, test = (one.take(rng.permutation(len(one.names))) for one in (train, validation, test))
    return first(train, config.count, "train"), validation, first(test, config.test_count, "test")


def first(images: "Listing", count: int | None, name: Literal["train", "test"]) -> "Listing":
    """The first `count` images, all where it is None. Raises DataError where there are fewer."""
    require_count(len(images.names), count, name)
    return images.take(np.arange(len(images.names))[:count])


def split(
    images: "Listing",
    classes: Sequence[str],
    fraction: float | Fold,
    rng: np.random.Generator,
    held_out: str = "validation",
) -> tuple["Listing", "Listing"]:
    """The images that stay, and a part of each class, drawn at random, that is held out."""
    kept, others = stratified_indices(images.targets, classes, fraction, rng, held_out)
    return images.take(kept), images.take(others)


SOURCE = Source(config=ImageFolder, inputs="images", targets="classes")

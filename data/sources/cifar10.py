"""CIFAR-10: 60000 colour photographs, 32×32 pixels, of ten classes (Krizhevsky 2009), read without torch.

Legend: N images.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from duograd.data.dataset import DataSet, Split
from duograd.data.folds import Fold, FoldedConfig
from duograd.data.formats.files import user_path
from duograd.data.images import ImagesConfig, image_dataset
from duograd.data.normalise import Deviations, Means
from duograd.data.source import Source
from duograd.data.splits import Splits, require_both_sides, require_count, split_fold

OFFLINE = "give data.root=DIR, a folder or archive that you have, or use data=shapes, which is drawn"


class Cifar10(FoldedConfig, ImagesConfig):
    """CIFAR-10, downloaded or in `root`. verify: its files have the published md5 sums."""

    name: Literal["cifar10"] = "cifar10"
    root: str | None = None
    verify: bool = True
    validation_fraction: float = Field(default=0.02, ge=0, lt=1)
    mean: Means | None = Field(default=[0.4914, 0.4822, 0.4465])
    std: Deviations | None = Field(default=[0.2023, 0.1994, 0.2010])

    def read(self, dtype: np.dtype[Any]) -> DataSet:
        """The report's split: the last training images, in the order of the files, validate.

        Raises DataError where the files cannot be had, are damaged, or are not the published ones.
        """
        from duograd.data.formats.cifar10 import read_batches

        place = locate(self)
        train, test, classes = read_batches(place, self.verify)
        train, validation = self._split(train, classes)
        splits = Splits(first(train, self.count, "train"), validation, first(test, self.test_count, "test"))
        return image_dataset(self, f"CIFAR-10 ({place.resolve().name})", splits, dtype, classes=classes)

    def _split(self, train: Split, classes: Sequence[str]) -> tuple[Split, Split | None]:
        if isinstance(self.held_out, Fold):
            return split_fold(train, classes, self.held_out, np.random.default_rng(self.seed))
        return split_off_end(train, self.held_out)


def locate(config: Cifar10) -> Path:
    """The folder with the batches, or the archive: in `root`, else in the user's cache, downloaded the first time.

    Raises DataError where there is none.
    """
    from duograd.data.formats.cifar10 import batches_in, find_batches
    from duograd.data.formats.download import cache_folder

    if config.root is not None:
        return find_batches(user_path(config.root))
    folder = cache_folder() / config.name
    if place := batches_in(folder):
        return place
    from duograd.data.formats.torch_cifar10 import download

    return download(folder, OFFLINE)


def split_off_end(train: Split, fraction: float) -> tuple[Split, Split | None]:
    """What trains, and the last round(N · fraction) images, which validate; views, not copies.

    Raises DataError where a fraction above 0 leaves one side empty.
    """
    count = round(len(train) * fraction)
    if not fraction:
        return train, None
    require_both_sides(len(train), fraction)
    assert train.targets is not None
    return (
        Split(train.inputs[:-count], train.targets[:-count]),
        Split(train.inputs[-count:], train.targets[-count:]),
    )


def first(split: Split, count: int | None, name: Literal["train", "test"]) -> Split:
    """The first `count` images, copied, so that the rest can go; all where it is None.

    Raises DataError where there are fewer.
    """
    if count is None:
        return split
    require_count(len(split), count, name)
    assert split.targets is not None
    return Split(split.inputs[:count].copy(), split.targets[:count].copy())


SOURCE = Source(config=Cifar10, inputs="images", targets="classes")

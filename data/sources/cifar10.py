"""CIFAR-10: 60000 colour photographs, 32×32 pixels, of ten classes (Krizhevsky 2009), read without torch.

Legend: N images.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from duograd.data.config import Cifar10
from duograd.data.dataset import DataSet, Split
from duograd.data.errors import DataError
from duograd.data.source import Source
from duograd.data.sources.cifar10_files import locate, open_files, read_content
from duograd.data.sources.cifar_pickles import unpickle
from duograd.data.sources.images import Splits, image_dataset, require_count
from duograd.data.splits import require_both_sides

SHAPE = (3, 32, 32)
PIXELS = 3072
BATCH = 10_000  # images in a file, at most
TRAINING = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST = "test_batch"
CLASSES = 10


def cifar10_dataset(config: Cifar10, dtype: np.dtype[Any]) -> DataSet:
    """The report's split: the last training images, in the order of the files, validate.

    Raises DataError where the files cannot be had, are damaged, or are not the published ones.
    """
    place = locate(config)
    train, test, classes = read_batches(place, config.verify)
    train, validation = held_back(train, config.validation_fraction)
    splits = Splits(first(train, config.count, "train"), validation, first(test, config.test_count, "test"))
    return image_dataset(config, f"CIFAR-10 ({place.resolve().name})", splits, dtype, classes=classes)


def read_batches(place: Path, verify: bool) -> tuple[Split, Split, tuple[str, ...]]:
    """Training images (N, 3, 32, 32) uint8 in the order of the files, test images, and the names of the classes.

    Each batch has its place in one array, whatever order the archive has, so that memory holds the images once.
    """
    images = {TEST: np.empty((BATCH, *SHAPE), np.uint8)}
    whole = np.empty((len(TRAINING) * BATCH, *SHAPE), np.uint8)  # memory that is never written to costs nothing
    images |= {name: whole[k * BATCH : (k + 1) * BATCH] for k, name in enumerate(TRAINING)}
    targets: dict[str, NDArray[np.int64]] = {}
    classes: tuple[str, ...] = ()
    for name, file in open_files(place):
        if name in images:
            targets[name] = _fill(images[name], _batch(file, name, place, verify), f"{place}: {name}")
        else:
            classes = _classes(_batch(file, name, place, verify), f"{place}: {name}")
    train = _moved_together(whole, [len(targets[name]) for name in TRAINING])
    return (
        Split(train, np.concatenate([targets[name] for name in TRAINING])),
        Split(images[TEST][: len(targets[TEST])], targets[TEST]),
        classes,
    )


def held_back(train: Split, fraction: float) -> tuple[Split, Split | None]:
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


def _batch(file: IO[bytes], name: str, place: Path, verify: bool) -> dict[str, Any]:
    return unpickle(read_content(file, name, place, verify), f"{place}: {name}")


def _fill(images: NDArray[np.uint8], batch: Mapping[str, Any], name: str) -> NDArray[np.int64]:
    """Writes a batch's pixels to the first of `images` (10000, 3, 32, 32); its labels (N,)."""
    pixels, labels = batch.get("data"), batch.get("labels")
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 2 or pixels.shape[1] != PIXELS:
        raise DataError(f"{name} has no array `data` of {PIXELS} bytes an image: give a batch of CIFAR-10")
    if len(pixels) > BATCH:
        raise DataError(f"{name} holds {len(pixels)} images: a batch of CIFAR-10 has {BATCH} at most")
    if not isinstance(labels, list) or len(labels) != len(pixels) or not all(map(_is_class, labels)):
        raise DataError(
            f"{name} holds {len(pixels)} images, but `labels` is not as many whole numbers from 0 to {CLASSES - 1}: "
            "download or copy it again"
        )
    images[: len(pixels)] = pixels.reshape(-1, *SHAPE)
    return np.array(labels, np.int64)


def _is_class(label: object) -> bool:
    return type(label) is int and 0 <= label < CLASSES


def _classes(meta: Mapping[str, Any], name: str) -> tuple[str, ...]:
    names = meta.get("label_names")
    if not isinstance(names, list) or len(names) != CLASSES or not all(isinstance(one, bytes | str) for one in names):
        raise DataError(f"{name} has no list `label_names` of {CLASSES} classes: download or copy it again")
    return tuple(one.decode("latin1") if isinstance(one, bytes) else one for one in names)


def _moved_together(images: NDArray[np.uint8], counts: list[int]) -> NDArray[np.uint8]:
    """The images (N, 3, 32, 32) of batches with so many each, which begin 10000 apart; moved in place."""
    end = 0
    for k, count in enumerate(counts):
        if end < k * BATCH:
            images[end : end + count] = images[k * BATCH : k * BATCH + count]
        end += count
    return images[:end]


SOURCE = Source(config=Cifar10, inputs="images", targets="classes")

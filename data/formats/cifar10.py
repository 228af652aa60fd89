"""CIFAR-10's files, in a folder or in the published archive, which is read without unpacking, and the images in them.

Legend: N images.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.data.dataset import Split
from duograd.data.errors import DataError
from duograd.data.formats.archives import open_files
from duograd.data.formats.cifar_pickles import unpickle
from duograd.data.formats.files import read_file

FOLDER = "cifar-10-batches-py"
ARCHIVE = "cifar-10-python.tar.gz"

# The md5 sum of each file, as torchvision.datasets.CIFAR10 has them.
MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
    "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
}
AGAIN = "download or copy it again"
SHAPE = (3, 32, 32)
PIXELS = 3072
BATCH = 10_000  # images in a file, at most
TRAINING = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST = "test_batch"
CLASSES = 10


def find_batches(root: Path) -> Path:
    """The folder with the batches, or the archive, at or in `root`. Raises DataError where there is none."""
    if root.is_file():
        return root
    if not root.exists():
        raise DataError(f"data.root={root} does not exist: give {FOLDER}, a folder, or {ARCHIVE}")
    place = root if any((root / name).exists() for name in MD5) else batches_in(root)
    if place is None:
        raise DataError(
            f"data.root={root} holds neither {FOLDER} nor {ARCHIVE}: give a folder that does, or the archive"
        )
    return place


def batches_in(folder: Path) -> Path | None:
    """The batches or the archive in a folder, the batches first."""
    return next((folder / name for name in (FOLDER, ARCHIVE) if (folder / name).exists()), None)


def read_batches(place: Path, verify: bool) -> tuple[Split, Split, tuple[str, ...]]:
    """Training images (N, 3, 32, 32) uint8 in the order of the files, test images, and the names of the classes.

    verify: whether the md5 sum of each file, and so its number of images, has to be the published one. Each batch has
    its place in one array, so that memory holds the images once.
    Raises DataError where a file is missing or damaged, or not the published one.
    """
    images = {TEST: np.empty((BATCH, *SHAPE), np.uint8)}
    whole = np.empty((len(TRAINING) * BATCH, *SHAPE), np.uint8)  # memory that is never written to costs nothing
    images |= {name: whole[k * BATCH : (k + 1) * BATCH] for k, name in enumerate(TRAINING)}
    targets: dict[str, NDArray[np.int64]] = {}
    classes: tuple[str, ...] = ()
    for name, content in _contents(place):
        if verify:
            _require_published(content, name, place)
        batch = unpickle(content, f"{place}: {name}", known=verify)
        if name in images:
            targets[name] = _fill(images[name], batch, f"{place}: {name}")
        else:
            classes = _classes(batch, f"{place}: {name}")
        del content, batch  # before the next is read
    train = _moved_together(whole, [len(targets[name]) for name in TRAINING])
    return (
        Split(train, np.concatenate([targets[name] for name in TRAINING])),
        Split(images[TEST][: len(targets[TEST])], targets[TEST]),
        classes,
    )


def _contents(place: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each of the seven files. Raises DataError where one is missing or cannot be read."""
    with open_files(place, f"{FOLDER}, a folder, or {ARCHIVE}") as files:
        paths = {PurePosixPath(path).name: path for path in reversed(files.namelist())}
        if missing := [name for name in MD5 if name not in paths]:
            raise DataError(f"{place} lacks {missing[0]}: give all of {', '.join(MD5)}")
        for name in MD5:
            yield name, read_file(files, paths[name])


def _require_published(content: bytes, name: str, place: Path) -> None:
    if (md5 := hashlib.md5(content, usedforsecurity=False).hexdigest()) != MD5[name]:
        raise DataError(
            f"{place}: {name} has md5 {md5}, but CIFAR-10 was published with {MD5[name]}: {AGAIN}, "
            "or set data.verify=false if it is meant to be another, such as a shorter subset"
        )


def _fill(images: NDArray[np.uint8], batch: Mapping[str, Any], name: str) -> NDArray[np.int64]:
    """Writes a batch's pixels to the first of `images` (10000, 3, 32, 32); its labels (N,)."""
    pixels, labels = batch.get("data"), batch.get("labels")
    if "fine_labels" in batch:
        raise DataError(f"{name} is a batch of CIFAR-100, with fine_labels: give one of CIFAR-10")
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.shape[1:] not in ((PIXELS,), SHAPE):
        raise DataError(f"{name} has no array `data` of {PIXELS} bytes an image: give a batch of CIFAR-10")
    if len(pixels) > BATCH:
        raise DataError(f"{name} holds {len(pixels)} images: a batch of CIFAR-10 has {BATCH} at most")
    if isinstance(labels, np.ndarray):
        labels = labels.tolist()
    if not isinstance(labels, list) or len(labels) != len(pixels) or not all(map(_is_class, labels)):
        raise DataError(
            f"{name} holds {len(pixels)} images, but `labels` is not as many whole numbers from 0 to {CLASSES - 1}: "
            f"{AGAIN}"
        )
    images[: len(pixels)] = pixels.reshape(-1, *SHAPE)
    return np.array(labels, np.int64)


def _is_class(label: object) -> bool:
    return type(label) is int and 0 <= label < CLASSES


def _classes(meta: Mapping[str, Any], name: str) -> tuple[str, ...]:
    names = meta.get("label_names")
    if not isinstance(names, list) or len(names) != CLASSES or not all(isinstance(one, bytes | str) for one in names):
        raise DataError(f"{name} has no list `label_names` of {CLASSES} classes: {AGAIN}")
    return tuple(one.decode("latin1") if isinstance(one, bytes) else one for one in names)


def _moved_together(images: NDArray[np.uint8], counts: list[int]) -> NDArray[np.uint8]:
    """The images (N, 3, 32, 32) of batches with so many each, which begin 10000 apart; moved in place."""
    end = 0
    for k, count in enumerate(counts):
        if end < k * BATCH:
            images[end : end + count] = images[k * BATCH : k * BATCH + count]
        end += count
    return images[:end]

"""Which image is of which class, told by the folders that images lie in."""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from duograd.data.errors import DataError
from duograd.data.formats.files import Files, FolderFiles, open_zip
from duograd.data.formats.image_files import SUFFIXES
from duograd.data.splits import require_count

LAYOUT = "DIR/<class>/<image>, or DIR/train/<class>/<image> and DIR/test/<class>/<image>"
Parts = tuple[str, ...]  # of a path


class Listing(NamedTuple):
    """Images: the name of each, and its class, an index (N,) int64."""

    names: list[str]
    targets: NDArray[np.int64]

    def take(self, index: NDArray[np.intp]) -> "Listing":
        """The images at `index` (K,)."""
        return Listing([self.names[n] for n in index], self.targets[index])

    def first(self, count: int | None, split: Literal["train", "test"]) -> "Listing":
        """The first `count` images, all where it is None. Raises DataError where there are fewer."""
        require_count(len(self.names), count, split)
        return Listing(self.names[:count], self.targets[:count])


class Tree(NamedTuple):
    """All images of a tree; test is None where its folders leave it to us which images test."""

    train: Listing
    test: Listing | None
    classes: tuple[str, ...]


class Paths(NamedTuple):
    """Images and folders, each a path by its parts, and what lies above them all."""

    images: list[Parts]
    folders: set[Parts]
    above: Parts = ()


def open_tree(root: Path) -> AbstractContextManager[Files]:
    """The files of a folder or a zip archive. Raises DataError where there is none, or it is damaged."""
    if not root.exists():
        raise DataError(f"data.root={root} does not exist: give a folder, or a zip archive, with one folder per class")
    return nullcontext(FolderFiles(root)) if root.is_dir() else open_zip(root)


def read_tree(names: Sequence[str], root: Path) -> Tree:
    """The images among the `names` of files and folders; classes and images in natural order (2 before 10).

    Folders that only wrap the tree, hidden files and files that are no images are passed over.
    Raises DataError where an image lies in no class, a class has no image, or train and test have other classes.
    """
    paths = _unwrapped(_images_and_folders(names))
    if not paths.images:
        raise DataError(f"data.root={root} holds no images: give {LAYOUT}, {', '.join(SUFFIXES)}")
    if not _is_split(paths, root):
        classes = _classes(paths, root)
        return Tree(_listing(paths, classes), None, classes)
    train, test = (_inside(paths, part) for part in ("train", "test"))
    classes = _classes(train, root)
    _require_same(_classes(test, root), classes, root)
    return Tree(_listing(train, classes), _listing(test, classes), classes)


def _images_and_folders(names: Sequence[str]) -> Paths:
    images: list[Parts] = []
    folders: set[Parts] = set()
    for name in names:
        parts = tuple(name.rstrip("/").split("/"))
        if any(part.startswith((".", "__MACOSX")) for part in parts):
            continue
        folders |= {parts[:depth] for depth in range(1, len(parts) + name.endswith("/"))}
        if parts[-1].lower().endswith(SUFFIXES) and not name.endswith("/"):
            images.append(parts)
    return Paths(sorted(images, key=_natural), folders)


def _unwrapped(paths: Paths) -> Paths:
    """The tree without the folders above it that hold one folder each and no image."""
    tops = {parts[0] for parts in [*paths.images, *paths.folders]}
    if len(tops) == 1 and all(len(parts) > 2 for parts in paths.images) and paths.images:
        return _unwrapped(_inside(paths, *tops))
    return paths


def _inside(paths: Paths, top: str) -> Paths:
    """What lies in the folder `top`."""
    images = [parts[1:] for parts in paths.images if parts[0] == top]
    folders = {parts[1:] for parts in paths.folders if parts[0] == top and len(parts) > 1}
    return Paths(images, folders, (*paths.above, top))


def _is_split(paths: Paths, root: Path) -> bool:
    """Whether there are folders train and test, and not just classes of these names, which hold images themselves."""
    tops = {parts[0] for parts in paths.folders}
    if "train" not in tops or any(parts[0] == "train" and len(parts) == 2 for parts in paths.images):
        return False
    if strangers := sorted(tops - {"train", "test"}):
        raise DataError(
            f"data.root={root} holds {strangers[0]}/ beside train/: give train/ and test/ alone (validation images are "
            "taken from train/), or one folder per class"
        )
    return True


def _classes(paths: Paths, root: Path) -> tuple[str, ...]:
    """The classes, two or more, each of which has an image, and no image is of none."""
    where = "/".join([f"data.root={root}", *paths.above])
    classes = sorted({parts[0] for parts in paths.folders}, key=lambda name: _natural((name,)))
    for parts in paths.images:
        if len(parts) == 1:
            raise DataError(f"{where}: {parts[0]} lies in no class folder: move it into one, or remove it")
    there = {parts[0] for parts in paths.images}
    for name in classes:
        if name not in there:
            raise DataError(f"{where}: class '{name}' has no images: give some, or remove the folder")
    if len(classes) < 2:
        found = f"one class, '{classes[0]}'" if classes else "no classes"
        raise DataError(f"{where} holds {found}: give two or more, as {LAYOUT}")
    return tuple(classes)


def _require_same(tested: Sequence[str], trained: Sequence[str], root: Path) -> None:
    for there, classes, lacking, others in (("test", tested, "train", trained), ("train", trained, "test", tested)):
        if strangers := [name for name in classes if name not in others]:
            raise DataError(
                f"data.root={root}: class '{strangers[0]}' is in {there}/ but not in {lacking}/: "
                "give both the same folders"
            )


def _listing(paths: Paths, classes: Sequence[str]) -> Listing:
    number = {name: index for index, name in enumerate(classes)}
    names = ["/".join((*paths.above, *parts)) for parts in paths.images]
    return Listing(names, np.array([number[parts[0]] for parts in paths.images], np.int64))


def _natural(parts: Parts) -> list[list[tuple[int, str]]]:
    """Sorts numbers in names by their value: a1 a2 a10."""
    return [
        [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in re.split("([0-9]+)", part)]
        for part in parts
    ]

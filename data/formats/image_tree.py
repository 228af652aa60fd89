"""Which image is of which class, and trains, validates or tests, told by the folders that images lie in."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from duograd.data.errors import DataError, printable
from duograd.data.formats.image_files import SUFFIXES, else_there

LAYOUT = "DIR/<class>/<image>, or DIR/train/<class>/<image> and DIR/test/<class>/<image>"
SPLITS = {  # what folders of splits are called, in any case, also with one word beside it in all: seg_train, seg_test
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
SPLIT = re.compile(rf"(.+[ _-])?({'|'.join(SPLITS)})([ _-].+)?", re.IGNORECASE)
PLAIN = (None, None)  # the words before and after such a name, where there are none
Parts = tuple[str, ...]  # of a path


class Listing(NamedTuple):
    """Images: the name of each, and its class, an index (N,) int64."""

    names: list[str]
    targets: NDArray[np.int64]

    def take(self, index: NDArray[np.intp]) -> "Listing":
        """The images at `index` (K,)."""
        return Listing([self.names[n] for n in index], self.targets[index])


class Tree(NamedTuple):
    """All images of a tree; validation and test are None where its folders leave it to us which images they are."""

    train: Listing
    validation: Listing | None
    test: Listing | None
    classes: tuple[str, ...]


class Paths(NamedTuple):
    """Images and folders, each a path by its parts, and what lies above them all."""

    images: list[Parts]
    folders: set[Parts]
    above: Parts = ()

    @property
    def tops(self) -> set[str]:
        """The folders that lie in none."""
        return {parts[0] for parts in self.folders}

    def inside(self, top: str) -> "Paths":
        """What lies in the folder `top`."""
        images = [parts[1:] for parts in self.images if parts[0] == top]
        folders = {parts[1:] for parts in self.folders if parts[0] == top and len(parts) > 1}
        return Paths(images, folders, (*self.above, top))

    def unwrapped(self) -> "Paths":
        """The tree without the folders above it that hold one folder each and no image."""
        tops = {parts[0] for parts in [*self.images, *self.folders]}
        if len(tops) == 1 and all(len(parts) > 2 for parts in self.images) and self.images:
            return self.inside(*tops).unwrapped()
        return self


def read_tree(names: Sequence[str], root: Path) -> Tree:
    """The images among the `names` of files and folders; classes and images in natural order (2 before 10).

    Folders that only wrap the tree and files that are no images are passed over.
    Raises DataError where an image lies in no class, a class has no image, splits have other classes than train, or it
    cannot be told what is a class.
    """
    paths = _images_and_folders(names).unwrapped()
    if not paths.images:
        raise DataError(f"data.root={root} holds no images: give {LAYOUT}, {', '.join(SUFFIXES)}{else_there(names)}")
    folders = _folders_of_splits(paths, root)
    if not folders:
        classes = _classes(paths, root)
        return Tree(_listing(paths, classes), None, None, tuple(map(printable, classes)))
    _require_in_folders(paths, f"data.root={root}")
    splits = {split: paths.inside(folder).unwrapped() for split, folder in folders.items()}
    classes = _classes(splits["train"], root)
    for split in splits.keys() - {"train"}:
        _require_same(_classes(splits[split], root), folders[split], classes, folders["train"], root)
    listings = {split: _listing(part, classes) for split, part in splits.items()}
    return Tree(listings["train"], listings.get("validation"), listings.get("test"), tuple(map(printable, classes)))


def _images_and_folders(names: Sequence[str]) -> Paths:
    images: list[Parts] = []
    folders: set[Parts] = set()
    for name in names:
        parts = tuple(name.rstrip("/").split("/"))
        folders |= {parts[:depth] for depth in range(1, len(parts) + name.endswith("/"))}
        if name.lower().endswith(SUFFIXES):
            images.append(parts)
    return Paths(sorted(images, key=_natural), folders)


def _folders_of_splits(paths: Paths, root: Path) -> dict[str, str]:
    """The folder of each split, such as {"train": "Training", "test": "Testing"}; {} where folders are classes.

    A folder is of a split by its name, if that of training holds folders: images would make it a class.
    """
    holding = {parts[0] for parts in paths.images if len(parts) == 2}
    matches = [match for top in sorted(paths.tops) if (match := SPLIT.fullmatch(top))]
    words = [match.group(1, 3) for match in matches if match[0] not in holding]
    beside = PLAIN if PLAIN in words else max(words, key=words.count, default=None)
    alike = [match for match in matches if match.group(1, 3) == beside]
    folders = {SPLITS[match[2].lower()]: match[0] for match in alike if beside == PLAIN or len(alike) > 1}
    if folders.get("train", "") in paths.tops - holding:
        _require_alone([match[0] for match in alike], folders, paths.tops, root)
        return folders
    if "train" not in folders and len(folders) > 1 and len(folders) == len(paths.tops):
        there = " and ".join(f"{folder}/" for folder in sorted(folders.values()))
        raise DataError(f"data.root={root} holds {there}, but no train/: give train/ too, or one folder per class")
    return {}


def _require_alone(names: Sequence[str], folders: Mapping[str, str], tops: set[str], root: Path) -> None:
    """Raises DataError where two folders are called after one split, or others lie beside them."""
    if twice := [name for name in names if name not in folders.values()]:
        raise DataError(f"data.root={root} holds {twice[0]}/ beside {names[-1]}/, which mean the same: leave one")
    if strangers := sorted(tops - set(names)):
        raise DataError(
            f"data.root={root} holds {strangers[0]}/ beside {folders['train']}/: give train/, val/ and test/ alone, "
            "or one folder per class"
        )


def _classes(paths: Paths, root: Path) -> tuple[str, ...]:
    """The classes, two or more, each of which has an image, and no image is of none."""
    where = "/".join([f"data.root={root}", *paths.above])
    classes = sorted(paths.tops, key=lambda name: _natural((name,)))
    _require_in_folders(paths, where)
    filled = {parts[0] for parts in paths.images}
    for name in classes:
        if name not in filled:
            raise DataError(f"{where}: class '{name}' has no images: give some, or remove the folder")
    if len(classes) < 2:
        there = f"one class, '{classes[0]}'" if classes else "no classes"
        raise DataError(f"{where} holds {there}: give two or more, as {LAYOUT}")
    _require_plain(paths, classes, where)
    return tuple(classes)


def _require_in_folders(paths: Paths, where: str) -> None:
    for parts in paths.images:
        if len(parts) == 1:
            raise DataError(f"{where}: {parts[0]} lies in no class folder: move it into one, or remove it")


def _require_plain(paths: Paths, classes: Sequence[str], where: str) -> None:
    """Raises DataError where classes may lie deeper: all hold the same folders, or one holds the others again.

    A folder of the most may be missing in another: masks of what has none.
    """
    below: dict[str, set[str]] = {name: set() for name in classes}
    for parts in paths.images:
        below[parts[0]] |= {parts[1]} if len(parts) > 2 else set()
    holding = {parts[0] for parts in paths.images if len(parts) == 2}
    fewest, most = min(below.values(), key=len), max(below.values(), key=len)
    if not holding and all(fewest <= folders <= most for folders in below.values()):
        tops = ", ".join(f"{name}/" for name in classes[:3])
        raise DataError(
            f"{where}: {tops} hold folders of the same names, {', '.join(sorted(fewest)[:3])}: which are "
            "classes is not clear: give one of them alone, or call them train, val and test, or put each class's "
            "images into its folder itself"
        )
    for name, folders in below.items():
        others = folders & below.keys() - {name}
        if len(others) == len(classes) - 1 or len(others) > 1:
            again = ", ".join(sorted(others)[:3])
            raise DataError(f"{where}: {name}/ holds {again} again, as folders beside it are called: leave one copy")


def _require_same(classes: Sequence[str], folder: str, trained: Sequence[str], train: str, root: Path) -> None:
    """Raises DataError where a split has other classes than those that are trained."""
    for there, mine, lacking, others in ((folder, classes, train, trained), (train, trained, folder, classes)):
        if strangers := [name for name in mine if name not in others]:
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

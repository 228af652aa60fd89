"""Where the files of CIFAR-10 lie: in a folder, or in the published archive, which is read without unpacking."""

import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from duograd.data.config import Cifar10
from duograd.data.errors import DataError, reason
from duograd.data.sources.download import cache_folder
from duograd.data.sources.paths import user_path

FOLDER = "cifar-10-batches-py"
ARCHIVE = "cifar-10-python.tar.gz"
OFFLINE = "give data.root=DIR, a folder or archive that you have, or use data=shapes, which is drawn"

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
DAMAGE = (tarfile.TarError, EOFError, zlib.error, OSError)
AGAIN = "download or copy it again"


def locate(config: Cifar10) -> Path:
    """The folder with the batches, or the archive: in `root`, else in the user's cache, downloaded the first time.

    Raises DataError where there is none.
    """
    if config.root is not None:
        return _given(user_path(config.root))
    folder = cache_folder() / config.name
    if found := _inside(folder):
        return found
    from duograd.data.sources.torch_cifar10 import download

    return download(folder)


def _given(root: Path) -> Path:
    if root.is_file():
        return root
    if not root.exists():
        raise DataError(f"data.root={root} does not exist: give {FOLDER}, a folder, or {ARCHIVE}")
    found = root if any((root / name).exists() for name in MD5) else _inside(root)
    if found is None:
        raise DataError(
            f"data.root={root} holds neither {FOLDER} nor {ARCHIVE}: give a folder that does, or the archive"
        )
    return found


def _inside(folder: Path) -> Path | None:
    """The batches or the archive in a folder, the batches first."""
    return next((folder / name for name in (FOLDER, ARCHIVE) if (folder / name).exists()), None)


def open_files(place: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Each of the seven files once, name and open file, in whatever order they lie there; none is open at its end.

    Raises DataError where one is missing or the archive is damaged.
    """
    missing = dict.fromkeys(MD5)
    for name, file in _in_folder(place) if place.is_dir() else _in_archive(place):
        if name in missing:
            del missing[name]
            yield name, file
    if missing:
        raise DataError(f"{place} lacks {next(iter(missing))}: give all of {', '.join(MD5)}")


def _in_folder(folder: Path) -> Iterator[tuple[str, IO[bytes]]]:
    for name in MD5:
        if (folder / name).exists():
            try:
                with (folder / name).open("rb") as file:
                    yield name, file
            except OSError as error:
                raise DataError(f"{folder}: {name} cannot be opened ({reason(error)}): {AGAIN}") from error


def _in_archive(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """In one pass: to go back in a compressed archive is to begin again."""
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                if member.isfile() and (file := archive.extractfile(member)):
                    yield PurePosixPath(member.name).name, file
    except DAMAGE as error:
        raise DataError(f"{path} cannot be read as a tar archive ({reason(error)}): {AGAIN}") from error


def read_content(file: IO[bytes], name: str, place: Path, verify: bool) -> bytes:
    """All of one file. verify: whether its md5 sum, and so its number of images, has to be the published one.

    Raises DataError where it is damaged, or not the published one.
    """
    try:
        content = file.read()
    except DAMAGE as error:
        raise DataError(f"{place}: {name} cannot be read ({reason(error)}): {AGAIN}") from error
    if verify and (found := hashlib.md5(content, usedforsecurity=False).hexdigest()) != MD5[name]:
        raise DataError(
            f"{place}: {name} has md5 {found}, but CIFAR-10 was published with {MD5[name]}: {AGAIN}, "
            "or set data.verify=false if it is meant to be another, such as a shorter subset"
        )
    return content
